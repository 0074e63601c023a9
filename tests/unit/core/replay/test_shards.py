from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.contract import Shards
from ringrift_core.replay.shards import shard_games, shard_of_task, shard_task


@given(st.integers(1, 500), st.data())
def test_shards_hold_every_game_once_whatever_their_number(games: int, data: st.DataObject) -> None:
    total = data.draw(st.integers(1, games))
    shards = [shard_games(shard, total, games) for shard in range(total)]
    assert [game for shard in shards for game in shard] == list(range(games))
    assert {len(shard) for shard in shards} <= {games // total, -(-games // total)}


@given(st.integers(0, 100_000))
def test_a_task_names_its_shard(shard: int) -> None:
    assert shard_of_task(shard_task(shard)) == shard


@given(st.integers(0, 999), st.integers(0, 999), st.integers(1, 999))
def test_shards_are_written_and_read(first: int, more: int, total: int) -> None:
    shards = Shards(first, first + more, total)
    assert Shards.parse(str(shards)) == shards
