"""What Kueue's administrator applies: a quota of machines, the queue of a namespace, and who comes first."""

from __future__ import annotations

from typing import Any

QUEUE = "games"
"""The LocalQueue's name."""
PRIORITIES = {"background": 100, "urgent": 1000}

Manifest = dict[str, Any]


def flavor() -> Manifest:
    return _manifest("ResourceFlavor", "machines")


def cluster_queue(name: str, cpus: int, **spec: object) -> Manifest:
    """So many CPUs for all who wait in it; the urgent takes them from the others."""
    resources = [{"name": "cpu", "nominalQuota": cpus}, {"name": "memory", "nominalQuota": "64Gi"}]
    flavors = [{"name": "machines", "resources": resources}]
    return _manifest(
        "ClusterQueue",
        name,
        spec={
            "namespaceSelector": {},
            "preemption": {"withinClusterQueue": "LowerPriority"},
            "resourceGroups": [{"coveredResources": ["cpu", "memory"], "flavors": flavors}],
            **spec,
        },
    )


def local_queue(queue: str, name: str = QUEUE) -> Manifest:
    """A namespace's name for a ClusterQueue."""
    return _manifest("LocalQueue", name, spec={"clusterQueue": queue})


def priorities() -> list[Manifest]:
    return [_manifest("WorkloadPriorityClass", name, value=value) for name, value in PRIORITIES.items()]


def _manifest(kind: str, name: str, **fields: object) -> Manifest:
    return {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": kind, "metadata": {"name": name}, **fields}
