from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.contract import Board
from ringrift_core.errors import StoreRefusedError
from ringrift_core.replay.games import RecordedGame, Rules, read_games
from ringrift_core.replay.identifiers import prefix
from ringrift_core.replay.segment import SegmentWriter
from tests.unit.core.replay.test_games import SQUARE8, play, sealed

GAMES = play(12)
MANY_GAMES = play(40)
"""They fill several pages."""


@settings(max_examples=40)
@given(
    known=st.sets(st.integers(0, 11)),
    shards=st.lists(st.lists(st.integers(0, 11), max_size=10), max_size=20),
)
def test_every_game_is_taken_once_the_first_time_it_comes(
    known: set[int], shards: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("segment")
    prefixes = np.array(sorted(prefix(GAMES[index].id) for index in known), dtype=np.uint64)
    wanted: list[str] = []
    path = folder / "segment.sqlite"
    with SegmentWriter(path, SQUARE8, [prefixes]) as writer:
        for number, shard in enumerate(shards):
            games = [replace(GAMES[index], number=place) for place, index in enumerate(shard)]
            writer.add(sealed(folder / f"{number}.sqlite", games))
            for index in shard:
                if index not in known and GAMES[index].id not in wanted:
                    wanted.append(GAMES[index].id)
        new = writer.finish()
    games = list(read_games(path))
    assert [game.id for game in games] == wanted
    assert [game.number for game in games] == list(range(1, len(wanted) + 1))
    assert new.tolist() == sorted(prefix(identifier) for identifier in wanted)
    assert (writer.games, writer.duplicates) == (len(wanted), sum(map(len, shards)) - len(wanted))


@settings(max_examples=20)
@given(cuts=st.sets(st.integers(1, 39)))
def test_the_same_games_are_the_same_bytes_however_many_shards_they_came_in(
    cuts: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bytes")

    def merged(name: str, cuts: set[int]) -> bytes:
        path = folder / f"{name}.sqlite"
        with SegmentWriter(path, SQUARE8, []) as writer:
            for start, end in itertools.pairwise([0, *sorted(cuts), 40]):
                writer.add(sealed(folder / f"{name}-{start}.sqlite", MANY_GAMES[start:end]))
            writer.finish()
        return path.read_bytes()

    assert merged("several", cuts) == merged("one", set())


def test_rows_are_copied_as_they_are(tmp_path: Path) -> None:
    shard = sealed(tmp_path / "shard.sqlite", GAMES)
    with SegmentWriter(tmp_path / "segment.sqlite", SQUARE8, []) as writer:
        writer.add(shard)
        writer.finish()
    copied = read_games(tmp_path / "segment.sqlite")
    assert [replace(game, number=game.number - 1) for game in copied] == GAMES


def test_a_merge_that_fails_leaves_no_file(tmp_path: Path) -> None:
    hex8 = Rules.usual(Board.HEX8, 2)
    other = sealed(tmp_path / "other.sqlite", play(2, hex8), hex8)
    shard = sealed(tmp_path / "shard.sqlite", GAMES)
    path = tmp_path / "segment.sqlite"

    def merge() -> None:
        with SegmentWriter(path, SQUARE8, []) as writer:
            writer.add(shard)
            writer.add(other)

    with pytest.raises(StoreRefusedError, match="games of hex8-2p"):
        merge()
    assert not path.exists()


def test_an_id_that_is_too_short_is_refused(tmp_path: Path) -> None:
    game: RecordedGame = replace(GAMES[0], id="abcd")
    shard = sealed(tmp_path / "shard.sqlite", [game])
    with (
        pytest.raises(StoreRefusedError, match="an id is too short"),
        SegmentWriter(tmp_path / "segment.sqlite", SQUARE8, []) as writer,
    ):
        writer.add(shard)
