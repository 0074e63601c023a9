"""Leases by which runners say that they live: one of each Runner pool, one of each RemoteTask. The operator makes
them, so that a runner needs no right to; whoever owns them takes them along when it goes."""

from __future__ import annotations

from typing import Any

from ringrift_operator.api.base import API_VERSION
from ringrift_operator.domain.labels import POOL

RUNNER = "ringrift-runner-"
"""Before a pool's name: its Lease, and the account, the Secret and the rights of its runner."""
SECONDS = 60
"""Of a Lease that nobody renews: then another may take it."""


def pool_lease(pool: dict[str, Any]) -> dict[str, Any]:
    """Of a WorkerPool with this metadata: whoever holds it takes the pool's tasks."""
    return _lease("WorkerPool", pool, RUNNER + pool["name"], pool["name"])


def task_lease(task: dict[str, Any], pool: str) -> dict[str, Any]:
    """Of a RemoteTask with this metadata: whoever renews it works on the task."""
    return _lease("RemoteTask", task, task["name"], pool)


def _lease(kind: str, owner: dict[str, Any], name: str, pool: str) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": owner["namespace"],
            "labels": {"app.kubernetes.io/part-of": "ringrift", POOL: pool},
            "ownerReferences": [{"apiVersion": API_VERSION, "kind": kind, "name": owner["name"], "uid": owner["uid"]}],
        },
        "spec": {"leaseDurationSeconds": SECONDS},
    }
