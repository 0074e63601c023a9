"""kopf's part of the operator: it watches the custom resources and mirrors them; everything else is in `kube`.

The settings are those that were measured (docs/operator-facts.md): kopf takes no decision, writes nothing, and waits
out an API server that is away for however long it takes.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import kopf

from ringrift_operator.kube.connection import login
from ringrift_operator.kube.resource import PIPELINES, POOLS, REMOTE_TASKS
from ringrift_operator.kube.watch import Mirror
from ringrift_operator.kube.world import World

logger = logging.getLogger(__name__)


class ForEver:
    """Pauses between tries, in seconds, without end; iterable again and again, as kopf needs it."""

    def __iter__(self) -> Iterator[float]:
        yield from (0.1, 0.2, 0.5)
        while True:
            yield 1.0


class NoDiffBase(kopf.DiffBaseStorage):
    """We compare nothing with its last version, so nothing is kept for it."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        pass


def settings() -> kopf.OperatorSettings:
    """kopf as a mere watcher."""
    made = kopf.OperatorSettings()
    made.posting.enabled = False
    made.peering.standalone = True
    made.scanning.disabled = True
    made.networking.connect_timeout = 5
    made.networking.error_backoffs = ForEver()
    made.watching.server_timeout = 15
    made.watching.inactivity_timeout = 20  # with the line above: a silent watch is replaced in 20 s
    made.persistence.diffbase_storage = NoDiffBase()
    return made


def registry(world: World, stopping: Callable[[], None]) -> kopf.OperatorRegistry:
    """Handlers that mirror what kopf sees. An exception in one would lose the event, so they do nothing else."""
    made = kopf.OperatorRegistry()

    @kopf.on.cleanup(registry=made)
    async def clean_up(**_: Any) -> None:
        logger.info("stopping")
        stopping()

    @kopf.on.login(registry=made)
    def log_in(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo:
        return login(settings)

    for resource, mirror in ((PIPELINES, world.pipelines), (POOLS, world.pools), (REMOTE_TASKS, world.remote_tasks)):
        group, version = resource.api_version.split("/")
        kopf.on.event(group, version, resource.plural, registry=made)(mirroring(mirror))
    return made


def mirroring(mirror: Mirror) -> Callable[..., Awaitable[None]]:
    """A handler that takes each event into the mirror."""

    async def take(event: kopf.RawEvent, **_: Any) -> None:
        obj = dict(event["object"])
        if event["type"] == "DELETED":
            mirror.drop(obj)
        else:
            mirror.put(obj)

    return take


async def watch_custom_resources(world: World, namespaces: Sequence[str], stopping: Callable[[], None]) -> None:
    """Runs kopf until a signal ends it; no namespaces means all. `stopping` is called when the end has begun."""
    await kopf.operator(
        registry=registry(world, stopping),
        settings=settings(),
        namespaces=list(namespaces),
        clusterwide=not namespaces,
    )
