from __future__ import annotations

import pytest

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.players.ladder import LADDER, Rung, rung
from ringrift_core.players.specification import Count, Judge, JudgeKind
from ringrift_core.seating import Seating


def test_difficulties_are_numbered_from_one_and_named_once() -> None:
    assert [one.difficulty for one in LADDER] == list(range(1, 11))
    assert len({one.name for one in LADDER}) == 10


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("board", Board)
def test_no_rung_looks_at_less_than_the_one_below(board: Board, players: int) -> None:
    spans = [range(3, 7), range(7, 11), range(7, 11), range(7, 11)]
    counts = [counted(board, players, span, choice) for span, choice in zip(spans, (-1, -1, 0, 1), strict=True)]
    assert [len(each) for each in counts] == [4] * 4, "by time no rung would play the same on every machine"
    for each in counts:
        assert each == sorted(each)


def counted(board: Board, players: int, difficulties: range, choice: int) -> list[int]:
    """What the rungs' players look at, by one of their choices of a judge."""
    budgets = [rung(difficulty).choices(board, players)[choice].search.budget for difficulty in difficulties]
    return [budget.amount for budget in budgets if isinstance(budget, Count)]


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("board", Board)
@pytest.mark.parametrize("one", LADDER, ids=str)
def test_every_rung_ends_with_a_player_that_is_always_there(one: Rung, board: Board, players: int) -> None:
    last = one.choices(board, players)[-1].judge
    assert last is None or last == Judge(JudgeKind.WEIGHTS)


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
