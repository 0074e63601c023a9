"""A RemoteTask for a task that was placed on a Runner pool: it names a stage and parameters, never a command line."""

from __future__ import annotations

from typing import Any

from ringrift_core.contract import SelfplayParameters
from ringrift_operator.api.base import API_VERSION
from ringrift_operator.api.remotetask import RemoteTaskSpec
from ringrift_operator.builders.metadata import child_metadata
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import Snapshot


def remote_task(snapshot: Snapshot, task: PlacedTask) -> dict[str, Any]:
    """The manifest; ValueError when the task was placed on no pool."""
    if task.pool is None or task.slot is None:
        raise ValueError(f"{task.name} takes no slot: it runs as a Job")
    parameters = task.parameters
    spec = RemoteTaskSpec(
        pipeline=snapshot.name,
        configuration=task.identity.configuration,
        iteration=task.identity.iteration,
        stage=task.stage,
        attempt=task.identity.attempt,
        pool=task.pool.name,
        slot=task.slot.name,
        shards=parameters.shard if isinstance(parameters, SelfplayParameters) else None,
        parameters=parameters.model_dump(mode="json", by_alias=True, exclude_none=True),
        output=f"{parameters.store}/{task.identity.configuration}",
        resources=task.slot.resources,
        device=task.slot.device,
        deadline=task.slot.deadline,
    )
    return {
        "apiVersion": API_VERSION,
        "kind": "RemoteTask",
        "metadata": child_metadata(snapshot, task),
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
