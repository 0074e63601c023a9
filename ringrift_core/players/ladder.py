"""The ladder of difficulties 1 to 10 (docs/players.md): names for players, each a step above the one below.

Budgets are counts, never times: a rung plays the same moves on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import Specification

__all__ = ["HEURISTIC_NOISE", "LADDER", "MINIMAX_NOISE", "Rung", "rung"]

HEURISTIC_NOISE = 0.05
"""Rung 2: uniform noise on evaluations, so that it does not always play the same game."""
MINIMAX_NOISE = 0.02
"""Rungs 3 to 5, for the same reason; good moves are further apart."""

_SMALL_BOARDS = frozenset({Board.SQUARE8, Board.HEX8})


@dataclass(frozen=True)
class Rung:
    """One difficulty, for any number of seats."""

    difficulty: int
    name: str
    small: Specification
    """On square8 and hex8."""
    large: Specification
    """On square19 and hexagonal."""
    noise: float = 0.0

    def specification(self, board: Board) -> Specification:
        """Who plays it on a board."""
        return self.small if board in _SMALL_BOARDS else self.large


def _rung(difficulty: int, name: str, small: str, large: str | None = None, noise: float = 0.0) -> Rung:
    return Rung(difficulty, name, Specification.parse(small), Specification.parse(large or small), noise)


LADDER = (
    _rung(1, "random", "random"),
    _rung(2, "heuristic", "weights:one-ply", noise=HEURISTIC_NOISE),
    _rung(3, "minimax-2", "weights:minimax-2:12000", "weights:minimax-2:2000", MINIMAX_NOISE),
    _rung(4, "minimax-3", "weights:minimax-3:12000", "weights:minimax-3:3000", MINIMAX_NOISE),
    _rung(5, "minimax", "weights:minimax:25000", "weights:minimax:6000", MINIMAX_NOISE),
    _rung(6, "descent", "weights:descent:1000000", "weights:descent:100000"),
    _rung(7, "mcts-64", "network:puct:64"),
    _rung(8, "gumbel-16", "network:gumbel:16"),
    _rung(9, "gumbel-64", "network:gumbel:64"),
    _rung(10, "gumbel-256", "network:gumbel:256"),
)
"""Difficulty d is LADDER[d - 1]. Rungs 4 and 5 evaluate with the heuristic until there is an NNUE. On large boards
nodes tell more than plies; with the heuristic descent takes 20 to 40 times alpha-beta's nodes to be a step above it."""


def rung(difficulty: int) -> Rung:
    """The rung of a difficulty; WrongInputError when there is none."""
    if not 1 <= difficulty <= len(LADDER):
        raise WrongInputError(f"difficulty {difficulty}: choose one from 1 to {len(LADDER)}")
    return LADDER[difficulty - 1]
