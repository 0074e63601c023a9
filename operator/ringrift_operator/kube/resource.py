"""The API paths of every kind the operator touches, and plain-dict views of the objects behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object as the API server's JSON."""

Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True)
class Resource:
    """One kind: `api_version` as manifests spell it, and its plural."""

    api_version: str
    plural: str

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """URL path of a collection, an object or a subresource; no namespace means all namespaces."""
        root = "/api" if "/" not in self.api_version else "/apis"
        parts = [root, self.api_version]
        parts += ["namespaces", namespace] if namespace else []
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


JOBS = Resource("batch/v1", "jobs")
PODS = Resource("v1", "pods")
NODES = Resource("v1", "nodes")
NAMESPACES = Resource("v1", "namespaces")
EVENTS = Resource("v1", "events")
SERVICE_ACCOUNTS = Resource("v1", "serviceaccounts")
SECRETS = Resource("v1", "secrets")
ROLES = Resource("rbac.authorization.k8s.io/v1", "roles")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io/v1", "rolebindings")
DEFINITIONS = Resource("apiextensions.k8s.io/v1", "customresourcedefinitions")
WORKLOADS = Resource("kueue.x-k8s.io/v1beta2", "workloads")
WORKLOADS_BEFORE = Resource("kueue.x-k8s.io/v1beta1", "workloads")
"""Of a Kueue before 0.15; what we read of one is the same."""
JOBSETS = Resource("jobset.x-k8s.io/v1alpha2", "jobsets")
LEASES = Resource("coordination.k8s.io/v1", "leases")
PIPELINES = Resource("ringrift.ai/v1alpha1", "trainingpipelines")
POOLS = Resource("ringrift.ai/v1alpha1", "workerpools")
REMOTE_TASKS = Resource("ringrift.ai/v1alpha1", "remotetasks")
ITERATIONS = Resource("ringrift.ai/v1alpha1", "trainingiterations")

RESOURCES = {
    "Job": JOBS,
    "Lease": LEASES,
    "RemoteTask": REMOTE_TASKS,
    "TrainingIteration": ITERATIONS,
    "TrainingPipeline": PIPELINES,
    "WorkerPool": POOLS,
}
"""By the kind in a manifest: what the operator creates or writes status of."""


def key_of(obj: Object) -> Key:
    metadata = obj["metadata"]
    return metadata["namespace"], metadata["name"]


def lean(obj: Object) -> Object:
    """The object without its managed fields, which are a good part of it and which nobody here reads."""
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    return {**obj, "metadata": metadata}


def uid_of(obj: Object) -> str:
    uid: str = obj["metadata"]["uid"]
    return uid


def version_of(obj: Object) -> int:
    """The resource version as a number: later writes have greater ones (KEP-5504)."""
    return int(obj["metadata"]["resourceVersion"])


def is_owned_by(obj: Object, uid: str) -> bool:
    """Whether one of the object's owner references has this UID."""
    return any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences", ()))


def is_going(obj: Object) -> bool:
    """Whether the object is being deleted."""
    return "deletionTimestamp" in obj["metadata"]
