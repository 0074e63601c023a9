"""How each track's part of an iteration ends: Promoted, Rejected, Failed or Skipped (design.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ringrift_core.contract import Decision, Track, Verdict
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    LastEvaluation,
    PointerMove,
    StagePhase,
    Strength,
    TaskStatus,
    TrackDecision,
    WinRate,
)
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import (
    iteration_under_way,
    single_task,
    step_phase,
    with_task,
)
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.stalls import blocking_task
from ringrift_operator.domain.steps import STEPS

OPPONENTS = ("random", "heuristic")
"""Baselines that `evaluate` also plays, for the report."""


def settle_tracks(situation: Situation) -> Situation:
    """Sends accepted candidates on to their promotion, and notes how every finished track ended."""
    frozen = situation.configuration.frozen
    for track in frozen.tracks if frozen is not None else ():
        if track in steps.TRACKS_WITH_STAGES and track.value not in situation.configuration.decisions:
            situation = _settle(situation, track)
    return situation


def _settle(situation: Situation, track: Track) -> Situation:
    configuration = situation.configuration
    evaluation = single_task(configuration, steps.evaluate(track))
    if evaluation.phase in (StagePhase.FAILED, StagePhase.SKIPPED):
        return _decided(situation, track, TrackDecision.FAILED).say(
            EventReason.TRACK_FAILED,
            f"{track} ends iteration {iteration_under_way(configuration)}: {evaluation.message}",
            is_warning=True,
        )
    if evaluation.phase != StagePhase.SUCCEEDED or evaluation.verdict is None:
        return situation
    if evaluation.verdict.decision != Decision.PROMOTE:
        return _rejected(situation, track, evaluation.verdict)
    promotion = steps.promote(track)
    match step_phase(configuration, promotion.name):
        case None:
            return situation.become(with_task(configuration, TaskStatus(name=promotion.name)))
        case StagePhase.SUCCEEDED:
            return _promoted(situation, track, evaluation, single_task(configuration, promotion))
        case StagePhase.FAILED | StagePhase.SKIPPED:
            said = f"{track} was accepted but not promoted: {single_task(configuration, promotion).message}"
            return _decided(situation, track, TrackDecision.FAILED).say(EventReason.TRACK_FAILED, said, is_warning=True)
        case _:
            return situation


def _rejected(situation: Situation, track: Track, verdict: Verdict) -> Situation:
    failures = situation.configuration.consecutive_failures
    counted = {**failures, track.value: failures.get(track.value, 0) + 1}
    situation = _judged(situation, track, verdict, TrackDecision.REJECTED)
    situation = situation.become(situation.configuration.model_copy(update={"consecutive_failures": counted}))
    return situation.say(EventReason.REJECTED, f"{track} candidate rejected: {figures(verdict)}; {verdict.reason}")


def _promoted(situation: Situation, track: Track, evaluation: TaskStatus, promotion: TaskStatus) -> Situation:
    verdict = evaluation.verdict
    if verdict is None:
        raise ValueError(f"{evaluation.name} was accepted without a verdict")
    situation = _judged(situation, track, verdict, TrackDecision.PROMOTED)
    before = situation.configuration.champions.get(track.value)
    configuration = with_pointer(situation.configuration, track, promotion)
    version = configuration.champions.get(track.value, "")
    strength = Strength(version=version, against=baseline_rates(evaluation.metrics))
    configuration = configuration.model_copy(
        update={
            "consecutive_failures": {**configuration.consecutive_failures, track.value: 0},
            "strength": {**configuration.strength, track.value: strength},
        }
    )
    move = PointerMove(
        configuration=configuration.name,
        track=track,
        iteration=iteration_under_way(configuration),
        version=version,
        win_rate=verdict.win_rate,
        reason=verdict.reason[:512],
        time=situation.now,
    )
    if before != version:  # else the registry had moved before the status was lost, and adopt has counted it
        situation = replace(situation, promotions=(*situation.promotions, move))
    situation = situation.become(configuration)
    return situation.say(EventReason.PROMOTED, f"{track} version {version} is champion: {figures(verdict)}")


def _judged(situation: Situation, track: Track, verdict: Verdict, decision: TrackDecision) -> Situation:
    newest = LastEvaluation(
        track=track,
        games=verdict.games,
        win_rate=verdict.win_rate,
        low=verdict.low,
        high=verdict.high,
        decision=decision,
        reason=verdict.reason[:512],
    )
    judged = _decided(situation, track, decision)
    return judged.become(judged.configuration.model_copy(update={"last_evaluation": newest}))


def _decided(situation: Situation, track: Track, decision: TrackDecision) -> Situation:
    configuration = situation.configuration
    decisions = {**configuration.decisions, track.value: decision}
    return situation.become(configuration.model_copy(update={"decisions": decisions}))


def with_pointer(configuration: ConfigurationStatus, track: Track, move: TaskStatus) -> ConfigurationStatus:
    """The configuration after a promotion or rollback: champion and predecessor as the registry answered."""
    return configuration.model_copy(
        update={
            "champions": _with_version(configuration.champions, track, move.metrics.get("version", 0)),
            "predecessors": _with_version(configuration.predecessors, track, move.metrics.get("predecessor", 0)),
        }
    )


def _with_version(versions: dict[str, str], track: Track, number: float) -> dict[str, str]:
    others = {name: version for name, version in versions.items() if name != track.value}
    return {**others, track.value: str(int(number))} if number else others


def baseline_rates(metrics: Mapping[str, float]) -> dict[str, WinRate]:
    """A candidate's rates against random and the hand-set heuristic, as its gate reported them; those played only."""
    return {
        opponent: WinRate(
            games=int(metrics[f"{opponent}_games"]),
            win_rate=metrics[f"{opponent}_win_rate"],
            low=metrics[f"{opponent}_low"],
            high=metrics[f"{opponent}_high"],
        )
        for opponent in OPPONENTS
        if metrics.get(f"{opponent}_games")
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
        failed = _failed_need(configuration, task)
        if failed is not None:
            message = (
                failed.message if failed.phase == StagePhase.SKIPPED else f"{failed.name} failed: {failed.message}"
            )
            changes = {"phase": StagePhase.SKIPPED, "message": message[:512], "finished_at": situation.now}
            configuration = with_task(configuration, task.model_copy(update=changes))
    return situation.become(configuration)


def _failed_need(configuration: ConfigurationStatus, task: TaskStatus) -> TaskStatus | None:
    """The task that keeps a pending one from ever starting; None when there is none, or while it is unfinished."""
    if task.phase != StagePhase.PENDING:
        return None
    for need in STEPS[task.name].needs:
        if step_phase(configuration, need) in (StagePhase.FAILED, StagePhase.SKIPPED):
            parts = (t for t in configuration.tasks if t.name == need)
            return next(part for part in parts if part.phase != StagePhase.SUCCEEDED)
    return None
