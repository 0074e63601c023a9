"""The distribution's mean over the generations: whom candidates meet, and whether it still becomes better."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringrift_core.arena.scale import share
from ringrift_core.arena.sprt import Conclusion, SequentialTest

__all__ = [
    "LOOK_EVERY",
    "MOST_GROUPS",
    "OPPONENTS_STAND",
    "STEP_BACK",
    "is_due",
    "is_no_better",
    "opponents",
    "shared_out",
]

OPPONENTS_STAND = 20
"""Generations for which candidates meet the same opponents. Then the mean of that generation is one of them: shares of
games tell nothing any more where nearly all are won."""

STEP_BACK = 50
"""Generations between the mean and the one that it has to be better than: in ten it gains less than a test finds."""

BETTER = 0.03
"""Of H1: by how much the mean's rate is above that of the one before."""

MOST_GROUPS = 4000
"""Of the test of a mean; undecided after so many, it counts as better."""

LOOK_EVERY = 50
"""Groups between two looks at the test."""


def opponents(generation: int) -> tuple[int, ...]:
    """Whose means the candidates of a generation meet, all of them the same; counted from 0, where the search began.

    The last one alone would not do: weights that beat it need not beat the ones before, and such a search goes round in
    circles. So there are the start and means a quarter and half of the way as well.
    """
    ages = {generation // part // OPPONENTS_STAND * OPPONENTS_STAND for part in (1, 2, 4)}
    return tuple(sorted({0} | ages))


def shared_out(groups: int, generation: int) -> dict[int, int]:
    """How many of a generation's groups of games each opponent has; those left over go round with the generations."""
    met = opponents(generation)
    first = generation % len(met)
    turned = met[first:] + met[:first]
    whole, rest = divmod(groups, len(met))
    return {opponent: whole + (place < rest) for place, opponent in enumerate(turned) if whole or place < rest}


def is_due(generation: int) -> bool:
    """Whether the mean is tested after so many generations."""
    return generation >= 2 * STEP_BACK and generation % STEP_BACK == 0


def is_no_better(players: int, play: Callable[[int, int], Sequence[float]]) -> bool | None:
    """Whether a sequential test finds that the mean does no better than the one STEP_BACK generations before.

    Both meet the same opponents, on the same openings: a mean that beats the one before may have lost what that one
    could do against others. H0 is a difference of 0 between their two-player-equivalent rates, H1 one of BETTER.
    `play(first, groups)` plays groups of openings, and says by how much the mean's share of each was larger; of fewer
    when it was stopped: then the answer is None.
    """
    larger = share(0.50 + BETTER, players) - share(0.50, players)
    test = SequentialTest(players, _scaled(0), _scaled(larger), alpha=0.05, beta=0.05)
    scores: list[float] = []
    while len(scores) < MOST_GROUPS:
        new = play(len(scores), LOOK_EVERY)
        scores += [_scaled(difference) for difference in new]
        conclusion = test.conclude(scores)
        if conclusion is not Conclusion.UNDECIDED:
            return conclusion is Conclusion.H0
        if len(new) < LOOK_EVERY:
            return None
    return False


def _scaled(difference: float) -> float:
    """Of two shares, to between 0 and 1."""
    return (1 + difference) / 2
