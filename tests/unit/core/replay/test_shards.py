from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.contract import SelfplayParameters, Shards
from ringrift_core.replay.shards import games_of_shard, shard_of_task, shard_task


@given(st.integers(1, 500), st.integers(0, 1000), st.data())
def test_shards_hold_every_game_once_whatever_their_number(games: int, first_game: int, data: st.DataObject) -> None:
    total = data.draw(st.integers(1, games))
    parameters = SelfplayParameters(
        store="file:///s",
        board="square8",
        players=2,
        iteration=1,
        seed=1,
        games=games,
        first_game=first_game,
        shard=f"0-{total - 1}/{total}",
    )
    shards = [games_of_shard(parameters, shard) for shard in parameters.chosen_shards]
    assert [game for shard in shards for game in shard] == list(range(first_game, first_game + games))
    assert {len(shard) for shard in shards} <= {games // total, -(-games // total)}


@given(st.lists(st.integers(1, 300), min_size=2, max_size=4))
def test_rounds_share_neither_games_nor_shards(rounds: list[int]) -> None:
    seen: set[int] = set()
    first_game = 0
    for games in rounds:
        parameters = SelfplayParameters(
            store="file:///s",
            board="square8",
            players=2,
            iteration=1,
            seed=1,
            games=games,
            first_game=first_game,
            shard=f"0-{games - 1}/{games}",
        )
        assert seen.isdisjoint(parameters.chosen_shards)
        seen |= set(parameters.chosen_shards)
        first_game += games


@given(st.integers(0, 100_000))
def test_a_task_names_its_shard(shard: int) -> None:
    assert shard_of_task(shard_task(shard)) == shard


@given(st.integers(0, 999), st.integers(0, 999), st.integers(1, 999))
def test_shards_are_written_and_read(first: int, more: int, total: int) -> None:
    shards = Shards(first, first + more, total)
    assert Shards.parse(str(shards)) == shards
