"""A candidate against the champion, or the track's baseline where there is none yet, through the gate."""

from __future__ import annotations

from ringrift_core.arena.baselines import play_baselines
from ringrift_core.arena.gate import FixedGate, Gate, SprtGate
from ringrift_core.arena.match import Match, play_until_decided
from ringrift_core.arena.seats import GateSeats
from ringrift_core.arena.verdict import judged, stored_verdict
from ringrift_core.contract import EvaluateParameters, GateKind
from ringrift_core.stage import Outcome, Run

__all__ = ["judge_candidate"]


def judge_candidate(parameters: EvaluateParameters, run: Run) -> Outcome:
    """Plays until the gate has decided; the games against baselines are for the report alone."""
    assert parameters.candidate is not None
    seats = GateSeats(parameters, run)
    candidate = seats.player(parameters.candidate)
    opponent, name = seats.opponent()
    gate = _gate(parameters)
    match = Match.of(parameters, candidate, opponent, parameters.seed)
    groups, judgement = play_until_decided(match, gate, run, f"against {name}")
    assert judgement is not None
    baselines = play_baselines(parameters, run, candidate)
    verdict = judged(parameters, parameters.candidate.sha256, name, groups, judgement)
    return stored_verdict(parameters, run, verdict, groups, gate, baselines)


def _gate(parameters: EvaluateParameters) -> Gate:
    if parameters.gate is GateKind.FIXED:
        return FixedGate(parameters.players, parameters.games, parameters.promotion_threshold)
    return SprtGate(parameters.players, parameters.max_games, parameters.promotion_threshold)
