"""What is said of games while they are played."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringrift_core._engine import GameRecord

__all__ = ["Tally"]


class Tally:
    """Counts of the games played by this process."""

    def __init__(self, players: int) -> None:
        self.games = 0
        self._turns = 0
        self._wins = [0] * players
        self._began = time.monotonic()

    def add(self, records: Iterable[GameRecord]) -> None:
        """Counts finished games."""
        for record in records:
            self.games += 1
            self._turns += record.turns
            if record.winner is not None:
                self._wins[record.winner - 1] += 1

    @property
    def seconds(self) -> float:
        """Since the first game was begun."""
        return max(1e-9, time.monotonic() - self._began)

    @property
    def rate(self) -> float:
        """Games per second."""
        return self.games / self.seconds

    def __str__(self) -> str:
        """`17.7 turns, seats win 52 47 %, 1 % cut`."""
        if not self.games:
            return "no game is finished yet"
        seats = " ".join(f"{100 * wins / self.games:.0f}" for wins in self._wins)
        cut = 1 - sum(self._wins) / self.games
        return f"{self._turns / self.games:.1f} turns, seats win {seats} %" + (f", {cut:.0%} cut" if cut else "")
