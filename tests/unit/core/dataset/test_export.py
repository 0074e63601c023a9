from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core import _engine
from ringrift_core.contract import Artifact
from ringrift_core.dataset import stage
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.dataset.stage import POSITIONS_PER_GAME
from ringrift_core.dataset.window import choose, window_size
from ringrift_core.replay.games import Game, read_games
from ringrift_core.replay.identifiers import prefix
from ringrift_core.replay.manifest import Segment, read_manifest
from ringrift_core.stage import WrongInputError
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk


def segment(iteration: int, games: int) -> Segment:
    artifact = Artifact(uri=f"file:///x/{iteration}.sqlite", sha256="0" * 64, bytes=1)
    return Segment(iteration=iteration, games=games, duplicates=0, artifact=artifact)


def games_by_prefix(desk: Desk) -> dict[int, Game]:
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


@given(st.lists(st.integers(0, 4000), max_size=8))
def test_the_window_takes_the_newest_games(sizes: list[int]) -> None:
    segments = [segment(iteration, games) for iteration, games in enumerate(sizes, 1)]
    parts = choose(segments)
    assert sum(part.games for part in parts) == window_size(sum(sizes))
    whole = [part for part in parts[:-1] if part.games != part.segment.games]
    assert whole == []
    newest = [part.segment.iteration for part in parts]
    assert newest == sorted(newest, reverse=True)


def test_rows_are_the_engines_encoding_of_recorded_positions(desk: Desk) -> None:
    desk.selfplay(games=20)
    desk.merge()
    manifest, arrays = load(desk, desk.export().outputs["dataset"])
    planes, height, width, features = _engine.encoding_shape("square8", 2)
    assert (manifest.planes, manifest.globals) == ((planes, height, width), features)
    assert arrays["planes"].shape == (manifest.rows, planes, height, width)
    games = games_by_prefix(desk)
    for wanted in np.unique(arrays["games"]):
        game = games[int(wanted)]
        rows = arrays["games"] == wanted
        assert rows.sum() == min(POSITIONS_PER_GAME, game.decisions)
        all_planes, all_globals, all_values, _ = _engine.encode_positions("square8", 2, game.moves)
        known = {
            (a.astype(np.float16).tobytes(), b.tobytes(), c.tobytes())
            for a, b, c in zip(all_planes, all_globals, all_values, strict=True)
        }
        found = zip(arrays["planes"][rows], arrays["globals"][rows], arrays["values"][rows], strict=True)
        assert {(a.tobytes(), b.tobytes(), c.tobytes()) for a, b, c in found} <= known


def test_the_target_names_the_winner_from_the_movers_side(desk: Desk) -> None:
    """Labels recovered by another way: by replaying the game move by move and asking who is to move."""
    desk.selfplay(games=12, shard_games=12)
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
        _, _, values, seats = _engine.encode_positions("square8", 2, game.moves)
        assert [mover for mover, _ in movers] == list(seats)
        for (mover, swapped_before), value in zip(movers, values, strict=True):
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


def test_another_seed_takes_other_positions(desk: Desk) -> None:
    desk.selfplay(games=20)
    desk.merge()
    _, first = load(desk, desk.export(1, seed=1).outputs["dataset"])
    _, second = load(desk, desk.export(2, seed=2).outputs["dataset"])
    assert first["planes"].shape == second["planes"].shape
    assert not np.array_equal(first["planes"], second["planes"])


def test_cut_and_short_games_are_left_out(desk: Desk) -> None:
    desk.selfplay(1, seed=1, games=10, max_moves=6)
    desk.selfplay(2, seed=2, games=10)
    desk.merge(2)
    completed = sum(game.completed for game in games_by_prefix(desk).values())
    assert 10 <= completed < 20
    assert desk.export(2, min_moves=0).metrics["games"] == completed
    assert desk.export(3, require_completed=False, min_moves=0).metrics["games"] == 20
    lengths = sorted(game.recorded_moves for game in games_by_prefix(desk).values())
    result = desk.export(4, require_completed=False, min_moves=lengths[-1])
    assert result.metrics["games"] == lengths.count(lengths[-1])


def test_rows_are_stored_in_shards_of_bounded_size(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "ROWS_PER_SHARD", 100)
    desk.selfplay(games=20)
    desk.merge()
    manifest, _ = load(desk, desk.export().outputs["dataset"])
    assert len(manifest.shards) >= 5
    assert all(100 <= shard.rows < 100 + POSITIONS_PER_GAME for shard in manifest.shards[:-1])
    assert sum(shard.rows for shard in manifest.shards) == manifest.rows


def test_no_game_at_all_is_said_in_a_sentence(desk: Desk) -> None:
    with pytest.raises(WrongInputError, match="there are no games yet: run merge first"):
        desk.export()
    desk.selfplay(games=10, max_moves=3)
    desk.merge()
    with pytest.raises(WrongInputError, match="none of the 10 games in the window can be exported"):
        desk.export()
