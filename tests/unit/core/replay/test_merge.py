from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.archive import Archive
from ringrift_core.contract import MergeResult
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.replay import merge
from ringrift_core.replay.games import read_games
from ringrift_core.replay.identifiers import contains, extend_index, known_ids
from ringrift_core.replay.manifest import IndexPart, read_manifest, swap_manifest
from ringrift_core.store import LocalStore, open_store
from tests.unit.core.desk import Desk


def merged_ids(desk: Desk) -> list[str]:
    manifest, _ = read_manifest(desk.archive)
    files = [desk.archive.get_file(segment.artifact, desk.run.folder) for segment in manifest.segments]
    return [game.id for file in files for game in read_games(file)]


def test_a_merge_takes_in_every_new_shard_and_no_shard_twice(desk: Desk) -> None:
    desk.selfplay(1, seed=1001, games=20)
    assert desk.merge(1).result == MergeResult(games=20, new_games=20, duplicates=0)
    desk.selfplay(2, seed=2001, games=30)
    assert desk.merge(2).result == MergeResult(games=50, new_games=30, duplicates=0)
    assert len(set(merged_ids(desk))) == 50


def test_a_repeat_reports_the_same(desk: Desk) -> None:
    desk.selfplay(games=20)
    first = desk.merge()
    before = read_manifest(desk.archive)
    again = desk.merge()
    assert (again.result, again.outputs) == (first.result, first.outputs)
    assert read_manifest(desk.archive) == before


def test_the_same_game_is_kept_once(desk: Desk) -> None:
    desk.selfplay(1, seed=7, games=20)
    desk.selfplay(2, seed=7, games=30)
    desk.merge(1)
    assert desk.merge(2).result == MergeResult(games=30, new_games=10, duplicates=20)
    assert len(set(merged_ids(desk))) == len(merged_ids(desk)) == 30


def test_a_shard_that_comes_late_is_merged_by_the_next_merge(desk: Desk) -> None:
    desk.selfplay(1, seed=1001, games=30, shard="0-1/3")
    assert desk.merge(1).answer(MergeResult).new_games == 20
    desk.selfplay(1, seed=1001, games=30, shard="2/3")
    assert desk.merge(1).result == MergeResult(games=30, new_games=30, duplicates=0)
    desk.selfplay(2, seed=2001, games=10)
    assert desk.merge(2).result == MergeResult(games=40, new_games=10, duplicates=0)


def test_a_further_round_of_an_iteration_is_merged_once_and_then_complete(desk: Desk) -> None:
    desk.selfplay(games=20)
    desk.merge()
    desk.selfplay(games=12, first_game=20, shard="0/2")
    assert desk.merge().result == MergeResult(games=26, new_games=26, duplicates=0)
    assert not read_manifest(desk.archive)[0].cursor[1].complete
    desk.selfplay(games=12, first_game=20, shard="1/2")
    assert desk.merge().result == MergeResult(games=32, new_games=32, duplicates=0)
    assert read_manifest(desk.archive)[0].cursor[1].complete
    assert desk.merge().result == MergeResult(games=32, new_games=32, duplicates=0)


def test_rounds_that_are_merged_together_are_complete(desk: Desk) -> None:
    desk.selfplay(games=20)
    desk.selfplay(games=3, first_game=20, shard="0/1")
    desk.merge()
    cursor = read_manifest(desk.archive)[0].cursor[1]
    assert (cursor.merged, cursor.complete) == ((0, 1, 20), True)


def test_a_round_that_takes_the_games_of_another_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk.selfplay(games=20)
    desk.selfplay(games=10, first_game=20, shard="0/1")
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    other.selfplay(games=30, first_game=15, shard="0/1")
    assert isinstance(desk.archive.store, LocalStore)
    shutil.copytree(tmp_path / "other", desk.archive.store.root, dirs_exist_ok=True)
    with pytest.raises(WrongInputError, match=r"selfplay-s.* divide the same games"):
        desk.merge()


def test_merging_after_every_shard_gives_the_same_games_as_merging_once(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    for shard in range(4):
        desk.selfplay(games=40, shard=f"{shard}/4")
        desk.merge()
    other.selfplay(games=40)
    other.merge()
    assert merged_ids(desk) == merged_ids(other)


@pytest.mark.parametrize(
    ("here", "late", "said"),
    [
        ({"games": 30, "shard": "0-2/3"}, {"games": 30, "shard": "3/4"}, "s0003 was played for shardCount 4, not 3"),
        ({"games": 10, "shard": "0/2"}, {"games": 40, "shard": "1/2"}, "s0001 was played for games 40, not 10"),
        ({"games": 10, "shard": "1/2"}, {"games": 10, "shard": "0/2", "seed": 9}, "s0000 was played for seed 9, not 1"),
    ],
)
@pytest.mark.parametrize("is_merged", [False, True])
def test_shards_that_divide_other_games_are_refused(
    desk: Desk, tmp_path: Path, here: dict[str, Any], late: dict[str, Any], said: str, is_merged: bool
) -> None:
    """Each was the first of its store, and then the stores were copied together."""
    desk.selfplay(**here)
    if is_merged:
        desk.merge()
    before = read_manifest(desk.archive)
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    other.selfplay(**late)
    assert isinstance(desk.archive.store, LocalStore)
    shutil.copytree(tmp_path / "other", desk.archive.store.root, dirs_exist_ok=True)
    with pytest.raises(WrongInputError, match=r"iteration 1 in .*: selfplay-s.* divide the same games") as refused:
        desk.merge()
    assert not is_merged or said in str(refused.value), "what is merged decides whose parameters are wrong"
    assert read_manifest(desk.archive) == before


def test_nothing_that_was_merged_is_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost follows the increment: old shards, segments and records stay unread."""
    for iteration in range(1, 6):
        desk.selfplay(iteration, seed=iteration, games=20)
        desk.merge(iteration)
    desk.selfplay(6, seed=6, games=20)
    read: list[str] = []
    store = desk.archive.store
    assert isinstance(store, LocalStore)
    path = store.path

    def spy(key: str) -> Path:
        read.append(key)
        return path(key)

    monkeypatch.setattr(store, "path", spy)
    desk.merge(6)
    objects = {key for key in read if "/objects/" in key and key.endswith(".sqlite")}
    assert len(objects) == 3  # two new shards, one new segment
    assert {key for key in read if "/tasks/" in key} == {
        f"square8-2p/tasks/i0006/selfplay-s000{shard}.json" for shard in (0, 1)
    }


def test_a_far_iteration_costs_no_more_than_the_last_one_played(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.selfplay(2, games=20)
    listed: list[str] = []
    store = desk.archive.store
    keys = store.keys

    def spy(prefix: str) -> Iterator[str]:
        listed.append(prefix)
        return keys(prefix)

    monkeypatch.setattr(store, "keys", spy)
    assert desk.merge(3_000_000).result == MergeResult(games=20, new_games=20, duplicates=0)
    assert listed == ["square8-2p/tasks/i0002/selfplay-"]


def test_iterations_are_merged_in_the_order_of_their_numbers(desk: Desk) -> None:
    for iteration in (10_000, 9_999, 1):
        desk.selfplay(iteration, seed=iteration, games=10)
    assert desk.archive.iterations() == [1, 9_999, 10_000]
    assert desk.merge(9_999).answer(MergeResult).games == 20
    assert desk.merge(10_000).answer(MergeResult).games == 30


def test_a_store_without_games_is_refused(desk: Desk) -> None:
    with pytest.raises(WrongInputError, match="square8-2p: no games there up to iteration 1: run ringrift selfplay"):
        desk.merge()
    desk.selfplay(2, games=10)
    with pytest.raises(WrongInputError, match="no games there up to iteration 1"):
        desk.merge(1)
    assert desk.merge(2).answer(MergeResult).games == 10


def test_who_loses_the_race_merges_into_the_winners_manifest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.selfplay(1, seed=1, games=10)
    raced: list[bool] = []

    def race(*arguments: object) -> bool:
        if not raced:
            raced.append(True)
            desk.selfplay(2, seed=2, games=10)
            desk.merge(2)
        return swap_manifest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(merge, "swap_manifest", race)
    assert desk.merge(1).answer(MergeResult).games == 20
    assert read_manifest(desk.archive)[0].games == 20
    assert len(set(merged_ids(desk))) == 20


def test_a_damaged_shard_is_refused_and_nothing_is_merged(desk: Desk) -> None:
    desk.selfplay(games=20)
    store = desk.archive.store
    assert isinstance(store, LocalStore)
    (victim, *_) = sorted(name for name in desk.objects() if name.endswith(".sqlite"))
    store.path(f"square8-2p/objects/{victim}").write_bytes(b"not SQLite")
    with pytest.raises(StoreRefusedError, match="damaged"):
        desk.merge()
    assert read_manifest(desk.archive)[0].games == 0


@given(batches=st.lists(st.sets(st.integers(0, 2**64 - 1), min_size=0, max_size=40), max_size=12))
def test_the_index_knows_every_id_in_few_parts(
    batches: list[set[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = Archive(LocalStore(tmp_path_factory.mktemp("index")), "square8-2p")
    parts: tuple[IndexPart, ...] = ()
    seen: set[int] = set()
    for batch in batches:
        parts = extend_index(archive, parts, known_ids(archive, parts), np.array(sorted(batch - seen), dtype=np.uint64))
        seen |= batch
    arrays = known_ids(archive, parts)
    assert sorted(int(value) for array in arrays for value in array) == sorted(seen)
    asked = np.array(sorted(seen | {value ^ 1 for value in seen}), dtype=np.uint64)
    assert {int(value) for value in asked[contains(arrays, asked)]} == seen
    assert all(older.games > 2 * newer.games for older, newer in itertools.pairwise(parts))
    assert all(bool(np.all(array[:-1] <= array[1:])) for array in arrays)


def test_a_damaged_manifest_is_refused_in_one_line(desk: Desk) -> None:
    desk.archive.store.put(desk.archive.key("games.json"), b'{"games":"many"}')
    with pytest.raises(StoreRefusedError, match=r"games\.json: not a games manifest: games: Input should be [^\n]+$"):
        desk.merge()
