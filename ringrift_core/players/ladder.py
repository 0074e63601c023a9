"""The ladder of difficulties 1 to 10 (docs/players.md): who plays at each, and how much it may look at.

Budgets are counts, never times: a rung plays the same moves on every machine.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringrift_core import _engine
from ringrift_core.contract import Board

__all__ = ["LADDER", "NODES", "Algorithm", "LadderError", "Rung", "rung_player"]


class LadderError(ValueError):
    """No player of that difficulty can be seated. The message is a sentence for the user."""


class Algorithm(enum.Enum):
    """How a rung decides."""

    RANDOM = "random"
    HEURISTIC = "heuristic"
    MINIMAX = "minimax"
    DESCENT = "descent"
    MCTS = "mcts"
    GUMBEL = "gumbel"


@dataclass(frozen=True)
class Rung:
    """One difficulty. What is None is not bounded by the rung; NODES holds all the same."""

    difficulty: int
    name: str
    algorithm: Algorithm
    depth: int | None = None
    """Plies of minimax."""
    simulations: int = 0
    """Of a tree search, a decision; 0 for the other algorithms."""

    @property
    def needs_network(self) -> bool:
        """Whether nothing but a network can evaluate for this rung."""
        return self.algorithm in (Algorithm.MCTS, Algorithm.GUMBEL)


LADDER = (
    Rung(1, "random", Algorithm.RANDOM),
    Rung(2, "heuristic", Algorithm.HEURISTIC),
    Rung(3, "minimax-2", Algorithm.MINIMAX, depth=2),
    Rung(4, "minimax-3", Algorithm.MINIMAX, depth=3),
    Rung(5, "minimax", Algorithm.MINIMAX),
    Rung(6, "descent", Algorithm.DESCENT),
    Rung(7, "mcts-64", Algorithm.MCTS, simulations=64),
    Rung(8, "gumbel-16", Algorithm.GUMBEL, simulations=16),
    Rung(9, "gumbel-64", Algorithm.GUMBEL, simulations=64),
    Rung(10, "gumbel-256", Algorithm.GUMBEL, simulations=256),
)
"""Difficulty d is LADDER[d - 1]. Rungs 4 and 5 evaluate with the heuristic until there is an NNUE."""


def _by_size(small: int, large: int) -> Mapping[Board, int]:
    return {Board.SQUARE8: small, Board.HEX8: small, Board.SQUARE19: large, Board.HEXAGONAL: large}


NODES: Mapping[int, Mapping[Board, int]] = {
    3: _by_size(12_000, 2_000),
    4: _by_size(12_000, 3_000),
    5: _by_size(25_000, 6_000),
    6: _by_size(1_000_000, 100_000),
}
"""Most nodes (decisions applied) of one decision, by difficulty. On large boards nodes tell more than plies; with the
heuristic descent takes some 20 to 40 times alpha-beta's nodes to be a step above it."""

HEURISTIC_NOISE = 0.05
"""Rung 2: uniform noise on evaluations, so that it does not always play the same game."""
MINIMAX_NOISE = 0.02
"""Rungs 3 to 5, for the same reason; good moves are further apart."""


def rung_player(
    difficulty: int,
    board: Board,
    weights: Sequence[float],
    network: _engine._Evaluator | None = None,
) -> _engine.Player:
    """The player of a difficulty, 1 to 10, on a board, for any number of seats.

    `weights`: of the heuristic, in the engine's order of features. LadderError when there is no such difficulty, or
    when it needs a network and there is none.
    """
    if not 1 <= difficulty <= len(LADDER):
        raise LadderError(f"difficulty {difficulty}: choose one from 1 to {len(LADDER)}")
    rung = LADDER[difficulty - 1]
    if rung.needs_network and network is None:
        raise LadderError(f"difficulty {difficulty} ({rung.name}): needs a network, and there is none; choose 1 to 6")
    match rung.algorithm:
        case Algorithm.RANDOM:
            return _engine.Player.random()
        case Algorithm.HEURISTIC:
            return _engine.Player.heuristic(weights, HEURISTIC_NOISE, name=rung.name)
        case Algorithm.MINIMAX:
            nodes = NODES[difficulty][board]
            return _engine.Player.minimax(weights, rung.depth, nodes, noise=MINIMAX_NOISE, name=rung.name)
        case Algorithm.DESCENT:
            return _engine.Player.descent(weights, NODES[difficulty][board], name=rung.name)
        case Algorithm.MCTS:
            return _engine.Player.mcts(weights, network, simulations=rung.simulations, variant="puct", name=rung.name)
        case Algorithm.GUMBEL:
            return _engine.Player.mcts(weights, network, simulations=rung.simulations, variant="gumbel", name=rung.name)
