"""How strong a candidate is against players that never change, for the report alone."""

from __future__ import annotations

from dataclasses import dataclass

from ringrift_core._engine import Player
from ringrift_core.arena.gate import FixedGate
from ringrift_core.arena.interval import measure
from ringrift_core.arena.match import Match, play_until_decided, refusal, unwon_share
from ringrift_core.contract import BASELINES, BaselineRate, EvaluateParameters, cut_warning
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Seating
from ringrift_core.stage import Run

__all__ = ["NO_BASELINES", "PLAYERS", "Baselines", "play_baselines"]

BASELINE_SEED = 1 << 40
"""Added to the seed for the games against random and the hand-set heuristic: other openings than the gate's."""

PLAYERS = {"random": Specification.parse("random"), "heuristic": Specification.parse("weights@0:one-ply")}
"""By the names of the contract."""


@dataclass(frozen=True)
class Baselines:
    """What the matches against baselines came to."""

    rates: tuple[BaselineRate, ...] = ()
    unmeasured: tuple[str, ...] = ()
    """Baselines whose match is no evidence."""


NO_BASELINES = Baselines()


def play_baselines(parameters: EvaluateParameters, run: Run, candidate: Player) -> Baselines:
    """Rates against random play and the hand-set heuristic; none when `baseline_games` is 0."""
    if parameters.baseline_games == 0:
        return NO_BASELINES
    hand_set = Seating.without_store(parameters.board, parameters.players)
    gate = FixedGate(parameters.players, parameters.baseline_games, parameters.promotion_threshold)
    rates, unmeasured = [], []
    for name in BASELINES:
        opponent = hand_set.player(PLAYERS[name])
        match = Match.of(parameters, candidate, opponent, parameters.seed + BASELINE_SEED)
        groups, _ = play_until_decided(match, gate, run, f"against {name}")
        cut, refused = unwon_share(groups), refusal(groups)
        if warning := refused or cut_warning(cut):
            run.report.warn(f"against {name}: {warning}")
        if refused:
            unmeasured.append(name)
            continue
        rate = measure([group.score for group in groups], parameters.players)
        rates.append(
            BaselineRate(
                opponent=name, games=rate.games, win_rate=rate.rate, low=rate.low, high=rate.high, cut_share=cut
            )
        )
    return Baselines(tuple(rates), tuple(unmeasured))
