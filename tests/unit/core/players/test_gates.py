from __future__ import annotations

import itertools

import pytest

from ringrift_core.contract import Board, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.players.gates import FIRST_OPPONENTS, GATE_PLAYERS, gate_player
from ringrift_core.players.specification import Time

EVERYWHERE = set(itertools.product(Board, (2, 3, 4)))


def test_every_track_that_is_gated_has_players_everywhere() -> None:
    assert GATE_PLAYERS.keys() == FIRST_OPPONENTS.keys()
    for table in (GATE_PLAYERS, FIRST_OPPONENTS):
        assert all(set(one) == EVERYWHERE for one in table.values())


def test_a_track_is_gated_by_its_own_judge_at_any_version() -> None:
    for track, table in GATE_PLAYERS.items():
        for specification in table.values():
            judge = specification.judge
            assert judge is not None
            assert (judge.kind.value, judge.version, judge.file) == (track.value, None, None)
            assert not isinstance(specification.search.budget, Time)


def test_a_track_without_players_is_refused() -> None:
    with pytest.raises(WrongInputError, match="track nnue: there is no player of it yet"):
        gate_player(Track.NNUE, Board.SQUARE8, 2)
