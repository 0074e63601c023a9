from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringrift_core import _engine
from ringrift_core.contract import Artifact, ExportResult
from ringrift_core.dataset import shards, stage
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.dataset.window import choose, window_size
from ringrift_core.errors import WrongInputError
from ringrift_core.replay.games import RecordedGame, read_games
from ringrift_core.replay.identifiers import prefix
from ringrift_core.replay.manifest import Segment, read_manifest, swap_manifest
from ringrift_core.replay.restarts import Restarts
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk


def segment(iteration: int, games: int) -> Segment:
    artifact = Artifact(uri=f"file:///x/{iteration}.sqlite", sha256="0" * 64, bytes=1)
    return Segment(iteration=iteration, games=games, duplicates=0, artifact=artifact)


def games_by_prefix(desk: Desk) -> dict[int, RecordedGame]:
    manifest, _ = read_manifest(desk.archive)
    files = [desk.archive.get_file(segment.artifact, desk.run.folder) for segment in manifest.segments]
    return {prefix(game.id): game for file in files for game in read_games(file)}


def load(desk: Desk, dataset: Artifact) -> tuple[DatasetManifest, dict[str, np.ndarray]]:
    manifest = DatasetManifest.load(desk.archive, dataset)
    shards = [np.load(desk.archive.get_file(shard.artifact, desk.run.folder)) for shard in manifest.shards]
    arrays = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0].files}
    for shard in shards:
        shard.close()
    return manifest, arrays


@given(st.integers(0, 10**7))
def test_the_window_grows_but_slower_than_the_games(games: int) -> None:
    assert window_size(games) <= window_size(games + 1) <= games + 1
    assert games > 1000 or window_size(games) == games


@given(st.integers(1_000, 10**7), st.integers(2, 1000))
def test_the_window_is_a_power_law_with_the_exponent_of_the_recipe(games: int, times: int) -> None:
    grown = window_size(games * times) / window_size(games)
    assert grown == pytest.approx(times**0.65, rel=2e-3)


@given(st.lists(st.lists(st.integers(0, 4000), min_size=1, max_size=3), max_size=8))
def test_the_window_takes_the_newest_games_and_the_newest_iteration_whole(merges: list[list[int]]) -> None:
    segments = [segment(iteration, games) for iteration, sizes in enumerate(merges, 1) for games in sizes]
    parts = choose(segments)
    games = window_size(sum(map(sum, merges)))
    assert sum(part.games for part in parts) == max(games, sum(merges[-1]) if merges else 0)
    whole = [part for part in parts[:-1] if part.games != part.segment.games]
    assert whole == []
    newest = [part.segment.iteration for part in parts]
    assert newest == sorted(newest, reverse=True)


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=8), st.integers(1, 40_000))
def test_a_window_of_a_given_size_takes_the_newest_games(sizes: list[int], newest: int) -> None:
    parts = choose([segment(iteration, games) for iteration, games in enumerate(sizes, 1)], newest)
    assert sum(part.games for part in parts) == min(newest, sum(sizes))


def offered(game: RecordedGame, per_game: int = 32) -> int:
    return min(per_game, game.decisions)


def test_rows_are_the_engines_rows_of_recorded_positions(desk: Desk) -> None:
    desk.selfplay(games=20)
    desk.merge()
    result = desk.export(seed=7, symmetries=2, exact_state=True)
    manifest, arrays = load(desk, result.outputs["dataset"])
    assert (*manifest.planes, manifest.globals) == _engine.encoding_shape("square8", 2)
    assert manifest.policy == _engine.policy_size("square8", 2)
    games = games_by_prefix(desk)
    order = [int(arrays["games"][index]) for index in sorted(np.unique(arrays["games"], return_index=True)[1])]
    assert order == [prefix(game.id) for game in reversed(games.values())], "newest first"
    chosen = []
    for wanted in order:
        game = games[wanted]
        decisions = np.unique(arrays["decisions"][arrays["games"] == wanted])
        assert len(decisions) == offered(game)
        chosen.append((game.id, game.moves, game.searches, [int(decision) for decision in decisions]))
    expected = _engine.encode_rows("square8", 2, chosen, seed=7, symmetries=2, exact_states=True)
    assert expected.keys() == arrays.keys()
    for name, column in expected.items():
        assert column.dtype == arrays[name].dtype
        np.testing.assert_array_equal(column, arrays[name])
    assert (manifest.rows, manifest.positions) == (len(arrays["games"]), len(arrays["games"]) // 2)
    assert result.answer(ExportResult).rows == manifest.rows
    size = sum(shard.artifact.bytes for shard in manifest.shards)
    assert result.answer(ExportResult).bytes_per_row == pytest.approx(size / manifest.rows)


@pytest.mark.parametrize("wanted", [1, 50, 333, 10**6])
def test_positions_are_spread_evenly_over_the_games(desk: Desk, wanted: int) -> None:
    desk.selfplay(games=20)
    desk.merge()
    games = games_by_prefix(desk)
    everything = sum(offered(game, 25) for game in games.values())
    manifest, arrays = load(desk, desk.export(positions=wanted, positions_per_game=25).outputs["dataset"])
    assert len(arrays["games"]) == manifest.positions == min(wanted, everything)
    found, counts = np.unique(arrays["games"], return_counts=True)
    assert manifest.games == len(found)
    for game, count in zip(found, counts, strict=True):
        share = offered(games[int(game)], 25) * min(wanted, everything) / everything
        assert share - 1 < count < share + 1


def test_only_the_newest_games_of_a_given_window_are_drawn_from(desk: Desk) -> None:
    desk.selfplay(1, seed=1, games=10)
    desk.merge(1)
    desk.selfplay(2, seed=2, games=10)
    desk.merge(2)
    _, arrays = load(desk, desk.export(2, window=13).outputs["dataset"])
    assert set(arrays["games"].tolist()) == set(list(games_by_prefix(desk))[-13:])


def test_restarts_are_the_positions_whose_searches_were_most_wrong(desk: Desk) -> None:
    desk.selfplay(1, seed=1, games=10)
    desk.merge(1)
    desk.selfplay(2, seed=2, games=20, random_moves=0.0)
    desk.merge(2)
    result = desk.export(2, restarts=5, positions_per_game=1000)
    _, arrays = load(desk, result.outputs["dataset"])
    restarts = Restarts.load(desk.archive, result.outputs["restarts"])
    values, outcomes = arrays["values"][:, 0].astype(float), arrays["outcomes"][:, 0].astype(float)
    wrong = np.nan_to_num(np.abs(values - outcomes)) * (arrays["unsearched"] == 0)
    games = list(games_by_prefix(desk).values())[10:]
    worst = {game.id: wrong[arrays["games"] == prefix(game.id)] for game in games}
    most = sorted(games, key=lambda game: (-worst[game.id].max(), game.id))[:5]
    assert len(set(restarts.prefixes)) == 5
    for game, moves in zip(most, restarts.prefixes, strict=True):
        decisions = arrays["decisions"][arrays["games"] == prefix(game.id)]
        decision = int(decisions[worst[game.id].argmax()])
        assert bytes.fromhex(moves) == _engine.before_decision("square8", 2, game.moves, decision)
    assert "restarts" not in desk.export(3).outputs, "unless they are asked for"


def test_the_target_names_the_winner_from_the_movers_side(desk: Desk) -> None:
    """Labels recovered by another way: by replaying the game move by move and asking who is to move."""
    desk.selfplay(games=12, shard="0/1")
    desk.merge()
    for game in games_by_prefix(desk).values():
        position = _engine.Position("square8", 2)
        movers = []
        for notation in _engine.notation("square8", 2, game.moves):
            if len(position.legal_moves()) > 1:
                movers.append((position.mover, "swap_sides" in map(str, position.moves)))
            position.play(notation)
        outcome = position.outcome()
        assert outcome is not None
        rows = _engine.encode_rows("square8", 2, [(game.id, game.moves, game.searches, None)])
        assert [mover for mover, _ in movers] == list(rows["seats"])
        for (mover, swapped_before), value in zip(movers, rows["outcomes"], strict=True):
            # A swap that is still to come takes the agent to the other seat.
            seat_at_the_end = mover if swapped_before or not game.swapped else 3 - mover
            assert value[0] == (seat_at_the_end == outcome.winner)
            assert value.sum() == 1


def test_the_same_games_make_the_same_dataset(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    manifests = []
    for one in (desk, other):
        one.selfplay(games=20)
        one.merge()
        manifest, _ = load(one, one.export(seed=3).outputs["dataset"])
        manifests.append([shard.artifact.sha256 for shard in manifest.shards])
    assert manifests[0] == manifests[1]


def test_a_board_has_no_more_symmetries_than_it_has(desk: Desk) -> None:
    with pytest.raises(ValidationError, match="--symmetries 9: square8 has 8"):
        desk.export(symmetries=9)


def test_what_descent_kept_of_its_trees_becomes_rows(desk: Desk) -> None:
    desk.selfplay(games=3, engine_modes=("descent-only",), tree_positions=5)
    desk.merge()
    plain, _ = load(desk, desk.export(1).outputs["dataset"])
    manifest, arrays = load(desk, desk.export(2, tree_positions=True).outputs["dataset"])
    of_trees = arrays["tree_moves"] > 0
    assert (plain.tree_positions, manifest.tree_positions) == (False, True)
    assert manifest.positions == plain.positions == plain.rows == manifest.rows - of_trees.sum()
    assert of_trees.sum() > 3 * plain.rows
    assert np.bincount(arrays["decisions"][of_trees]).max() <= 3 * 5
    assert not np.isnan(arrays["values"][of_trees]).any()
    assert not arrays["legal"][of_trees].any()


def test_another_seed_takes_other_positions(desk: Desk) -> None:
    desk.selfplay(games=20)
    desk.merge()
    _, first = load(desk, desk.export(1, seed=1).outputs["dataset"])
    _, second = load(desk, desk.export(2, seed=2).outputs["dataset"])
    assert first["planes"].shape == second["planes"].shape
    assert not np.array_equal(first["decisions"], second["decisions"])
    assert not first["symmetries"].any(), "training turns them"
    _, third = load(desk, desk.export(3, seed=1, symmetries=1).outputs["dataset"])
    _, fourth = load(desk, desk.export(4, seed=2, symmetries=1).outputs["dataset"])
    assert not np.array_equal(third["symmetries"], fourth["symmetries"])


def test_cut_and_short_games_are_left_out(desk: Desk) -> None:
    desk.selfplay(1, seed=1, games=10, max_moves=6)
    desk.selfplay(2, seed=2, games=10)
    desk.merge(2)
    completed = sum(game.completed for game in games_by_prefix(desk).values())
    assert 10 <= completed < 20
    told = desk.export(2).answer(ExportResult)
    assert (told.games, told.left_out_cut, told.left_out_short) == (completed, 20 - completed, 0)
    assert desk.export(3, require_completed=False, min_moves=0).answer(ExportResult).games == 20
    lengths = sorted(game.recorded_moves for game in games_by_prefix(desk).values())
    result = desk.export(4, require_completed=False, min_moves=lengths[-1])
    told = result.answer(ExportResult)
    assert told.games == lengths.count(lengths[-1])
    assert (told.left_out_cut, told.left_out_short) == (0, 20 - told.games)
    assert f"left out 0 cut and {20 - told.games} short ones" in result.message


def test_rows_of_this_iterations_games_are_counted_as_new(desk: Desk) -> None:
    desk.selfplay(1, seed=1, games=10)
    desk.merge(1)
    first = desk.export(1)
    assert first.answer(ExportResult).new_rows == first.answer(ExportResult).rows
    old = set(games_by_prefix(desk))
    desk.selfplay(2, seed=2, games=10)
    desk.merge(2)
    result = desk.export(2)
    manifest, arrays = load(desk, result.outputs["dataset"])
    new = [game not in old for game in arrays["games"].tolist()]
    assert 0 < sum(new) == manifest.new_rows == result.answer(ExportResult).new_rows < manifest.rows


def test_rows_are_stored_in_shards_of_bounded_size(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.selfplay(games=20)
    desk.merge()
    _, whole = load(desk, desk.export(1).outputs["dataset"])
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 100)
    monkeypatch.setattr(stage, "ROWS_PER_CHUNK", 40)
    manifest, arrays = load(desk, desk.export(2).outputs["dataset"])
    assert len(manifest.shards) >= 4
    assert all(100 <= shard.rows < 100 + 40 + 32 for shard in manifest.shards[:-1])
    assert sum(shard.rows for shard in manifest.shards) == manifest.rows
    for name, column in whole.items():
        np.testing.assert_array_equal(column, arrays[name])


def test_no_game_at_all_is_said_in_a_sentence(desk: Desk) -> None:
    with pytest.raises(WrongInputError, match="there are no games yet: run merge first"):
        desk.export()
    desk.selfplay(games=10, max_moves=3)
    desk.merge()
    with pytest.raises(WrongInputError, match=r"none of the 10 games .*: --require-completed would"):
        desk.export()
    with pytest.raises(WrongInputError, match=r"none of the 10 games .*: --min-moves 500 would"):
        desk.export(require_completed=False, min_moves=500)


def test_a_game_that_is_none_is_named(desk: Desk) -> None:
    desk.selfplay(games=10)
    desk.merge()
    manifest, version = read_manifest(desk.archive)
    (whole,) = manifest.segments
    path = desk.run.folder / "broken.sqlite"
    path.write_bytes(desk.archive.get_file(whole.artifact, desk.run.folder).read_bytes())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE games SET moves = substr(moves, 4) WHERE number = (SELECT max(number) FROM games)")
        (broken,) = connection.execute("SELECT hex(id) FROM games ORDER BY number DESC").fetchone()
    segment = whole.model_copy(update={"artifact": desk.archive.put_file(path, "sqlite")})
    assert swap_manifest(desk.archive, manifest.model_copy(update={"segments": (segment,)}), version)
    with pytest.raises(WrongInputError, match=f"game {broken.lower()}, move 0: .* is not legal"):
        desk.export()
