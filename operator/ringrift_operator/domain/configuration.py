"""Reading and changing one configuration's status: small pure functions that the policies share."""

from __future__ import annotations

from collections.abc import Iterable

from ringrift_core.contract import Track
from ringrift_operator.api.pipeline_status import ENDED, ConfigurationStatus, StagePhase, TaskStatus
from ringrift_operator.domain.steps import ORDER, Step


def is_in_iteration(configuration: ConfigurationStatus) -> bool:
    """Whether an iteration is under way."""
    return configuration.frozen is not None


def iteration_under_way(configuration: ConfigurationStatus) -> int:
    """Number of the iteration under way, or of the next one."""
    return configuration.iteration + 1


def champion_at_start(configuration: ConfigurationStatus, track: Track) -> int:
    """Version of a track's champion when the iteration under way began; 0 when there was none."""
    return configuration.track(track).start_version


def single_task(configuration: ConfigurationStatus, step: Step) -> TaskStatus:
    """The one task of a step that is never divided. KeyError when the iteration does not have it."""
    for task in configuration.tasks:
        if task.name == step.name:
            return task
    raise KeyError(f"{configuration.name} has no task {step.name}")


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


def stage_phases(configuration: ConfigurationStatus) -> dict[str, StagePhase]:
    """The summary of all steps, in their order."""
    names = sorted({task.name for task in configuration.tasks}, key=ORDER.__getitem__)
    return {name: combined([task.phase for task in configuration.tasks if task.name == name]) for name in names}


def with_task(configuration: ConfigurationStatus, task: TaskStatus) -> ConfigurationStatus:
    """The configuration with this task in place of the one with its name and part, or added."""
    others = tuple(t for t in configuration.tasks if (t.name, t.part) != (task.name, task.part))
    return with_tasks(configuration, (*others, task))


def without_step(configuration: ConfigurationStatus, step: Step) -> ConfigurationStatus:
    return with_tasks(configuration, (task for task in configuration.tasks if task.name != step.name))


def with_tasks(configuration: ConfigurationStatus, tasks: Iterable[TaskStatus]) -> ConfigurationStatus:
    """The configuration with exactly these tasks, in the steps' order."""
    ordered = tuple(sorted(tasks, key=lambda task: (ORDER[task.name], task.part)))
    return configuration.with_tasks(ordered)
