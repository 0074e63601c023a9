"""What tasks without a slot wait for, as people read it: room, or a pool that gives nothing now."""

from __future__ import annotations

from ringrift_operator.api.pipeline_status import ConfigurationStatus, StagePhase, TaskStatus, TrainingPipelineStatus
from ringrift_operator.domain.slots import may_be_used_now, pools_for
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.starting import resolved


def waiting(snapshot: Snapshot, status: TrainingPipelineStatus) -> str:
    """`waits for a slot: square8-2p train, square8-2p selfplay (WorkerPool games is suspended)`; or nothing.

    While something runs, what only waits for room is no news: what no pool takes now is.
    """
    found = [
        (f"{configuration.name} {task.name}", _why(snapshot, configuration, task))
        for configuration in status.configurations
        for task in configuration.tasks
        if task.phase == StagePhase.PENDING and task.waiting_since is not None
    ]
    told = [f"{task}{why}" for task, why in found if why or not status.running]
    return f"waits for a slot: {', '.join(told)}" if told else ""


def _why(snapshot: Snapshot, configuration: ConfigurationStatus, task: TaskStatus) -> str:
    """Where no pool that could take it may be used now: why not."""
    if all(map(may_be_used_now, snapshot.pools)):
        return ""  # as a rule, and the rest takes the values of the spec anew
    pools = pools_for(snapshot, snapshot.recipes.steps[task.name], resolved(snapshot, configuration.name))
    if not pools or any(may_be_used_now(pool) for pool in pools):
        return ""
    said = (f"WorkerPool {pool.name} is {'suspended' if pool.spec.suspend else 'offline'}" for pool in pools)
    return f" ({', '.join(said)})"
