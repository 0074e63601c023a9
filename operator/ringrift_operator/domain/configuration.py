"""Reading one configuration's status: small pure functions that the policies share."""

from __future__ import annotations

from ringrift_core.contract import Track
from ringrift_operator.api.pipeline_status import ENDED, ConfigurationStatus, StagePhase, TaskStatus


def is_in_iteration(configuration: ConfigurationStatus) -> bool:
    """Whether an iteration is under way."""
    return configuration.frozen is not None


def iteration_under_way(configuration: ConfigurationStatus) -> int:
    """Number of the iteration under way, or of the next one."""
    return configuration.iteration + 1


def champion_at_start(configuration: ConfigurationStatus, track: Track) -> int:
    """Version of a track's champion when the iteration under way began; 0 when there was none."""
    return configuration.track(track).start_version


def single_task(configuration: ConfigurationStatus, step: str) -> TaskStatus:
    """The one task of a step that is never divided. KeyError when the iteration does not have it."""
    for task in configuration.tasks:
        if task.name == step:
            return task
    raise KeyError(f"{configuration.name} has no task {step}")


def tracks_with_champion(configuration: ConfigurationStatus) -> frozenset[Track]:
    """Tracks that have a champion now."""
    return frozenset(track.name for track in configuration.tracks if track.champion)


def step_phase(configuration: ConfigurationStatus, name: str) -> StagePhase | None:
    """How far a step is, all its parts together; None when the iteration does not have it."""
    phases = [task.phase for task in configuration.tasks if task.name == name]
    return combined(phases) if phases else None


def combined(phases: list[StagePhase]) -> StagePhase:
    """The phase of a step from its parts': unfinished while any part is."""
    if all(phase == phases[0] for phase in phases):
        return phases[0]
    if any(phase not in ENDED for phase in phases):
        return StagePhase.RUNNING
    return StagePhase.FAILED


def is_settled(configuration: ConfigurationStatus) -> bool:
    """Whether all tracks of the iteration under way are decided, and all its tasks have ended."""
    tracks = configuration.frozen.tracks if configuration.frozen else ()
    has_decided = all(configuration.track(track).decision is not None for track in tracks)
    return has_decided and all(task.has_ended for task in configuration.tasks)


def without_step(configuration: ConfigurationStatus, step: str) -> ConfigurationStatus:
    return configuration.with_tasks(tuple(task for task in configuration.tasks if task.name != step))
