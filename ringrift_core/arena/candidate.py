"""A candidate against the champion, or the track's baseline where there is none yet, through the gate."""

from __future__ import annotations

from ringrift_core.arena.baselines import play_baselines
from ringrift_core.arena.gate import FixedGate, Gate, SprtGate
from ringrift_core.arena.match import Match, play_until_decided
from ringrift_core.arena.verdict import stored_verdict, verdict_of
from ringrift_core.contract import Decision, EvaluateParameters, GateKind
from ringrift_core.seating.champions import seat_artifact, seat_champion
from ringrift_core.stage import Outcome, Run

__all__ = ["judge_candidate"]


def judge_candidate(parameters: EvaluateParameters, run: Run) -> Outcome:
    """Plays until the gate has decided; the games against baselines are for the report alone."""
    assert parameters.candidate is not None
    candidate = seat_artifact(run.archive, parameters.track, parameters.candidate, run.folder)
    opponent, name = seat_champion(
        run.archive,
        parameters.track,
        parameters.champion_version,
        parameters.initial_weights,
        run.folder,
        (parameters.board, parameters.players),
    )
    gate = _gate(parameters)
    match = Match.of(parameters, candidate, opponent, parameters.seed)
    groups, judgement = play_until_decided(match, gate, run, f"against {name}")
    assert judgement is not None
    baselines = play_baselines(parameters, run, candidate)
    verdict = verdict_of(parameters, parameters.candidate.sha256, name, groups, judgement, Decision.REJECT)
    return stored_verdict(parameters, run, verdict, groups, gate, baselines)


def _gate(parameters: EvaluateParameters) -> Gate:
    if parameters.gate is GateKind.FIXED:
        return FixedGate(parameters.players, parameters.games, parameters.promotion_threshold)
    return SprtGate(parameters.players, parameters.max_games, parameters.promotion_threshold)
