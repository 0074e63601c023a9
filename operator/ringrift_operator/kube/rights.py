"""What the operator must be allowed: the chart gives these rights, and `ringrift-operator check` asks for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringrift_operator.api.base import GROUP
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.cluster import KUBE_SYSTEM
from ringrift_operator.kube.lease import LEASE
from ringrift_operator.kube.resource import (
    DEFINITIONS,
    EVENTS,
    ITERATIONS,
    JOBS,
    JOBSETS,
    LEASES,
    NAMESPACES,
    NODES,
    PIPELINES,
    PODS,
    POOLS,
    REMOTE_TASKS,
    WORKLOADS,
    Resource,
)


@dataclass(frozen=True)
class Right:
    """Verbs on one kind, or on a part of its objects; with a name, on that object alone."""

    resource: Resource
    verbs: tuple[str, ...]
    subresource: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural
        return f"{place} {self.name}" if self.name else place


_LOOKED_AT = ("get", "list", "watch")

IN_A_NAMESPACE = (
    *(Right(resource, _LOOKED_AT) for resource in (PIPELINES, POOLS)),
    *(Right(resource, ("patch",), "status") for resource in (PIPELINES, POOLS, REMOTE_TASKS)),
    *(Right(resource, (*_LOOKED_AT, "create", "delete")) for resource in (REMOTE_TASKS, JOBS, JOBSETS)),
    Right(ITERATIONS, ("get", "list", "create", "delete")),
    Right(PIPELINES, ("update",), "finalizers"),
    Right(PODS, ("get", "list")),
    Right(PODS, ("get",), "log"),
    Right(EVENTS, ("create", "list")),
    Right(WORKLOADS, ("list",)),
    Right(LEASES, ("list", "watch", "create")),
    Right(LEASES, ("get", "update"), name=LEASE),
)
"""In each namespace that is looked after."""

IN_THE_CLUSTER = (
    Right(NODES, ("list",)),
    Right(NAMESPACES, ("get",), name=KUBE_SYSTEM),
    *(
        Right(DEFINITIONS, ("get",), name=f"{resource.plural}.{GROUP}")
        for resource in (PIPELINES, POOLS, REMOTE_TASKS, ITERATIONS)
    ),
)
"""On what has no namespace."""


async def refused(client: Client, namespaces: Sequence[str]) -> list[str]:
    """Each right that is missing, as `create jobs in home`."""
    return [
        f"{verb} {right} {f'in {namespace}' if namespace else 'of the cluster'}"
        for namespace, right in _needed(namespaces)
        for verb in right.verbs
        if not await client.may(verb, right.resource, namespace, right.subresource, right.name)
    ]


def _needed(namespaces: Sequence[str]) -> Iterator[tuple[str, Right]]:
    yield from ((namespace, right) for namespace in namespaces for right in IN_A_NAMESPACE)
    yield from (("", right) for right in IN_THE_CLUSTER)
