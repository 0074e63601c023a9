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
            return situation.ask(promotion)
        case StagePhase.SUCCEEDED:
            return _promoted(situation, track, evaluation, single_task(configuration, promotion))
        case StagePhase.FAILED | StagePhase.SKIPPED:
            said = f"{track} was accepted but not promoted: {single_task(configuration, promotion).message}"
            return _failed(situation, track, said)
        case StagePhase.PENDING | StagePhase.RUNNING:
            return situation
        case phase:
            assert_never(phase)


def _rejected(situation: Situation, track: Track, verdict: Verdict) -> Situation:
    rejected = situation.configuration.track(track).rejected()
    situation = _judged(situation, rejected, verdict, TrackDecision.REJECTED)
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
            said = failed.message if failed.phase == StagePhase.SKIPPED else f"{failed.name} failed: {failed.message}"
            situation = situation.with_task(task.skipped(said, situation.now))
    return situation


def _failed_need(configuration: ConfigurationStatus, step: Step, task: TaskStatus) -> TaskStatus | None:
    """The task that keeps a pending one from ever starting; None when there is none, or while it is unfinished."""
    if task.phase != StagePhase.PENDING:
        return None
    for need in step.needs:
        if step_phase(configuration, need) in (StagePhase.FAILED, StagePhase.SKIPPED):
            parts = (t for t in configuration.tasks if t.name == need)
            return next(part for part in parts if part.phase != StagePhase.SUCCEEDED)
    return None
