"""What the openings of a match do to the scores of its groups: three kinds of groups with one mean.

In a group each seat has the candidate once. In every game the strengths of those who sit there decide, as Luce has it:
a player of strength r wins r over the sum of all. Equal opponents have 1.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ringrift_core.arena.scale import share

SPREAD = 1.5
"""Standard deviation, in natural logarithms of strength, of what an opening gives to a seat, or to the candidate."""
CALIBRATION_GROUPS = 20_000


class Openings(enum.StrEnum):
    INDEPENDENT = "independent"
    """Nothing in common: every game is decided by the players alone."""
    LOPSIDED = "lopsided"
    """An opening gives each seat an advantage of its own, whoever sits there."""
    GROUPED = "grouped"
    """An opening suits the candidate or does not, in every seat: the games of a group agree."""


@dataclass(frozen=True)
class Groups:
    """Scores of groups of `players` games whose candidate wins `rate`, two-player equivalent, on the mean."""

    players: int
    openings: Openings
    rate: float

    def scores(self, seed: int, matches: int, groups: int) -> Iterator[list[float]]:
        """Of so many matches, so many groups each."""
        strength = self._strength()
        for match in range(matches):
            generator = np.random.default_rng((seed, match))
            chances = self._chances(generator, groups, strength)
            won = (generator.random(chances.shape) < chances).sum(axis=1)
            yield (won / self.players).tolist()

    def _strength(self) -> float:
        """The logarithm of the candidate's strength at which it wins the rate, by bisection over one large sample."""
        wanted = share(self.rate, self.players)
        low, high = -12.0, 12.0
        for _ in range(50):
            middle = (low + high) / 2
            sample = self._chances(np.random.default_rng(0), CALIBRATION_GROUPS, middle)
            low, high = (middle, high) if sample.mean() < wanted else (low, middle)
        return (low + high) / 2

    def _chances(self, generator: np.random.Generator, groups: int, strength: float) -> np.ndarray:
        """The candidate's chance in each game; shape (groups, players)."""
        seats = np.zeros((groups, self.players))
        own = np.full((groups, 1), strength)
        if self.openings is Openings.LOPSIDED:
            seats = generator.normal(0, SPREAD, (groups, self.players))
        elif self.openings is Openings.GROUPED:
            own = strength + generator.normal(0, SPREAD, (groups, 1))
        others = np.exp(seats)
        candidate = np.exp(seats + own)
        chances: np.ndarray = candidate / (candidate + others.sum(axis=1, keepdims=True) - others)
        return chances
