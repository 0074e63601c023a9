"""Merging while self-play goes on: whatever was merged when, and killed where, the games are those of one merge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.contract import MergeParameters, MergeResult, SelfplayParameters, SelfplayResult, StageResult
from ringrift_core.errors import WrongInputError
from ringrift_core.replay.games import RecordedGame, read_games
from ringrift_core.replay.identifiers import known_ids, prefix
from ringrift_core.replay.manifest import read_manifest
from ringrift_core.replay.merge import merge_stage
from ringrift_core.replay.shards import SHARD_OUTPUT, shard_task
from ringrift_core.stage import Outcome
from ringrift_core.store import LocalStore
from tests.unit.core.desk import Desk
from tests.unit.core.replay.test_games import play, sealed

GAMES = play(12)


class KilledError(Exception):
    """The process has gone."""


class MortalStore(LocalStore):
    """A store whose writer is killed before or after one of its writes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.moments_left: int | None = None

    def put(self, key: str, content: bytes) -> None:
        with self._moment():
            super().put(key, content)

    def upload(self, key: str, path: Path) -> None:
        with self._moment():
            super().upload(key, path)

    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        with self._moment():
            return super().swap(key, content, version)

    @contextmanager
    def _moment(self) -> Iterator[None]:
        self._pass()
        yield
        self._pass()

    def _pass(self) -> None:
        if self.moments_left is not None:
            self.moments_left -= 1
            if self.moments_left < 0:
                raise KilledError


def desk_in(folder: Path) -> tuple[Desk, MortalStore]:
    folder.mkdir(exist_ok=True)
    store = MortalStore(folder / "store")
    return Desk(store, folder / "scratch"), store


def finish_shard(desk: Desk, shard: int, shards: int, games: Sequence[int], iteration: int = 1) -> None:
    """Records a shard of these games, each of which says from which shard it is, to its last searched move."""
    place = desk.run.folder / f"made-{iteration}-{shard}.sqlite"
    copies = [
        replace(GAMES[game], number=number, seats=(f"shard {shard}", f"place {number}"), searches=searches(game, shard))
        for number, game in enumerate(games)
    ]
    made = desk.archive.put_file(sealed(place, copies), "sqlite")
    parameters = SelfplayParameters(
        **desk.here, iteration=iteration, seed=1, games=max(shards, 100), shard=f"{shard}/{shards}"
    )
    sums = SelfplayResult(games=len(games), cut_games=0, turns=0, moves=0, decisions=0, seat_wins=(0, 0))
    result = desk.run.result(parameters, Outcome(outputs={SHARD_OUTPUT: made}, result=sums))
    desk.archive.finish(iteration, shard_task(shard), parameters, result)


def searches(game: int, shard: int) -> bytes:
    """Of two copies of a game one may have been searched and the other not: which is kept shows in a dataset."""
    return GAMES[game].searches if shard % 2 else b""


def sync(desk: Desk) -> StageResult:
    return merge_stage(MergeParameters(**desk.here, iteration=1, while_playing=True), desk.run)


def merged_games(desk: Desk) -> list[RecordedGame]:
    manifest, _ = read_manifest(desk.archive)
    files = [desk.archive.get_file(segment.artifact, desk.run.folder) for segment in manifest.segments]
    return [replace(game, number=0) for file in files for game in read_games(file)]


def is_whole(desk: Desk) -> bool:
    """Whether counts, index and cursor fit the games that are there."""
    manifest, _ = read_manifest(desk.archive)
    ids = [prefix(game.id) for game in merged_games(desk)]
    index = [int(value) for part in known_ids(desk.archive, manifest.index) for value in part]
    assert sorted(index) == sorted(ids)
    assert len(set(ids)) == len(ids) == manifest.games == sum(segment.games for segment in manifest.segments)
    return all(cursor.complete for cursor in manifest.cursor.values())


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_games_and_dataset_are_those_of_one_merge_whenever_which_shard_was_merged(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shards = data.draw(st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=4), min_size=1, max_size=7))
    once, _ = desk_in(tmp_path_factory.mktemp("once"))
    for shard, games in enumerate(shards):
        finish_shard(once, shard, len(shards), games)
    told = once.merge()

    often, store = desk_in(tmp_path_factory.mktemp("often"))
    for shard in data.draw(st.permutations(range(len(shards)))):
        finish_shard(often, shard, len(shards), shards[shard])
        if not data.draw(st.booleans()):
            continue
        for moments in data.draw(st.lists(st.integers(0, 12), max_size=2)):
            store.moments_left = moments
            try:
                sync(often)
            except KilledError:
                pass
            finally:
                store.moments_left = None
            is_whole(often)
        sync(often)
        is_whole(often)
    assert often.merge().result == told.result
    assert is_whole(often)
    assert merged_games(often) == merged_games(once)
    assert often.export(exact_state=True, restarts=3).outputs == once_more(once, often)


def once_more(once: Desk, often: Desk) -> dict[str, object]:
    """What the export of the undisturbed store leaves, as addressed in the other."""
    outputs = once.export(exact_state=True, restarts=3).outputs
    return {name: often.archive.addressed(artifact) for name, artifact in outputs.items()}


def test_what_fills_a_gap_goes_before_what_was_merged_ahead_of_it(desk: Desk) -> None:
    finish_shard(desk, 2, 3, [4, 5])
    assert sync(desk).result == MergeResult(games=2, new_games=2, duplicates=0)
    finish_shard(desk, 0, 3, [0, 1])
    finish_shard(desk, 1, 3, [2, 4])
    assert desk.merge().result == MergeResult(games=5, new_games=5, duplicates=1)
    assert [game.id for game in merged_games(desk)] == [GAMES[index].id for index in (0, 1, 2, 4, 5)]
    assert [game.seats[0] for game in merged_games(desk)] == ["shard 0", "shard 0", "shard 1", "shard 1", "shard 2"]
    manifest, _ = read_manifest(desk.archive)
    assert [(segment.games, segment.duplicates, segment.ahead) for segment in manifest.segments] == [
        (4, 0, None),
        (1, 1, 2),
    ]


@pytest.mark.parametrize("early", [[0, 2], [1], [2, 3], [1, 3]])
def test_a_gap_between_shards_is_left_open(desk: Desk, early: list[int]) -> None:
    for shard in early:
        finish_shard(desk, shard, 4, [shard])
    sync(desk)
    for shard in {0, 1, 2, 3}.difference(early):
        finish_shard(desk, shard, 4, [shard])
    desk.merge()
    assert [game.id for game in merged_games(desk)] == [GAMES[index].id for index in range(4)]


def test_shards_that_finish_in_order_are_never_ahead(desk: Desk) -> None:
    for shard in range(3):
        finish_shard(desk, shard, 3, [2 * shard, 2 * shard + 1])
        sync(desk)
    found = desk.archive.store.read("square8-2p/games.json")
    assert found is not None
    assert b"ahead" not in found.content


def test_a_merge_while_self_play_goes_on_needs_no_shard_and_writes_nothing_then(desk: Desk) -> None:
    assert sync(desk).result == MergeResult(games=0, new_games=0, duplicates=0)
    assert desk.archive.store.read("square8-2p/games.json") is None
    with pytest.raises(WrongInputError, match="no games there"):
        desk.merge()
    finish_shard(desk, 0, 2, [0])
    sync(desk)
    before = read_manifest(desk.archive)
    assert sync(desk).result == MergeResult(games=1, new_games=1, duplicates=0)
    assert read_manifest(desk.archive) == before


def test_an_earlier_iterations_late_shard_goes_before_what_was_merged_ahead_in_this_one(desk: Desk) -> None:
    finish_shard(desk, 0, 2, [0], iteration=1)
    finish_shard(desk, 1, 2, [3], iteration=2)
    merge_stage(MergeParameters(**desk.here, iteration=2), desk.run)
    finish_shard(desk, 0, 2, [2], iteration=2)
    finish_shard(desk, 1, 2, [1], iteration=1)
    merge_stage(MergeParameters(**desk.here, iteration=2), desk.run)
    assert [game.id for game in merged_games(desk)] == [GAMES[index].id for index in (0, 1, 2, 3)]


def test_games_that_were_played_make_the_same_dataset_however_often_they_were_merged(tmp_path: Path) -> None:
    """Shards of two machines that play side by side, and a window that ends within them."""
    datasets = []
    for name, order in (("once", []), ("often", [3, 4, 0, 5, 1, 2])):
        desk, _ = desk_in(tmp_path / name)
        for shard in order:
            desk.selfplay(games=60, shard=f"{shard}/6", engine_modes="random-only,heuristic-only", random_moves=0)
            sync(desk)
        desk.selfplay(games=60, shard="0-5/6", engine_modes="random-only,heuristic-only", random_moves=0)
        merged = desk.merge().result
        desk.selfplay(2, seed=2, games=20)
        sync(desk)
        desk.merge(2)
        datasets.append((merged, desk.export(2, restarts=5, window=70).outputs["dataset"].sha256))
    assert datasets[0] == datasets[1]
