from __future__ import annotations

import pytest

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.players.ladder import LADDER, rung
from ringrift_core.players.specification import Count
from ringrift_core.seating import Seating


def test_difficulties_are_numbered_from_one_and_named_once() -> None:
    assert [one.difficulty for one in LADDER] == list(range(1, 11))
    assert len({one.name for one in LADDER}) == 10


@pytest.mark.parametrize("board", Board)
def test_no_rung_looks_at_less_than_the_one_below(board: Board) -> None:
    budgets = [rung(difficulty).specification(board).search.budget for difficulty in (3, 4, 5, 6)]
    nodes = [budget.amount for budget in budgets if isinstance(budget, Count)]
    assert len(nodes) == 4, "by time no rung would play the same on every machine"
    assert nodes == sorted(nodes)


@pytest.mark.parametrize("board", Board)
@pytest.mark.parametrize("difficulty", [1, 2, 3, 4, 5, 6])
def test_a_rung_plays_under_its_name(difficulty: int, board: Board) -> None:
    player = Seating.without_store(board, 2).rung(difficulty)
    assert player.name == LADDER[difficulty - 1].name
    (record,) = _engine.play_games(board.value, 2, [[player]], seed=1, games=1, max_turns=1)
    assert record.seats == (player.name, player.name)


@pytest.mark.parametrize("difficulty", [0, 11])
def test_a_difficulty_that_is_none_is_refused(difficulty: int) -> None:
    with pytest.raises(WrongInputError, match=f"difficulty {difficulty}: choose one from 1 to 10"):
        rung(difficulty)


@pytest.mark.parametrize("difficulty", [7, 8, 9, 10])
def test_a_rung_that_needs_a_network_says_so(difficulty: int) -> None:
    with pytest.raises(WrongInputError, match=r"network: no network-hex8-3p\.onnx .* difficulties 1 to 6 need no netw"):
        Seating.without_store(Board.HEX8, 3).rung(difficulty)
