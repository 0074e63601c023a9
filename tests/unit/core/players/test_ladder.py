from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.players.ladder import LADDER, NODES, Algorithm, LadderError, rung_player

BASELINE = _engine.heuristic_weights("baseline")


def test_difficulties_are_numbered_from_one_and_named_once() -> None:
    assert [rung.difficulty for rung in LADDER] == list(range(1, 11))
    assert len({rung.name for rung in LADDER}) == 10


def test_every_board_has_its_budgets() -> None:
    assert all(set(budgets) == set(Board) for budgets in NODES.values())
    bounded = (Algorithm.MINIMAX, Algorithm.DESCENT)
    assert set(NODES) == {rung.difficulty for rung in LADDER if rung.algorithm in bounded}


@pytest.mark.parametrize("board", Board)
def test_no_rung_looks_at_less_than_the_one_below(board: Board) -> None:
    assert [NODES[rung][board] for rung in sorted(NODES)] == sorted(budgets[board] for budgets in NODES.values())


@pytest.mark.parametrize("board", Board)
@pytest.mark.parametrize("difficulty", [1, 2, 3, 4, 5, 6])
def test_a_rung_plays_under_its_name(difficulty: int, board: Board) -> None:
    player = rung_player(difficulty, board, BASELINE)
    assert player.name == LADDER[difficulty - 1].name
    (record,) = _engine.play_games(board.value, 2, [[player]], seed=1, games=1, max_turns=1)
    assert record.seats == (player.name, player.name)


@pytest.mark.parametrize("difficulty", [7, 8, 9, 10])
def test_the_highest_rungs_play_with_a_network(difficulty: int) -> None:
    def even(planes: NDArray[np.float32], _: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full((len(planes), 3), 1 / 3, np.float32)

    player = rung_player(difficulty, Board.HEX8, BASELINE, even)
    (record,) = _engine.play_games("hex8", 3, [[player]], seed=1, games=1, max_turns=1)
    assert record.seats == (LADDER[difficulty - 1].name,) * 3
    assert record.decisions > 0


@pytest.mark.parametrize("difficulty", [0, 11])
def test_a_difficulty_that_is_none_is_refused(difficulty: int) -> None:
    with pytest.raises(LadderError, match=f"difficulty {difficulty}: choose one from 1 to 10"):
        rung_player(difficulty, Board.HEX8, BASELINE)


@pytest.mark.parametrize("difficulty", [7, 8, 9, 10])
def test_a_rung_that_needs_a_network_says_so(difficulty: int) -> None:
    with pytest.raises(LadderError, match=r"needs a network, and there is none; choose 1 to 6"):
        rung_player(difficulty, Board.HEX8, BASELINE)
