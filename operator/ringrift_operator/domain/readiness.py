"""Which tasks should run now: their needs have succeeded, their pause is over, and no child of theirs is there."""

from __future__ import annotations

from datetime import datetime

from ringrift_core.contract import SelfplayParameters, changed
from ringrift_operator.api.pipeline_status import ENDED, ConfigurationStatus, StagePhase, TaskStatus
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.configuration import step_phase
from ringrift_operator.domain.plan import WantedTask
from ringrift_operator.domain.recipe import ANYTHING, Commission, Demand, Step
from ringrift_operator.domain.recording import children_by_key, children_of, iteration_of
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.slots import demand_of
from ringrift_operator.domain.stalls import blocking_task, stalled_as_a_whole
from ringrift_operator.domain.starting import resolved
from ringrift_operator.domain.steps import SELFPLAY, requested_rollback
from ringrift_operator.domain.stores import store_of


def is_ready(configuration: ConfigurationStatus, step: Step, task: TaskStatus, now: datetime) -> bool:
    """Whether a task that has not run yet could."""
    is_due = task.not_before is None or task.not_before <= now
    needed = (*step.needs, *(name for name in step.one_of if step_phase(configuration, name) is not None))
    needs = all(step_phase(configuration, need) == StagePhase.SUCCEEDED for need in needed)
    after = all(step_phase(configuration, before) in (None, *ENDED) for before in step.after)
    return is_due and needs and after


def note_waiting(situation: Situation) -> Situation:
    """Remembers since when each ready task waits: who has waited longest goes first."""
    if not situation.may_start:
        return situation
    configuration = situation.configuration

    def noted(task: TaskStatus) -> TaskStatus:
        waits = task.phase == StagePhase.PENDING and task.waiting_since is None
        if not waits or not is_ready(configuration, situation.recipes.steps[task.name], task, situation.now):
            return task
        return task.waits(situation.now)

    tasks = tuple(noted(task) for task in configuration.tasks)
    return situation if tasks == configuration.tasks else situation.become(configuration.with_tasks(tasks))


def wanted_tasks(situation: Situation) -> tuple[WantedTask, ...]:
    """Tasks to find room for. One that is Running without a child has lost it, and is wanted again as it was."""
    configuration = situation.configuration
    is_blocked = blocking_task(configuration) is not None
    children = children_by_key(situation)
    leaving = children_of(situation.snapshot, configuration, leaving=True)
    wanted = []
    for task in configuration.tasks:
        step = situation.recipes.steps[task.name]
        key = (task.name, task.part, task.attempt)
        is_open = task.phase == StagePhase.RUNNING or (
            task.phase == StagePhase.PENDING and is_ready(configuration, step, task, situation.now)
        )
        may_run = (situation.may_start or _is_asked_for(situation, step)) and (
            not is_blocked or step.handling.is_way_out
        )
        if is_open and may_run and key not in children and key not in leaving:
            wanted.append(_wanted(situation, task))
    return tuple(task for task in wanted if task.demand.places == 1 or not situation.snapshot.jobset_fault)


def _is_asked_for(situation: Situation, step: Step) -> bool:
    """A rollback that somebody asks for: a pipeline that is suspended starts nothing new, and carries this out."""
    is_free = not (situation.snapshot.spec.dry_run or stalled_as_a_whole(situation.snapshot))
    return is_free and step.track is not None and step.name == requested_rollback(step.track)


def _wanted(situation: Situation, task: TaskStatus) -> WantedTask:
    configuration, step = situation.configuration, situation.recipes.steps[task.name]
    values = resolved(situation.snapshot, configuration.name)
    commission = Commission(
        step=step,
        task=task,
        configuration=configuration,
        store=store_of(situation.snapshot),
        tracks=tuple(track for track in values.tracks if track in situation.recipes.tracks),
        holder=situation.snapshot.holder,
    )
    parameters = step.parameters(commission)
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
        handling=step.handling,
        demand=_demand(situation, step, values),
        is_divisible=task.name == SELFPLAY and not is_divided and configuration.top_up_of(task.part) is None,
    )


def _demand(situation: Situation, step: Step, values: ResolvedConfiguration) -> Demand:
    """By the iteration's values, but for how many processes train together: that changes nothing of what comes of it,
    so it may be set right while it waits."""
    frozen = situation.configuration.frozen
    if frozen is None:
        return ANYTHING
    return demand_of(situation.snapshot, step, frozen.with_distributed(values.network.distributed))


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
