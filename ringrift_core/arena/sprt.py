"""A generalised sequential probability ratio test on the scores of seat-rotated groups.

The games of one group share an opening, so they are not independent; the groups are. A group of n games scores the
share of them that the candidate won (a game without a winner counts 1/n). The scores' distribution is unknown, so the
likelihoods of "the mean is s0" and "the mean is s1" are each taken at the most likely distribution with that mean:

    LLR = N * sum_i p_i log(q1_i / q0_i),   q_s = argmax over distributions q with mean s of sum_i p_i log q_i,
    q_s,i = p_i / (1 + theta_s (a_i - s)),  theta_s the root of sum_i p_i (a_i - s) / (1 + theta_s (a_i - s)) = 0.

Sources: A. Wald, "Sequential Tests of Statistical Hypotheses" (1945), for the bounds; M. Van den Bergh, "A Practical
Introduction to the GSPRT", for the generalised ratio; A. Owen, "Empirical Likelihood" (2001), section 2.9, for theta.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["FEWEST_GROUPS", "Conclusion", "SequentialTest", "log_likelihood_ratio"]

FEWEST_GROUPS = 8
"""No decision before this many: with a variance from fewer an equal candidate is accepted far too often."""


class Conclusion(enum.Enum):
    UNDECIDED = "undecided"
    H0 = "H0"
    H1 = "H1"


@dataclass(frozen=True)
class SequentialTest:
    """Mean group score `s0` (H0) against `s1` (H1), both shares of games won, with their error rates.

    `alpha` bounds the chance to conclude H1 when H0 holds, `beta` that of H0 when H1 holds.
    """

    players: int
    s0: float
    s1: float
    alpha: float
    beta: float

    @property
    def lower(self) -> float:
        """Wald's bound at or below which H0 is concluded."""
        return math.log(self.beta / (1 - self.alpha))

    @property
    def upper(self) -> float:
        """Wald's bound at or above which H1 is concluded."""
        return math.log((1 - self.beta) / self.alpha)

    def ratio(self, scores: Sequence[float]) -> float:
        """The log-likelihood ratio of H1 over H0 after these group scores."""
        return log_likelihood_ratio(weighted(scores, self.players), len(scores), self.s0, self.s1)

    def conclude(self, scores: Sequence[float]) -> Conclusion:
        """What follows from the scores seen so far."""
        if len(scores) < FEWEST_GROUPS:
            return Conclusion.UNDECIDED
        ratio = self.ratio(scores)
        if ratio >= self.upper:
            return Conclusion.H1
        return Conclusion.H0 if ratio <= self.lower else Conclusion.UNDECIDED

    def first_conclusion(self, scores: Sequence[float]) -> tuple[int, Conclusion]:
        """The number of groups after which the test stops, and how; all of them and UNDECIDED when it goes on.

        Groups played ahead in parallel thus never change a decision.
        """
        for count in range(FEWEST_GROUPS, len(scores) + 1):
            conclusion = self.conclude(scores[:count])
            if conclusion is not Conclusion.UNDECIDED:
                return count, conclusion
        return len(scores), Conclusion.UNDECIDED


def weighted(scores: Sequence[float], players: int) -> dict[float, float]:
    """How often each group score was seen, with the pseudo-counts."""
    counts = dict(pseudo_counts(players))
    for score, count in Counter(round(score * players, 9) / players for score in scores).items():
        counts[score] = counts.get(score, 0.0) + count
    return counts


@lru_cache
def pseudo_counts(players: int) -> tuple[tuple[float, float], ...]:
    """Each of the n + 1 scores 0, 1/n, ..., 1 with what it counts unseen: none is impossible, however few were seen.

    Half a group for each score in all, as even as an equal player's mean of 1/n allows: of all distributions with that
    mean the one of most entropy, in which each score has a like share of the one below. With as much for every score
    four seats' mean would be 0.5, and the test would lean towards H1.
    """
    ratio = 1.0
    for _ in range(100):  # Newton's method; of two seats 1 is the root
        excess = sum((wins - 1) * ratio**wins for wins in range(players + 1))
        slope = sum(wins * (wins - 1) * ratio ** (wins - 1) for wins in range(players + 1))
        ratio -= excess / slope
    shares = [ratio**wins for wins in range(players + 1)]
    return tuple((wins / players, (players + 1) / 2 * share / sum(shares)) for wins, share in enumerate(shares))


def log_likelihood_ratio(counts: Mapping[float, float], groups: int, s0: float, s1: float) -> float:
    """The generalised log-likelihood ratio of mean `s1` over mean `s0` for `groups` scores counted as `counts`."""
    total = sum(counts.values())
    scores = list(counts)
    probabilities = [counts[score] / total for score in scores]
    theta0 = _tilt(scores, probabilities, s0)
    theta1 = _tilt(scores, probabilities, s1)
    return groups * sum(
        probability * (math.log1p(theta0 * (score - s0)) - math.log1p(theta1 * (score - s1)))
        for score, probability in zip(scores, probabilities, strict=True)
    )


def _tilt(scores: Sequence[float], probabilities: Sequence[float], mean: float) -> float:
    """The theta of the most likely distribution with this mean: a root found by bisection."""
    if not min(scores) < mean < max(scores):
        raise ValueError(f"mean {mean}: outside the scores {min(scores)} to {max(scores)}")
    low, high = -1 / (max(scores) - mean), 1 / (mean - min(scores))
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        # Decreasing in theta: each term's derivative is -p (a - s)^2 / (1 + theta (a - s))^2.
        slope = sum(p * (a - mean) / (1 + middle * (a - mean)) for a, p in zip(scores, probabilities, strict=True))
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2
