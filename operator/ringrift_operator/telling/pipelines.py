"""What is said of a pipeline as a whole, and of its configurations."""

from __future__ import annotations

from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline import TrainingPipelineSpec
from ringrift_operator.api.pipeline_status import ConfigurationStatus, PipelinePhase, TrainingPipelineStatus
from ringrift_operator.domain.starting import iteration_limit
from ringrift_operator.telling.words import counted, duration


def counts(status: TrainingPipelineStatus) -> tuple[str, ...]:
    """Games, moves of pointers and tasks so far."""
    return (
        counted(status.games, "game"),
        counted(status.promotions, "promotion"),
        counted(status.rollbacks, "rollback"),
        f"{counted(status.tasks.succeeded, 'task')} done, {status.tasks.failed} failed",
    )


def standing(status: TrainingPipelineStatus, *, was_complete: bool = False) -> tuple[str, str]:
    """How a pipeline stands that nothing runs of, to be said of its name, and what is behind it."""
    match status.phase:
        case PipelinePhase.COMPLETED:
            said = (
                f"{counted(status.iteration, 'iteration')}, {counted(status.promotions, 'promotion')}, "
                f"{counted(status.rollbacks, 'rollback')}, "
                f"{counted(status.tasks.succeeded, 'task')} succeeded and {status.tasks.failed} failed"
            )
            how = "is complete already" if was_complete else "is complete"
            failed = failed_tracks(status)
            return f"{how}, though {', '.join(failed)} failed" if failed else how, said
        case PipelinePhase.SUSPENDED:
            return "is suspended", "set spec.suspend to false to go on"
    stalled = next((each for each in status.conditions if each.type == ConditionType.STALLED), None)
    is_stalled = stalled is not None and stalled.status == ConditionStatus.TRUE
    return "cannot go on", stalled.message if stalled and is_stalled else f"it stopped while {status.phase.value}"


def failed_tracks(status: TrainingPipelineStatus) -> tuple[str, ...]:
    """`square8-2p network`: every track that failed in the last finished iteration of its configuration."""
    return tuple(
        f"{configuration.name} {track.name}"
        for configuration in status.configurations
        for track in configuration.tracks
        if track.failure
    )


def iterations(spec: TrainingPipelineSpec, configuration: ConfigurationStatus) -> str:
    """`iteration 2 of 5`, or how many are complete."""
    limit = iteration_limit(spec, configuration.name)
    number = configuration.iteration + (1 if configuration.frozen is not None else 0)
    if configuration.frozen is None and (limit is None or configuration.iteration < limit):
        return f"{counted(configuration.iteration, 'iteration')} complete"
    return f"iteration {number}" + (f" of {limit}" if limit is not None else "")


def iteration(record: TrainingIteration) -> str:
    """`iteration 2 (3 min 12 s)`."""
    started = record.spec.started_at
    took = f" ({duration(record.spec.finished_at - started)})" if started is not None else ""
    return f"iteration {record.spec.iteration}{took}"
