"""When a champion gives way to its predecessor by itself (design.md section 4).

At most once per track and iteration, and only once the track is settled: an accepted candidate goes before it.
"""

from __future__ import annotations

from dataclasses import replace

from ringrift_core.contract import Decision, Track
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    PointerMove,
    StagePhase,
    TaskStatus,
    TrackDecision,
)
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import (
    ENDED,
    is_in_iteration,
    iteration_under_way,
    single_task,
    step_phase,
    with_task,
)
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.steps import Step
from ringrift_operator.domain.tracks import figures, with_pointer


def roll_back(situation: Situation) -> Situation:
    """Asks for the rollbacks that are due, and takes over the pointers that finished ones moved."""
    for track in steps.TRACKS_WITH_STAGES:
        situation = take_over(situation, track, steps.rollback(track))
        if is_in_iteration(situation.configuration):
            situation = _decide(situation, track)
    return situation


def take_over(situation: Situation, track: Track, step: Step) -> Situation:
    """Champion and predecessor as a finished rollback's result tells them, once."""
    configuration = situation.configuration
    if step_phase(configuration, step.name) != StagePhase.SUCCEEDED:
        return situation
    task = single_task(configuration, step)
    if task.applied:
        return situation
    before = configuration.champions.get(track.value, "0")
    configuration = with_pointer(configuration, track, task)
    configuration = with_task(configuration, task.model_copy(update={"applied": True}))
    after = configuration.champions.get(track.value, "0")
    failures = {**configuration.consecutive_failures, track.value: 0}
    strength = {name: value for name, value in configuration.strength.items() if name != track.value}
    situation = situation.become(
        configuration.model_copy(update={"consecutive_failures": failures, "strength": strength})
    )
    move = PointerMove(
        configuration=configuration.name,
        track=track,
        iteration=iteration_under_way(configuration),
        version=after,
        reason=task.request[:512],
        time=situation.now,
    )
    situation = replace(situation, rollbacks=(*situation.rollbacks, move))
    return situation.say(
        EventReason.ROLLED_BACK, f"{track} went back from {before} to {after}: {task.request}", is_warning=True
    )


def _decide(situation: Situation, track: Track) -> Situation:
    configuration = situation.configuration
    decision = configuration.decisions.get(track.value)
    champion = configuration.champions.get(track.value)
    # An accepted candidate goes first, and a version 0 has nothing behind it.
    if decision in (None, TrackDecision.PROMOTED) or champion is None:
        return situation
    if step_phase(configuration, steps.rollback(track).name) is not None or _is_undecided(configuration, track):
        return situation
    regressed = _regression(configuration, track)
    if regressed is not None and track.value in configuration.predecessors:
        return _ask(situation, track, regressed)
    return _after_failures(situation, track, champion)


def _is_undecided(configuration: ConfigurationStatus, track: Track) -> bool:
    """Whether the champion is still under test, or on its way back because somebody asked."""
    waits_for = (steps.regression(track), steps.requested_rollback(track))
    return any(step_phase(configuration, step.name) not in (None, *ENDED) for step in waits_for)


def _regression(configuration: ConfigurationStatus, track: Track) -> str | None:
    """Why the champion that this iteration began with has regressed; None when it has not, or is champion no more."""
    test = steps.regression(track)
    if step_phase(configuration, test.name) != StagePhase.SUCCEEDED:
        return None
    verdict = single_task(configuration, test).verdict
    is_still_champion = configuration.champions.get(track.value) == configuration.start_champions.get(track.value)
    if verdict is None or verdict.decision != Decision.REGRESSED or not is_still_champion:
        return None
    return f"regressed, {figures(verdict)} against its predecessor"


def _after_failures(situation: Situation, track: Track, champion: str) -> Situation:
    """Too many rejected candidates in a row count against the champion, once per version."""
    configuration = situation.configuration
    failures = configuration.consecutive_failures.get(track.value, 0)
    limit = situation.snapshot.spec.rollback.max_consecutive_failures
    if configuration.frozen is not None:
        limit = configuration.frozen.rollback.max_consecutive_failures
    if failures < limit or configuration.warned_champions.get(track.value) == champion:
        return situation
    warned = {**configuration.warned_champions, track.value: champion}
    situation = situation.become(configuration.model_copy(update={"warned_champions": warned}))
    cause = f"{failures} candidates rejected in a row"
    if track.value in configuration.predecessors:
        return _ask(situation, track, cause)
    said = f"{track} version {champion} stays, there is no earlier champion to go back to: {cause}"
    return situation.say(EventReason.NO_PREDECESSOR, said, is_warning=True)


def _ask(situation: Situation, track: Track, cause: str) -> Situation:
    task = TaskStatus(name=steps.rollback(track).name, request=cause[:256])
    return situation.become(with_task(situation.configuration, task))
