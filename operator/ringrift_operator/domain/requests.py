"""One-off requests by annotation: a new value asks again, status.handledRequests answers (api.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import assert_never

from ringrift_core.contract import ClaimParameters, Track
from ringrift_operator.api.pipeline_status import StagePhase, TaskStatus
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import single_task, step_phase
from ringrift_operator.domain.plan import Event
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.recipes import Recipes
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.stalls import TAKE_OVER_ANNOTATION
from ringrift_operator.domain.starting import begin_selfplay_anew
from ringrift_operator.domain.steps import ADOPT, MERGE
from ringrift_operator.domain.tracks import superseded

RECONCILE = "reconcile"
ROLLBACK = "rollback"
TAKE_OVER = "take-over"
ANNOTATIONS = {
    RECONCILE: "ringrift.ai/reconcile-requested-at",
    ROLLBACK: "ringrift.ai/rollback-requested",
    TAKE_OVER: TAKE_OVER_ANNOTATION,
}
"""Annotation of each kind of request."""

VALUE_LENGTH = 200
"""Longest value: it is also the registry's request id."""

_ROLLBACK_VALUE = re.compile(r"(?P<configuration>[a-z0-9]+-[234]p)/(?P<track>[a-z]+)@.+")


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    value: str
    configuration: str
    track: Track


def open_request(snapshot: Snapshot, kind: str) -> str | None:
    """The annotation's value while it is unanswered."""
    value = snapshot.annotations.get(ANNOTATIONS[kind])
    return value if value and value[:VALUE_LENGTH] != snapshot.status.handled_requests.get(kind) else None


def parse_rollback(value: str, recipes: Recipes) -> RollbackRequest | None:
    """Reads `square8-2p/network@<time>`; None when it is something else."""
    match = _ROLLBACK_VALUE.fullmatch(value)
    if match is None or len(value) > VALUE_LENGTH or match["track"] not in recipes.tracks:
        return None
    return RollbackRequest(value, match["configuration"], Track(match["track"]))


def refused_rollback(snapshot: Snapshot, configurations: frozenset[str]) -> Event | None:
    """Why an open request can never be carried out; None when it can, or when there is none."""
    value = open_request(snapshot, ROLLBACK)
    if value is None:
        return None
    request = parse_rollback(value, snapshot.recipes)
    if request is None:
        said = f"{ANNOTATIONS[ROLLBACK]}={value[:80]!r} is no request: write <configuration>/<track>@<time>"
        return Event(
            EventReason.REQUEST_REFUSED, f"{said}, such as square8-2p/network@2026-01-31T12:00:00Z", is_warning=True
        )
    if request.configuration not in configurations:
        said = f"{ANNOTATIONS[ROLLBACK]}={value[:80]!r}: the pipeline has no configuration {request.configuration}"
        return Event(EventReason.REQUEST_REFUSED, said, is_warning=True)
    return None


def answer_reconcile(situation: Situation) -> Situation:
    """`reconcile-requested-at`, or a changed spec: back-offs end now, what blocks is tried afresh."""
    snapshot = situation.snapshot
    is_changed = snapshot.status.observed_generation not in (None, snapshot.generation)
    value = open_request(snapshot, RECONCILE)
    if (value is None and not is_changed) or any(kind == RECONCILE for kind, _ in situation.handled_requests):
        return situation
    situation = replace(situation, handled_requests=(*situation.handled_requests, (RECONCILE, value or "")))
    situation = begin_selfplay_anew(situation)
    configuration = situation.configuration
    return situation.become(configuration.with_tasks(tuple(map(_retried, configuration.tasks))))


def _retried(task: TaskStatus) -> TaskStatus:
    if task.phase == StagePhase.FAILED and task.name in (ADOPT, MERGE):
        return task.revived()
    if task.phase == StagePhase.PENDING and task.attempt > 1:
        return task.released()
    return task


def answer_take_over(situation: Situation) -> Situation:
    """`take-over-requested-at`: what is to move something next takes the store's claim over."""
    value = open_request(situation.snapshot, TAKE_OVER)
    if value is None or (TAKE_OVER, value) in situation.handled_requests:
        return situation
    asked = [task for task in situation.configuration.tasks if not task.has_ended and _claims(situation, task)]
    if not asked and not situation.configuration.adopted:
        return situation  # its adopt has not been asked for yet
    for task in asked:
        situation = situation.with_task(task.taking_over())
    return replace(situation, handled_requests=(*situation.handled_requests, (TAKE_OVER, value)))


def _claims(situation: Situation, task: TaskStatus) -> bool:
    return issubclass(situation.recipes.steps[task.name].handling.facts.parameters, ClaimParameters)


def answer_rollback(situation: Situation) -> Situation:
    """`rollback-requested`: asks for the rollback of a champion, and answers once it has ended."""
    value = open_request(situation.snapshot, ROLLBACK)
    request = parse_rollback(value, situation.recipes) if value else None
    if request is None or request.configuration != situation.configuration.name:
        return situation
    if not situation.configuration.adopted or (ROLLBACK, request.value) in situation.handled_requests:
        return situation
    step = steps.requested_rollback(request.track)
    phase = step_phase(situation.configuration, step)
    task = single_task(situation.configuration, step) if phase is not None else None
    if task is None or task.request != request.value:
        return _ask(situation, request, task)
    match task.phase:
        case StagePhase.SUCCEEDED:
            return _handled(situation, request)
        case StagePhase.FAILED | StagePhase.SKIPPED:
            refused = situation.say(EventReason.REQUEST_REFUSED, f"{request.value}: {task.message}", is_warning=True)
            return _handled(refused, request)
        case StagePhase.PENDING | StagePhase.RUNNING:
            return situation
        case ended:
            assert_never(ended)


def _ask(situation: Situation, request: RollbackRequest, previous: TaskStatus | None) -> Situation:
    configuration = situation.configuration
    if not configuration.track(request.track).predecessor:
        said = f"{request.value}: {request.track} has no earlier champion to go back to"
        return _handled(situation.say(EventReason.REQUEST_REFUSED, said, is_warning=True), request)
    is_busy = step_phase(configuration, steps.rollback(request.track)) in (
        StagePhase.PENDING,
        StagePhase.RUNNING,
    ) or (previous is not None and previous.phase in (StagePhase.PENDING, StagePhase.RUNNING))
    if is_busy:
        return situation
    promotion = steps.promote(request.track)
    if (
        step_phase(configuration, promotion) == StagePhase.PENDING
        and single_task(configuration, promotion).attempt == 1
    ):
        # It has not begun; and whoever wants the champion away does not want it back by going back from the next one.
        situation = superseded(situation, request.track, "a rollback was asked for")
    attempt = 1 if previous is None else previous.attempt + 1
    return situation.ask(steps.requested_rollback(request.track), attempt=attempt, request=request.value)


def _handled(situation: Situation, request: RollbackRequest) -> Situation:
    return replace(situation, handled_requests=(*situation.handled_requests, (ROLLBACK, request.value)))
