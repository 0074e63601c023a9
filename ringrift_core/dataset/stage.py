"""The stage export: games of the window become NPZ shards and a manifest.

Games are read one at a time and rows written a shard at a time, so memory does not grow with the window.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.contract import ExportParameters, StageResult
from ringrift_core.dataset.manifest import DatasetManifest, DatasetShard
from ringrift_core.dataset.window import SegmentPart, choose
from ringrift_core.replay.games import Game, Rules, read_games, require_rules
from ringrift_core.replay.identifiers import prefix
from ringrift_core.replay.manifest import read_manifest
from ringrift_core.stage import Outcome, Run, WrongInputError

__all__ = ["POSITIONS_PER_GAME", "ROWS_PER_SHARD", "export_stage"]

TASK = "export"

POSITIONS_PER_GAME = 32
"""Positions of one game are alike and share one outcome: more of them teach little and cost time."""
ROWS_PER_SHARD = 8192


def export_stage(parameters: ExportParameters, run: Run) -> StageResult:
    """Writes the dataset of an iteration, once."""
    return run.once(parameters.iteration, TASK, parameters, lambda: _export(parameters, run))


def _export(parameters: ExportParameters, run: Run) -> Outcome:
    manifest, _ = read_manifest(run.archive)
    parts = choose(manifest.segments)
    window = sum(part.games for part in parts)
    if window == 0:
        raise WrongInputError("there are no games yet: run merge first")
    writer = _ShardWriter(run.archive, run.folder / "positions.npz")
    read = games = 0
    for game in _window(run, parts, Rules.usual(parameters.board, parameters.players)):
        read += 1
        if read % 20 == 1:
            run.pause_point()
            run.report.progress(read / window, f"game {read} of {window}")
        if (parameters.require_completed and not game.completed) or game.recorded_moves < parameters.min_moves:
            continue
        chosen = _sample(game, parameters.seed)
        if chosen:
            games += 1
            writer.add(*_encode(game, chosen))
    if games == 0:
        raise WrongInputError(
            f"none of the {window} games in the window can be exported: --require-completed and --min-moves "
            f"{parameters.min_moves} leave out all of them"
        )
    writer.close()
    planes, height, width, features = _engine.encoding_shape(parameters.board.value, parameters.players)
    dataset = DatasetManifest(
        board=parameters.board,
        players=parameters.players,
        encoding=_engine.ENCODING_VERSION,
        planes=(planes, height, width),
        globals=features,
        games=games,
        rows=writer.rows,
        window=window,
        seed=parameters.seed,
        shards=tuple(writer.shards),
    )
    return Outcome(
        outputs={"dataset": dataset.save(run.archive)},
        metrics={"games": games, "window": window, "rows": writer.rows, "shards": len(writer.shards)},
        message=f"{writer.rows} positions of {games} games, of {window} in the window",
    )


def _window(run: Run, parts: list[SegmentPart], rules: Rules) -> Iterator[Game]:
    for part in parts:
        path = run.archive.get_file(part.segment.artifact, run.folder)
        require_rules(path, rules)
        for _, game in zip(range(part.games), read_games(path, newest_first=True), strict=False):
            yield game


def _sample(game: Game, seed: int) -> list[int]:
    """Which decisions of a game become rows: drawn without replacement by a generator of (seed, game id)."""
    if game.decisions <= POSITIONS_PER_GAME:
        return list(range(game.decisions))
    entropy = int.from_bytes(hashlib.sha256(f"{seed} {game.id}".encode()).digest()[:8], "big")
    drawn = np.random.default_rng(entropy).choice(game.decisions, POSITIONS_PER_GAME, replace=False)
    return sorted(int(decision) for decision in drawn)


def _encode(game: Game, decisions: list[int]) -> tuple[NDArray[Any], ...]:
    rules = game.rules
    planes, features, values, _ = _engine.encode_positions(
        rules.board.value, rules.players, game.moves, decisions, profile=rules.profile.value, swap=rules.swap
    )
    games = np.full(len(planes), prefix(game.id), dtype=np.uint64)
    return planes.astype(np.float16), features, values, games


@dataclass
class _ShardWriter:
    """Collects rows and stores every ROWS_PER_SHARD of them as a shard."""

    archive: Archive
    path: Path
    shards: list[DatasetShard] = field(default_factory=list)
    rows: int = 0
    _columns: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    _waiting: int = 0

    def add(self, *columns: NDArray[Any]) -> None:
        self._columns.append(columns)
        self._waiting += len(columns[0])
        if self._waiting >= ROWS_PER_SHARD:
            self.close()

    def close(self) -> None:
        """Stores what is waiting."""
        if not self._waiting:
            return
        planes, features, values, games = (np.concatenate(column) for column in zip(*self._columns, strict=True))
        np.savez_compressed(self.path, planes=planes, globals=features, values=values, games=games)
        self.shards.append(DatasetShard(rows=self._waiting, artifact=self.archive.put_file(self.path, "npz")))
        self.rows += self._waiting
        self._columns, self._waiting = [], 0
