"""The distribution's mean over the generations: whom candidates meet, and whether it still becomes better."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringrift_core.arena.scale import share
from ringrift_core.arena.sprt import Conclusion, SequentialTest

__all__ = ["MOST_GROUPS", "OPPONENT_STANDS", "STEP_BACK", "is_due", "is_no_better", "opponent_generation"]

OPPONENT_STANDS = 20
"""Generations for which candidates meet the same opponent. Then the mean of that generation takes its place: shares of
games tell nothing any more where nearly all are won."""

STEP_BACK = 10
"""Generations between the mean and the one that it has to be better than (docs/training.md, Recipe)."""

MOST_GROUPS = 1000
"""Of the test of a mean; undecided after so many, the search goes on."""


def opponent_generation(generation: int) -> int:
    """Whose mean the candidates of a generation meet, counted from 0; 0 is where the search began."""
    return generation // OPPONENT_STANDS * OPPONENT_STANDS


def is_due(generation: int) -> bool:
    """Whether the mean is tested after so many generations."""
    return generation >= 2 * STEP_BACK and generation % STEP_BACK == 0


def is_no_better(players: int, play: Callable[[int, int], Sequence[float]]) -> bool | None:
    """Whether a sequential test finds the mean no better than the one STEP_BACK generations before.

    H0 is a rate of 0.50, H1 of 0.55. `play(first, groups)` plays groups of the match, fewer when it was stopped: then
    the answer is None.
    """
    test = SequentialTest(players, share(0.50, players), share(0.55, players), alpha=0.05, beta=0.20)
    scores: list[float] = []
    while len(scores) < MOST_GROUPS:
        wanted = min(50, MOST_GROUPS - len(scores))
        new = play(len(scores), wanted)
        scores += new
        _, conclusion = test.first_conclusion(scores)
        if conclusion is not Conclusion.UNDECIDED:
            return conclusion is Conclusion.H0
        if len(new) < wanted:
            return None
    return False
