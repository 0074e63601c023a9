"""How each track's part of an iteration ends: Promoted, Rejected, Failed or Skipped (design.md section 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, assert_never

from ringrift_core.contract import Decision, EvaluateResult, PointerResult, Track, Verdict
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    LastEvaluation,
    PointerMove,
    StagePhase,
    TaskStatus,
    TrackDecision,
    TrackStatus,
    WinRate,
)
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import (
    iteration_under_way,
    single_task,
    step_phase,
)
from ringrift_operator.domain.evidence import refusal, refusal_of_track
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.recipe import Step
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.stalls import blocking_task


def settle_tracks(situation: Situation) -> Situation:
    """Sends accepted candidates on to their promotion, and notes how every finished track ended."""
    frozen = situation.configuration.frozen
    for track in frozen.tracks if frozen is not None else ():
        if track in situation.recipes.tracks and situation.configuration.track(track).decision is None:
            situation = _settle(situation, track)
    return situation


def _settle(situation: Situation, track: Track) -> Situation:
    configuration = situation.configuration
    evaluation = single_task(configuration, steps.evaluate(track))
    if refused := refusal_of_track(configuration, situation.recipes.tracks[track]):
        # Skipped by its need, in the same pass, or a gate without a verdict.
        return _skipped(situation, track, f"no verdict, {refused}") if evaluation.has_ended else situation
    if evaluation.phase in (StagePhase.FAILED, StagePhase.SKIPPED):
        said = f"{track} ends iteration {iteration_under_way(configuration)}: {evaluation.message}"
        return _failed(situation, track, said)
    if evaluation.phase != StagePhase.SUCCEEDED or evaluation.verdict is None:
        return situation
    if evaluation.verdict.decision != Decision.PROMOTE:
        return _rejected(situation, track, evaluation.verdict)
    promotion = steps.promote(track)
    match step_phase(configuration, promotion):
        case None:
            return _accepted(situation, track)
        case StagePhase.SUCCEEDED:
            return _promoted(situation, track, evaluation, single_task(configuration, promotion))
        case StagePhase.SKIPPED:
            return _skipped(situation, track, single_task(configuration, promotion).message)
        case StagePhase.FAILED:
            said = f"{track} was accepted but not promoted: {single_task(configuration, promotion).message}"
            return _failed(situation, track, said)
        case StagePhase.PENDING if regressed(configuration, track) is not None:
            # It comes after the test, so no try of it has begun.
            return superseded(situation, track, "its champion, whom the candidate met, has regressed")
        case StagePhase.PENDING | StagePhase.RUNNING:
            return situation
        case phase:
            assert_never(phase)


def _accepted(situation: Situation, track: Track) -> Situation:
    """Asks for the promotion, unless the candidate was judged against somebody who is champion no more."""
    if is_going_back(situation.configuration, track):
        return situation
    status = situation.configuration.track(track)
    situation = situation.ask(steps.promote(track))
    # A version is named by the iteration that made it: one of this iteration is this candidate, of a lost status.
    if status.champion_version in (status.start_version, iteration_under_way(situation.configuration)):
        return situation
    before, now = status.start_champion or "none", status.champion or "none"
    return superseded(situation, track, f"the champion is {now}, and the candidate was judged when it was {before}")


def superseded(situation: Situation, track: Track, why: str) -> Situation:
    """The promotion that was asked for, and has not begun, is left out."""
    promotion = single_task(situation.configuration, steps.promote(track))
    return situation.with_task(promotion.skipped(f"superseded: {why}", situation.now))


def is_going_back(configuration: ConfigurationStatus, track: Track) -> bool:
    """Whether a rollback that somebody asked for is under way."""
    return _is_under_way(configuration, steps.requested_rollback(track))


def is_under_test(configuration: ConfigurationStatus, track: Track) -> bool:
    """Whether the champion's regression test has not ended yet."""
    return _is_under_way(configuration, steps.regression(track))


def _is_under_way(configuration: ConfigurationStatus, step: str) -> bool:
    return any(not task.has_ended for task in configuration.tasks if task.name == step)


def regressed(configuration: ConfigurationStatus, track: Track) -> str | None:
    """Why the champion that this iteration began with is to go; None when it has not regressed, or is champion no more,
    or nobody was before it."""
    test, status = steps.regression(track), configuration.track(track)
    if step_phase(configuration, test) != StagePhase.SUCCEEDED or not status.predecessor:
        return None
    verdict = single_task(configuration, test).verdict
    if verdict is None or verdict.decision != Decision.REGRESSED or not status.keeps_its_champion:
        return None
    return f"regressed, {figures(verdict)} against its predecessor"


def _skipped(situation: Situation, track: Track, why: str) -> Situation:
    """Nothing was decided: it counts neither for nor against anybody."""
    situation = situation.with_track(situation.configuration.track(track).decided(TrackDecision.SKIPPED))
    iteration = iteration_under_way(situation.configuration)
    return situation.say(EventReason.TRACK_SKIPPED, f"{track} ends iteration {iteration}: {why}", is_warning=True)


def _rejected(situation: Situation, track: Track, verdict: Verdict) -> Situation:
    before = situation.configuration.track(track)
    # Of somebody who is champion no more it says nothing about who is.
    after = before.rejected() if before.keeps_its_champion else before.decided(TrackDecision.REJECTED)
    situation = _judged(situation, after, verdict, TrackDecision.REJECTED)
    return situation.say(EventReason.REJECTED, f"{track} candidate rejected: {figures(verdict)}; {verdict.reason}")


def _promoted(situation: Situation, track: Track, evaluation: TaskStatus, promotion: TaskStatus) -> Situation:
    verdict = evaluation.verdict
    if verdict is None:
        raise ValueError(f"{evaluation.name} was accepted without a verdict")
    before = situation.configuration.track(track)
    against = baseline_rates(evaluation.found(EvaluateResult))
    promoted = before.promoted(**pointers(promotion), against=against)
    situation = _judged(situation, promoted, verdict, TrackDecision.PROMOTED)
    move = PointerMove(
        configuration=situation.configuration.name,
        track=track,
        iteration=iteration_under_way(situation.configuration),
        version=promoted.champion,
        win_rate=verdict.win_rate,
        reason=verdict.reason[:512],
        time=situation.now,
    )
    # A registry that had moved before the status was lost has been counted by adopt.
    if before.champion != promoted.champion:
        situation = replace(situation, promotions=(*situation.promotions, move))
    return situation.say(EventReason.PROMOTED, f"{track} version {promoted.champion} is champion: {figures(verdict)}")


def _judged(situation: Situation, track: TrackStatus, verdict: Verdict, decision: TrackDecision) -> Situation:
    newest = LastEvaluation(
        track=track.name,
        games=verdict.games,
        win_rate=verdict.win_rate,
        low=verdict.low,
        high=verdict.high,
        decision=decision,
        reason=verdict.reason[:512],
    )
    return situation.become(situation.configuration.with_track(track).judged(newest))


def _failed(situation: Situation, track: Track, message: str) -> Situation:
    failed = situation.configuration.track(track).decided(TrackDecision.FAILED)
    situation = situation.with_track(failed)
    return situation.say(EventReason.TRACK_FAILED, message, is_warning=True)


class Pointers(TypedDict):
    """Versions as the registry answered; 0 is none."""

    champion: int
    predecessor: int


def pointers(move: TaskStatus) -> Pointers:
    """Champion and predecessor after a promotion or rollback."""
    moved = move.answer(PointerResult)
    return Pointers(champion=moved.version, predecessor=moved.predecessor)


def baseline_rates(evaluation: EvaluateResult | None) -> dict[str, WinRate]:
    """A candidate's rates against the baselines by opponent, as its gate reported them."""
    return {
        rate.opponent: WinRate(games=rate.games, win_rate=rate.win_rate, low=rate.low, high=rate.high)
        for rate in (evaluation.baselines if evaluation is not None else ())
    }


def figures(verdict: Verdict) -> str:
    """`0.612 (0.550 to 0.670) over 74 games`."""
    return f"{verdict.win_rate:.3f} ({verdict.low:.3f} to {verdict.high:.3f}) over {verdict.games} games"


def skip_unreachable(situation: Situation) -> Situation:
    """A task whose needs can no longer succeed is Skipped, and carries the message of the one that failed."""
    configuration = situation.configuration
    if blocking_task(configuration) is not None:
        return situation
    for task in configuration.tasks:
        failed = _failed_need(situation.configuration, situation.recipes.steps[task.name], task)
        if failed is not None:
            situation = situation.with_task(task.skipped(_why_unreachable(failed), situation.now))
    return situation


def _why_unreachable(need: TaskStatus) -> str:
    """What keeps a task from its need, in words."""
    match need.phase:
        case StagePhase.SKIPPED:
            return need.message
        case StagePhase.SUCCEEDED:
            return f"{need.name} has left nothing: {refusal(need)}"
        case _:
            return f"{need.name} failed: {need.message}"


def _failed_need(configuration: ConfigurationStatus, step: Step, task: TaskStatus) -> TaskStatus | None:
    """The task that keeps a pending one from ever starting; None when there is none, or while it is unfinished."""
    if task.phase != StagePhase.PENDING:
        return None
    for need in (*step.needs, *step.one_of):
        parts = [each for each in configuration.tasks if each.name == need]
        if step_phase(configuration, need) in (StagePhase.FAILED, StagePhase.SKIPPED):
            return next(part for part in parts if part.phase != StagePhase.SUCCEEDED)
        if refused := next((part for part in parts if refusal(part)), None):
            return refused
    return None
