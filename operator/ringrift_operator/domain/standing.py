"""How far each step of a configuration is, as people see it: it runs only once a Pod runs, or a runner works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringrift_operator.api.pipeline_status import ENDED, ConfigurationStatus, StagePhase, Standing, TaskStatus
from ringrift_operator.domain.configuration import combined
from ringrift_operator.domain.recipes import Recipes
from ringrift_operator.domain.recording import children_of
from ringrift_operator.domain.snapshot import ChildPhase, Snapshot, TaskObservation

_MOST_TELLING = (Standing.RUNNING, Standing.QUEUED, Standing.WAITING, Standing.PENDING)
"""Of a step whose parts differ."""


def standings(snapshot: Snapshot, configuration: ConfigurationStatus) -> dict[str, Standing]:
    """Every step of the iteration under way, in their order."""
    children = children_of(snapshot, configuration)
    found: dict[str, list[TaskStatus]] = {}
    for task in configuration.tasks:
        found.setdefault(task.name, []).append(task)
    order = sorted(found, key=snapshot.recipes.order.__getitem__)
    return {name: _of_step(found[name], children) for name in order}


def running(recipes: Recipes, configurations: Sequence[ConfigurationStatus]) -> str:
    """`square8-2p i3: cmaes, train` for every configuration with something running."""
    lines = []
    for configuration in configurations:
        names = [name for name in recipes.steps if configuration.stages.get(name) == Standing.RUNNING]
        if names:
            lines.append(f"{configuration.name} i{configuration.iteration + 1}: {', '.join(names)}")
    return "; ".join(lines)


def _of_step(parts: list[TaskStatus], children: Mapping[tuple[str, int, int], TaskObservation]) -> Standing:
    if all(part.phase in ENDED for part in parts):
        return Standing(combined([part.phase for part in parts]))
    open_parts = {_of_task(part, children) for part in parts if part.phase not in ENDED}
    return next(standing for standing in _MOST_TELLING if standing in open_parts)


def _of_task(task: TaskStatus, children: Mapping[tuple[str, int, int], TaskObservation]) -> Standing:
    if task.phase == StagePhase.PENDING:
        return Standing.PENDING if task.waiting_since is None else Standing.WAITING
    child = children.get((task.name, task.part, task.attempt))
    if child is None or child.phase == ChildPhase.WAITING:
        return Standing.WAITING
    return Standing.QUEUED if child.phase == ChildPhase.QUEUED else Standing.RUNNING
