"""Writes what the children show into the status: progress while they run, the outcome once they have ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from ringrift_core.contract import EvaluateResult, StageResult
from ringrift_operator.api.pipeline_status import ConfigurationStatus, StagePhase, TaskStatus
from ringrift_operator.domain import retries
from ringrift_operator.domain.evidence import cut_games, refusal
from ringrift_operator.domain.outcomes import Outcome, OutcomeKind, outcome_of
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.recipe import Handling
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.snapshot import ChildPhase, Snapshot, TaskObservation
from ringrift_operator.domain.steps import ADOPT

PROGRESS_EVERY = timedelta(minutes=1)
"""Status takes progress at most this often; a live view reads the children themselves."""


def record_children(situation: Situation) -> Situation:
    """Every task of the configuration, brought up to what its newest try's child shows."""
    children = children_by_key(situation)
    for task in situation.configuration.tasks:
        child = children.get((task.name, task.part, task.attempt))
        if child is None or task.has_ended:
            continue
        situation = _running(situation, task, child) if child.is_live else _ended(situation, task, child)
    return situation


def children_by_key(situation: Situation) -> dict[tuple[str, int, int], TaskObservation]:
    """Children of the iteration under way that count as ours, by step, part and attempt."""
    return children_of(situation.snapshot, situation.configuration)


def children_of(
    snapshot: Snapshot, configuration: ConfigurationStatus, *, leaving: bool = False
) -> dict[tuple[str, int, int], TaskObservation]:
    """The same of one configuration; `leaving`: those that are being deleted instead."""
    return {
        (child.identity.step, child.identity.part, child.identity.attempt): child
        for child in snapshot.tasks
        if child.identity.configuration == configuration.name
        and child.identity.iteration == iteration_of(child.identity.step, configuration.iteration)
        and child.deleting == leaving
    }


def iteration_of(step: str, completed: int) -> int:
    """Iteration that a step's child is labelled with: adopt comes before the first one."""
    return 0 if step == ADOPT else completed + 1


def _running(situation: Situation, task: TaskStatus, child: TaskObservation) -> Situation:
    seen = task.seen_running(situation.now) if child.phase == ChildPhase.RUNNING else task.seen_waiting()
    if child.phase == ChildPhase.QUEUED and task.progress_at is not None:
        message = f"{task.name} is held again: it goes on, as the same attempt, once its queue admits it"
        situation = situation.say(EventReason.TASK_PREEMPTED, message)
    is_news = task.progress_at is not None and situation.now - task.progress_at >= PROGRESS_EVERY
    if is_news and child.progress is not None and child.progress > task.progress:
        seen = seen.progressed(child.progress, situation.now)
    return situation if seen == task else situation.with_task(seen)


def _ended(situation: Situation, task: TaskStatus, child: TaskObservation) -> Situation:
    handling = situation.snapshot.handling_of(child)
    outcome = outcome_of(child, handling)
    tried = task.ended(child.exit_code, outcome.message, began=child.started_at or situation.now)
    ended = retries.after(tried, outcome.kind, situation.now, handling.is_repeated)
    if outcome.kind in (OutcomeKind.DONE, OutcomeKind.SUPERSEDED) and child.result is not None:
        ended = _with_result(ended, child.result, handling)
    return _counted(_told_of_games(situation.with_task(ended), ended), ended, outcome, child)


def _told_of_games(situation: Situation, task: TaskStatus) -> Situation:
    """An event for games that are no evidence, or many of which were cut."""
    found = task.found(EvaluateResult)
    # A test that found another champion played none: who that is, is said where it is taken over.
    is_superseded = found is not None and bool(found.champion)
    if (refused := refusal(task)) and not is_superseded:
        situation = situation.say(EventReason.NO_EVIDENCE, f"{task.name}: {refused}", is_warning=True)
    for sentence in cut_games(task):
        situation = situation.say(EventReason.GAMES_CUT, sentence, is_warning=True)
    return situation


def _with_result(task: TaskStatus, result: StageResult, handling: Handling) -> TaskStatus:
    """What the next steps and the record need of a result; a status has to stay small (design.md section 5)."""
    needed = handling.facts.output
    return task.answered(
        result=None if result.result is None else result.result.rounded(),
        outputs={name: artifact for name, artifact in result.outputs.items() if name == needed},
        verdict=result.verdict,
        # Verdict, games and versions say what these messages say.
        message="" if handling.is_said_otherwise and task.phase == StagePhase.SUCCEEDED else task.message,
        placement=task.placement if handling.remembers_place else None,
    )


def _counted(situation: Situation, task: TaskStatus, outcome: Outcome, child: TaskObservation) -> Situation:
    """Totals of tried tasks, and the event of a try that did not end well."""
    match outcome.kind:
        case OutcomeKind.DONE:
            return replace(situation, succeeded=situation.succeeded + 1)
        case OutcomeKind.SUPERSEDED:
            return situation.say(
                EventReason.POINTER_MOVED, f"{task.name} moved nothing: {task.message}", is_warning=True
            )
        case OutcomeKind.NOT_NOW:
            message = f"{task.name} cannot go on now: {outcome.message}"
            return situation.say(
                EventReason.TASK_DELAYED, message, is_warning=task.delays >= retries.DEGRADED_AFTER_DELAYS
            )
        case OutcomeKind.FAILED | OutcomeKind.HOPELESS:
            ending = "given up" if task.phase == StagePhase.FAILED else "tried again"
            said = f"{task.name} failed in attempt {child.identity.attempt} and is {ending}: {outcome.message}"
            return replace(situation, failed=situation.failed + 1).say(EventReason.TASK_FAILED, said, is_warning=True)
        case kind:
            assert_never(kind)
