"""Games that the move limit cut: nobody won them, so some are worth a warning, and many are no evidence."""

from __future__ import annotations

from ringrift_core.contract.base import Result
from ringrift_core.contract.judging import CmaesResult, EvaluateResult
from ringrift_core.contract.rating import RoundrobinResult
from ringrift_core.contract.selfplay import SelfplayResult

MOST_CUT_GAMES = 0.05
"""A larger share of cut games is a warning."""

MOST_CUT_EVIDENCE = 0.5
"""A match, or a generation of CMA-ES, with a larger share of cut games is no evidence of anything."""


def cut_share(result: Result | None) -> float:
    """Share of a stage's games that were cut; 0 where it plays none."""
    match result:
        case SelfplayResult() | CmaesResult() | EvaluateResult() | RoundrobinResult():
            return result.cut_share
        case _:
            return 0.0


def cut_warning(share: float) -> str:
    """What is to be said of games of which this share was cut; empty while it is small."""
    if share <= MOST_CUT_GAMES:
        return ""
    return f"{percent(share)} of the games were cut by the move limit, more than {MOST_CUT_GAMES:.0%}"


def percent(share: float) -> str:
    """`97%`, and `5.4%` where a whole number would say that the limit is kept."""
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
