"""When a champion gives way to its predecessor by itself (design.md section 4).

At most once per track and iteration, and only once the track is settled. A candidate that was accepted against a
champion that has regressed is not promoted: it beat somebody who is worse than the predecessor, who comes back.
"""

from __future__ import annotations

from dataclasses import replace

from ringrift_core.contract import EvaluateResult, PointerResult, Track
from ringrift_operator.api.pipeline_status import (
    PointerMove,
    StagePhase,
    TrackDecision,
    TrackStatus,
)
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import (
    is_in_iteration,
    iteration_under_way,
    single_task,
    step_phase,
)
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.tracks import is_going_back, is_under_test, pointers, regressed


def take_over_pointers(situation: Situation) -> Situation:
    """Champions as finished rollbacks left them, whether or not anybody still asks for these, or as others did."""
    for track in situation.recipes.tracks:
        for step in (steps.rollback(track), steps.requested_rollback(track)):
            situation = _take_over(situation, track, step)
        for step in (steps.promote(track), steps.rollback(track), steps.requested_rollback(track)):
            situation = _take_over_of_others(situation, track, step)
        situation = _take_over_of_a_test(situation, track)
    return situation


def _take_over_of_others(situation: Situation, track: Track, step: str) -> Situation:
    """What a move that was superseded found in the registry."""
    if step_phase(situation.configuration, step) != StagePhase.SKIPPED:
        return situation
    task = single_task(situation.configuration, step)
    if task.applied or task.found(PointerResult) is None:
        return situation
    moved = situation.configuration.track(track).moved_by_others(**pointers(task))
    return situation.with_task(task.taken_over()).with_track(moved)


def _take_over_of_a_test(situation: Situation, track: Track) -> Situation:
    """Who is champion, where the regression test found another than it was asked for.

    It has moved nothing itself: what a move has told, or will tell, is newer.
    """
    status, step = situation.configuration.track(track), steps.regression(track)
    if not status.keeps_its_champion or is_going_back(situation.configuration, track):
        return situation
    if step_phase(situation.configuration, step) != StagePhase.SUCCEEDED:
        return situation
    task = single_task(situation.configuration, step)
    found = task.found(EvaluateResult)
    if task.applied or found is None or not found.champion:
        return situation
    moved = status.moved_by_others(found.champion, found.predecessor)
    situation = situation.with_task(task.taken_over()).with_track(moved)
    said = f"{track}: the champion is {moved.champion}, which somebody else made it"
    return situation.say(EventReason.POINTER_MOVED, said, is_warning=True)


def roll_back(situation: Situation) -> Situation:
    """Asks for the rollbacks that are due."""
    for track in situation.recipes.tracks:
        if is_in_iteration(situation.configuration):
            situation = _decide(situation, track)
    return situation


def _take_over(situation: Situation, track: Track, step: str) -> Situation:
    """Champion and predecessor as a finished rollback's result tells them, once."""
    configuration = situation.configuration
    if step_phase(configuration, step) != StagePhase.SUCCEEDED:
        return situation
    task = single_task(configuration, step)
    if task.applied:
        return situation
    status = configuration.track(track)
    rolled_back = status.rolled_back(**pointers(task))
    before, after = status.champion or "0", rolled_back.champion or "0"
    situation = situation.with_task(task.taken_over()).with_track(rolled_back)
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
    status = configuration.track(track)
    # A version 0 has nothing behind it.
    if status.decision in (None, TrackDecision.PROMOTED) or not status.champion:
        return situation
    if step_phase(configuration, steps.rollback(track)) is not None:
        return situation
    if is_under_test(configuration, track) or is_going_back(configuration, track):
        return situation
    if (why := regressed(configuration, track)) is not None:
        return _ask(situation, track, why)
    return _after_failures(situation, status)


def _after_failures(situation: Situation, track: TrackStatus) -> Situation:
    """Too many rejected candidates in a row count against the champion, once per version."""
    configuration = situation.configuration
    limit = situation.snapshot.spec.rollback.max_consecutive_failures
    if configuration.frozen is not None:
        limit = configuration.frozen.rollback.max_consecutive_failures
    if track.consecutive_failures < limit or track.warned_champion == track.champion:
        return situation
    situation = situation.with_track(track.warned())
    cause = f"{track.consecutive_failures} candidates rejected in a row"
    if track.predecessor:
        return _ask(situation, track.name, cause)
    said = f"{track.name} version {track.champion} stays, there is no earlier champion to go back to: {cause}"
    return situation.say(EventReason.NO_PREDECESSOR, said, is_warning=True)


def _ask(situation: Situation, track: Track, cause: str) -> Situation:
    return situation.ask(steps.rollback(track), request=cause[:256])
