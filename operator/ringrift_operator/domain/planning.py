"""The whole pure step: decide for each pipeline, place for all of them, and write down what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ringrift_core.contract import SelfplayParameters
from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    Placement,
    SlotTurn,
    TrainingPipelineStatus,
)
from ringrift_operator.domain.conditions import MESSAGE_LENGTH, conditions_of, next_alert, silent_stages
from ringrift_operator.domain.configuration import without_step
from ringrift_operator.domain.deciding import decide
from ringrift_operator.domain.dry_run import described
from ringrift_operator.domain.fairness import turns_kept
from ringrift_operator.domain.phases import phase_of
from ringrift_operator.domain.placement import place
from ringrift_operator.domain.plan import Decision, Event, PlacedTask, Plan
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.retries import REFUSED_AGAIN
from ringrift_operator.domain.snapshot import Snapshot, TaskObservation
from ringrift_operator.domain.standing import running, standings
from ringrift_operator.domain.steps import SELFPLAY
from ringrift_operator.domain.syncing import next_sync

_WITHOUT_EVENT = (ConditionType.READY, ConditionType.RECONCILING, ConditionType.GAMES_CUT)
"""The first two are how it always goes; of cut games every step tells by itself (domain/recording.py)."""


def plan(snapshot: Snapshot) -> Plan:
    """The plan of a pipeline that has its pools for itself."""
    return plan_all([snapshot])[0]


def plan_all(snapshots: Sequence[Snapshot], elsewhere: Iterable[TaskObservation] = ()) -> tuple[Plan, ...]:
    """The plans of all pipelines of a namespace; `elsewhere` are live children of pipelines that are not among them."""
    decisions = [decide(snapshot) for snapshot in snapshots]
    placed = place(decisions, elsewhere)
    return tuple(conclude(decision, tasks) for decision, tasks in zip(decisions, placed, strict=True))


def conclude(decision: Decision, placed: tuple[PlacedTask, ...]) -> Plan:
    """The plan of one pipeline once its tasks have found room. Of children that go nothing is said any more."""
    snapshot = decision.snapshot.without(frozenset(decision.delete))
    configurations = tuple(
        _summarised(snapshot, _with_places(snapshot, configuration, placed))
        for configuration in decision.status.configurations
    )
    status = decision.status.concluded(
        configurations,
        phase=phase_of(snapshot, configurations),
        running=running(snapshot.recipes, configurations),
        plan=described(snapshot, configurations) if snapshot.spec.dry_run else (),
        turns=_turns(decision, placed),
    )
    status = status.with_conditions(conditions_of(snapshot, status))
    return Plan(
        records=decision.records,
        status=status,
        create=placed,
        delete=decision.delete,
        expired_records=decision.expired_records,
        events=(*decision.events, *_phase_events(snapshot, status)),
        wake_at=_wake_at(snapshot, status),
    )


def _turns(decision: Decision, placed: tuple[PlacedTask, ...]) -> tuple[SlotTurn, ...]:
    """The turns that the pipeline has had, as far as the next passes have to know them."""
    begun = {(task.identity.configuration, task.identity.step, task.identity.part) for task in placed}
    waiting = (task for task in decision.wanted if (task.configuration, task.step, task.part) not in begun)
    return turns_kept(decision.status.turns, [task.turn for task in placed if task.turn is not None], waiting)


def _with_places(
    snapshot: Snapshot, configuration: ConfigurationStatus, placed: tuple[PlacedTask, ...]
) -> ConfigurationStatus:
    """Notes where the new tasks run. Self-play that was divided becomes one task per part."""
    recipes, now = snapshot.recipes, snapshot.now
    for task in placed:
        if task.identity.configuration != configuration.name:
            continue
        known = {(each.name, each.part): each for each in configuration.tasks}
        if task.identity.step == SELFPLAY and known[SELFPLAY, 0].placement is None:
            whole = known[SELFPLAY, 0]
            parts = [each for each in placed if _is_part(each, task)]
            configuration = without_step(configuration, SELFPLAY)
            for part in parts:
                begun = whole.as_part(part.identity.part).placed(_placement(part), now)
                configuration = recipes.with_task(configuration, begun)
        else:
            begun = known[task.identity.step, task.identity.part].placed(_placement(task), now)
            configuration = recipes.with_task(configuration, begun)
    return configuration


def _is_part(task: PlacedTask, other: PlacedTask) -> bool:
    return task.identity.step == SELFPLAY and task.identity.configuration == other.identity.configuration


def _placement(task: PlacedTask) -> Placement | None:
    if task.pool is None or task.slot is None:
        return None
    return Placement(
        pool=task.pool.name,
        slot=task.slot.name,
        count=task.identity.parallelism,
        shards=task.parameters.shard if isinstance(task.parameters, SelfplayParameters) else None,
    )


def _summarised(snapshot: Snapshot, configuration: ConfigurationStatus) -> ConfigurationStatus:
    return configuration.summarised(standings(snapshot, configuration))


def _phase_events(snapshot: Snapshot, status: TrainingPipelineStatus) -> tuple[Event, ...]:
    events = []
    if status.phase != snapshot.status.phase:
        events.append(Event(EventReason.PHASE_CHANGED, f"{snapshot.status.phase.value} -> {status.phase.value}"))
    if status.plan != snapshot.status.plan:
        events += [Event(EventReason.DRY_RUN, line) for line in status.plan]
    before = {condition.type: condition for condition in snapshot.status.conditions}
    for condition in status.conditions:
        was = before.get(condition.type)
        began = condition.status == ConditionStatus.TRUE and (was is None or was.status != ConditionStatus.TRUE)
        if began and condition.type not in _WITHOUT_EVENT:
            events.append(Event(EventReason(condition.type), condition.message, is_warning=True))
        elif condition.type == ConditionType.DEGRADED and was is not None and len(was.message) < MESSAGE_LENGTH:
            # It held for another reason: one who watches events must hear of a stage that hangs all the same.
            new = [sentence for sentence in silent_stages(snapshot) if sentence not in was.message]
            events += [Event(EventReason.DEGRADED, sentence, is_warning=True) for sentence in new]
    return tuple(events)


def _wake_at(snapshot: Snapshot, status: TrainingPipelineStatus) -> datetime | None:
    pauses = [
        task.not_before
        for configuration in status.configurations
        for task in configuration.tasks
        if task.not_before is not None and task.pauses(snapshot.now)
    ]
    syncs = [
        due
        for configuration in status.configurations
        if (due := next_sync(snapshot, configuration)) is not None and due > snapshot.now
    ]
    alert = next_alert(snapshot, status)
    refused = [snapshot.now + REFUSED_AGAIN] if snapshot.refusals else []
    return min([*pauses, *syncs, *refused, *([alert] if alert is not None else [])], default=None)
