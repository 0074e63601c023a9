from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.selfplay.shards import shard_games, shard_of_task, shard_task


@given(st.integers(1, 500), st.integers(1, 60))
def test_shards_hold_every_game_once(games: int, per_shard: int) -> None:
    shards = range(-(-games // per_shard))
    assert [game for shard in shards for game in shard_games(shard, games, per_shard)] == list(range(games))


@given(st.integers(0, 100_000))
def test_a_task_names_its_shard(shard: int) -> None:
    assert shard_of_task(shard_task(shard)) == shard
