"""Intervals for a rate that was measured in groups of dependent games.

Wilson's score interval (E. B. Wilson, 1927) at an effective number of games: the games divided by their design effect
(L. Kish, "Survey Sampling", 1965), the variance of the mean group score over that of as many independent games.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ringrift_core.arena.scale import two_player_equivalent
from ringrift_core.arena.sprt import pseudo_counts, weighted

__all__ = ["ONE_SIDED_95", "ONE_SIDED_99", "TWO_SIDED_95", "Rate", "measure", "share_interval"]

TWO_SIDED_95 = 1.959964
ONE_SIDED_95 = 1.644854
ONE_SIDED_99 = 2.326348


@dataclass(frozen=True)
class Rate:
    """A measured strength, as two-player equivalent, with its 95 % interval and the raw share of games won."""

    games: int
    rate: float
    low: float
    high: float
    share: float


def measure(scores: Sequence[float], players: int) -> Rate:
    """The rate of seat-rotated groups of `players` games each; scores are shares of a group's games won."""
    if not scores:
        raise ValueError("no group was played")
    share = sum(scores) / len(scores)
    low, high = share_interval(scores, players, TWO_SIDED_95)
    return Rate(
        games=len(scores) * players,
        rate=two_player_equivalent(share, players),
        low=two_player_equivalent(low, players),
        high=two_player_equivalent(high, players),
        share=share,
    )


def share_interval(scores: Sequence[float], players: int, z: float) -> tuple[float, float]:
    """Wilson's interval of the share of games won, `z` standard deviations to each side."""
    share = sum(scores) / len(scores)
    games = len(scores) * players / _design_effect(scores, players)
    centre = (share + z * z / (2 * games)) / (1 + z * z / games)
    half = z / (1 + z * z / games) * math.sqrt(share * (1 - share) / games + z * z / (4 * games * games))
    return max(0.0, centre - half), min(1.0, centre + half)


def _design_effect(scores: Sequence[float], players: int) -> float:
    """Variance of a group's score relative to that of independent games, with the SPRT's pseudo-counts.

    The pseudo-counts' own effect is divided out, so that an unseen variance counts as that of independent games.
    """
    counts = weighted(scores, players)
    observed = _variance(counts) * players
    total = sum(counts.values())
    mean = sum(score * count for score, count in counts.items()) / total
    prior = (players + 1) / 2 / total
    unseen = players * _variance(dict(pseudo_counts(players)))
    expected = (1 - prior) * mean * (1 - mean) + prior * max(unseen, mean * (1 - mean))
    return max(observed / expected, 1 / players)


def _variance(counts: dict[float, float]) -> float:
    total = sum(counts.values())
    mean = sum(score * count for score, count in counts.items()) / total
    return sum(count * (score - mean) ** 2 for score, count in counts.items()) / total
