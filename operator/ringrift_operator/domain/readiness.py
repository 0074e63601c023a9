"""Which tasks should run now: their needs have succeeded, their pause is over, and no child of theirs is there."""

from __future__ import annotations

from datetime import datetime

from ringrift_core.contract import SelfplayParameters, Stage, changed
from ringrift_operator.api.pipeline_status import ConfigurationStatus, StagePhase, TaskStatus
from ringrift_operator.domain.configuration import step_phase, with_tasks
from ringrift_operator.domain.parameters import parameters_of
from ringrift_operator.domain.plan import WantedTask
from ringrift_operator.domain.recording import children_by_key, iteration_of
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.stalls import blocking_task
from ringrift_operator.domain.starting import resolved
from ringrift_operator.domain.steps import SELFPLAY, STEPS
from ringrift_operator.domain.stores import store_of


def is_ready(configuration: ConfigurationStatus, task: TaskStatus, now: datetime) -> bool:
    """Whether a task that has not run yet could."""
    is_due = task.not_before is None or task.not_before <= now
    needs = STEPS[task.name].needs
    return is_due and all(step_phase(configuration, need) == StagePhase.SUCCEEDED for need in needs)


def note_waiting(situation: Situation) -> Situation:
    """Remembers since when each ready task waits: who has waited longest goes first."""
    if not situation.may_start:
        return situation
    configuration = situation.configuration

    def noted(task: TaskStatus) -> TaskStatus:
        waits = task.phase == StagePhase.PENDING and task.waiting_since is None
        if not waits or not is_ready(configuration, task, situation.now):
            return task
        return task.waits(situation.now)

    tasks = tuple(noted(task) for task in configuration.tasks)
    return situation if tasks == configuration.tasks else situation.become(with_tasks(configuration, tasks))


def wanted_tasks(situation: Situation) -> tuple[WantedTask, ...]:
    """Tasks to find room for. One that is Running without a child has lost it, and is wanted again as it was."""
    configuration = situation.configuration
    if not situation.may_start:
        return ()
    is_blocked = blocking_task(configuration) is not None
    children = children_by_key(situation)
    leaving = {(c.identity.step, c.identity.part, c.identity.attempt) for c in situation.snapshot.tasks if c.deleting}
    wanted = []
    for task in configuration.tasks:
        key = (task.name, task.part, task.attempt)
        is_open = task.phase == StagePhase.RUNNING or (
            task.phase == StagePhase.PENDING and is_ready(configuration, task, situation.now)
        )
        # A champion that cannot be read is a reason to stand still, and its rollback the way out.
        may_run = not is_blocked or STEPS[task.name].stage == Stage.ROLLBACK
        if is_open and may_run and key not in children and key not in leaving:
            wanted.append(_wanted(situation, task))
    return tuple(wanted)


def _wanted(situation: Situation, task: TaskStatus) -> WantedTask:
    configuration = situation.configuration
    tracks = resolved(situation.snapshot, configuration.name).tracks
    parameters = parameters_of(store_of(situation.snapshot), tracks, configuration, task)
    is_divided = task.placement is not None
    if isinstance(parameters, SelfplayParameters) and task.placement is not None:
        parameters = changed(parameters, shard=task.placement.shards)
    return WantedTask(
        configuration=configuration.name,
        board=configuration.board,
        players=configuration.players,
        iteration=iteration_of(task.name, configuration.iteration),
        step=task.name,
        part=task.part,
        attempt=task.attempt,
        parameters=parameters,
        waiting_since=task.waiting_since or situation.now,
        is_divisible=task.name == SELFPLAY.name and not is_divided,
    )


def unwanted_children(situation: Situation) -> tuple[str, ...]:
    """Children to delete: ended and recorded in the status, or of no task that the status knows.

    Before adoption nothing is known, so nothing is touched: the status may have been lost while tasks went on.
    """
    configuration = situation.configuration
    if not configuration.adopted and not configuration.tasks:
        return ()
    open_keys = {
        (task.name, task.part, task.attempt)
        for task in configuration.tasks
        if task.phase in (StagePhase.PENDING, StagePhase.RUNNING)
    }
    kept = {child.name for key, child in children_by_key(situation).items() if key in open_keys}
    return tuple(
        child.name
        for child in situation.snapshot.tasks
        if child.identity.configuration == configuration.name
        and not child.deleting
        and child.name not in kept
        and (configuration.adopted or not child.is_live)
    )
