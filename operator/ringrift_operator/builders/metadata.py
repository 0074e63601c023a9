"""Metadata that all children share: their name, whose they are, and labels to find them by."""

from __future__ import annotations

from typing import Any

from ringrift_operator.domain.completion import owner_of
from ringrift_operator.domain.labels import labels_of
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import Snapshot


def child_metadata(snapshot: Snapshot, task: PlacedTask) -> dict[str, Any]:
    """Metadata of a task's Job or RemoteTask: the pipeline owns it, so that it goes with it."""
    step = snapshot.recipes.steps[task.identity.step]
    return {
        "name": task.name,
        "namespace": snapshot.namespace,
        "labels": {
            "app.kubernetes.io/part-of": "ringrift",
            **labels_of(task.identity, step),
        },
        "ownerReferences": [owner_of(snapshot).model_dump(mode="json", by_alias=True)],
    }
