from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.contract import Board
from ringrift_core.replay.restarts import Restarts


@given(st.integers(0, 200), st.floats(0, 1), st.integers(1, 9))
def test_restarts_are_spread_evenly_and_dealt_in_turn(games: int, share: float, prefixes: int) -> None:
    moves = [bytes([number + 1]) for number in range(prefixes)]
    dealt = Restarts(board=Board.SQUARE8, players=2, prefixes=tuple(one.hex() for one in moves)).dealt(games, share)
    assert len(dealt) == games
    for game in range(games + 1):
        assert sum(map(bool, dealt[:game])) == pytest.approx(game * share, abs=1)
    begun = [one for one in dealt if one]
    assert begun == [moves[number % prefixes] for number in range(len(begun))]


def test_without_positions_no_game_goes_on_from_one() -> None:
    assert Restarts(board=Board.SQUARE8, players=2, prefixes=()).dealt(4, 0.5) == [b""] * 4
