"""How strong a candidate is against players that never change, for the report alone."""

from __future__ import annotations

from ringrift_core import _engine
from ringrift_core.arena.gate import FixedGate
from ringrift_core.arena.interval import measure
from ringrift_core.arena.match import Match, play_until_decided
from ringrift_core.contract import BASELINES, BaselineRate, EvaluateParameters, InitialWeights
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.stage import Run

__all__ = ["play_baselines"]

BASELINE_SEED = 1 << 40
"""Added to the seed for the games against random and the hand-set heuristic: other openings than the gate's."""


def play_baselines(parameters: EvaluateParameters, run: Run, candidate: _engine.Player) -> tuple[BaselineRate, ...]:
    """Rates against random play and the hand-set heuristic; none when `baseline_games` is 0."""
    if parameters.baseline_games == 0:
        return ()
    baseline = HeuristicWeights.of_setting(InitialWeights.BASELINE, parameters.board, parameters.players)
    opponents = (_engine.Player.random(), _engine.Player.heuristic(baseline.vector))
    gate = FixedGate(parameters.players, parameters.baseline_games, parameters.promotion_threshold)
    rates = []
    for name, opponent in zip(BASELINES, opponents, strict=True):
        match = Match.of(parameters, candidate, opponent, parameters.seed + BASELINE_SEED)
        groups, _ = play_until_decided(match, gate, run, f"against {name}")
        rate = measure([group.score for group in groups], parameters.players)
        rates.append(BaselineRate(opponent=name, games=rate.games, win_rate=rate.rate, low=rate.low, high=rate.high))
    return tuple(rates)
