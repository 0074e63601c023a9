"""What a search says about a position: each seat's chances, and the moves it would consider."""

from __future__ import annotations

from dataclasses import dataclass

from ringrift_core._engine import Move
from ringrift_core.game import Game
from ringrift_core.play.table import decided_game
from ringrift_core.seating import Seating

__all__ = ["Adviser", "Hint"]

ADVISING_DIFFICULTY = 5
"""Hundredths of a second a position, which is not felt while playing."""


@dataclass(frozen=True)
class Hint:
    move: Move
    chance: float
    """Of the agent to move, after this move and everybody's best replies."""


class Adviser:
    """Asks a player that searches."""

    def __init__(self, seating: Seating) -> None:
        self._player = seating.rung(ADVISING_DIFFICULTY)

    def chances(self, game: Game) -> tuple[float, ...]:
        """Win probability of the agent at each seat; they sum to 1."""
        settled = decided_game(game)
        if outcome := settled.outcome():
            return tuple(float(seat == outcome.winner) for seat in range(1, game.players + 1))
        values = settled.choose(self._player).values
        if values is None:
            raise TypeError(f"{self._player.name} does not search")
        return values

    def hints(self, game: Game, count: int = 3) -> list[Hint]:
        """The most promising moves, the best first."""
        candidates = game.choose(self._player).policy[:count]
        hints = [Hint(move, self._chance_after(game, move)) for move, _ in candidates]
        return sorted(hints, key=lambda hint: -hint.chance)

    def _chance_after(self, game: Game, move: Move) -> float:
        seat = game.mover
        after = game.copy()
        after.play(move)
        seat = 3 - seat if move.kind == "swap_sides" else seat  # the agents change places
        return self.chances(after)[seat - 1]
