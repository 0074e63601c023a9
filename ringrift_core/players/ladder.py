"""The ladder of difficulties 1 to 10 (docs/players.md): names for players, each a step above the one below.

Budgets are counts, never times: a rung plays the same moves on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import Algorithm, Specification

__all__ = ["HEURISTIC_NOISE", "LADDER", "MINIMAX_NOISE", "NOISE", "Rung", "rung"]

HEURISTIC_NOISE = 0.05
"""One ply: uniform noise on evaluations, so that it does not always play the same game."""
MINIMAX_NOISE = 0.02
"""For the same reason; good moves are further apart."""
NOISE: Mapping[Algorithm, float] = {Algorithm.ONE_PLY: HEURISTIC_NOISE, Algorithm.MINIMAX: MINIMAX_NOISE}
"""Of the players of rungs, by their search: players without any repeat each other's games."""

_Counts = tuple[int, int, int]
"""Simulations over a network, nodes over an NNUE, nodes by the weights."""
_SMALL_BOARDS = frozenset({Board.SQUARE8, Board.HEX8})


@dataclass(frozen=True)
class Rung:
    """One difficulty, for any number of seats: who plays it, the first of them whose judge there is."""

    difficulty: int
    name: str
    duel: tuple[Specification, ...]
    """On square8 and hex8 with two players."""
    small: tuple[Specification, ...]
    """There with more of them."""
    large: tuple[Specification, ...]
    """On square19 and hexagonal."""

    def choices(self, board: Board, players: int) -> tuple[Specification, ...]:
        """Who plays it: the first of them whose judge there is, and the last one's there always is."""
        if board not in _SMALL_BOARDS:
            return self.large
        return self.duel if players == 2 else self.small


def _rung(difficulty: int, name: str, small: str, large: str | None = None, duel: str | None = None) -> Rung:
    return Rung(difficulty, name, *(_choices(text) for text in (duel or small, small, large or small)))


def _choices(text: str) -> tuple[Specification, ...]:
    return tuple(map(Specification.parse, text.split()))


def _over_nnue(search: str) -> str:
    """The search over an NNUE, or else over the linear heuristic."""
    return f"nnue:{search} weights:{search}"


def _level(difficulty: int, duel: _Counts, small: _Counts, large: _Counts) -> Rung:
    """PUCT over a network, or else alpha-beta over an NNUE, or else alpha-beta by the weights."""

    def players(counts: _Counts) -> str:
        simulations, over_nnue, nodes = counts
        return f"network:puct:{simulations} nnue:minimax:{over_nnue} weights:minimax:{nodes}"

    return _rung(difficulty, f"level-{difficulty}", small=players(small), large=players(large), duel=players(duel))


_DESCENT = "weights:descent:400000"
LADDER = (
    _rung(1, "random", "random"),
    _rung(2, "heuristic", "weights:one-ply"),
    _rung(3, "minimax-2", "weights:minimax-2:12000", "weights:minimax-2:2000"),
    _rung(4, "minimax-3", _over_nnue("minimax-3:12000"), _over_nnue("minimax-3:3000")),
    _rung(5, "minimax", _over_nnue("minimax:25000"), _over_nnue("minimax:6000")),
    _rung(
        6,
        "descent",
        f"nnue:minimax:60000 {_DESCENT}",
        _over_nnue("minimax:30000"),
        duel=f"nnue:minimax:50000 {_DESCENT}",
    ),
    _level(7, duel=(600, 400_000, 400_000), small=(450, 150_000, 400_000), large=(128, 70_000, 50_000)),
    _level(8, duel=(1_300, 700_000, 600_000), small=(1_000, 400_000, 600_000), large=(250, 100_000, 70_000)),
    _level(9, duel=(2_800, 1_200_000, 800_000), small=(3_000, 900_000, 800_000), large=(450, 140_000, 100_000)),
    _level(
        10, duel=(7_000, 3_600_000, 1_600_000), small=(12_000, 2_400_000, 1_600_000), large=(1_000, 280_000, 280_000)
    ),
)
"""Difficulty d is LADDER[d - 1]. On large boards nodes tell more than plies, and descent by the weights took longer in
rung 6 than alpha-beta in rung 7; with the heuristic descent takes 16 to 40 times alpha-beta's nodes to be a step above
it; with an NNUE it is weaker than alpha-beta that takes a tenth of its time. Alpha-beta over an NNUE gains little by
more time than a tenth of a second, PUCT over a network twice as much."""


def rung(difficulty: int) -> Rung:
    """The rung of a difficulty; WrongInputError when there is none."""
    if not 1 <= difficulty <= len(LADDER):
        raise WrongInputError(f"difficulty {difficulty}: choose one from 1 to {len(LADDER)}")
    return LADDER[difficulty - 1]
