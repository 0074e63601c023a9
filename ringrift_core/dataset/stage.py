"""The stage export: positions of the window's games become NPZ shards and a manifest.

Games are read one at a time, encoded by the engine some thousand rows at a time, and written a shard at a time: memory
does not grow with the window. What a killed export had stored are whole shards under their SHA-256, which the next
attempt finds again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringrift_core import _engine
from ringrift_core.contract import ExportParameters, ExportResult, StageResult
from ringrift_core.cores import available_cores
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.dataset.sampling import SampledGame, WindowFile, take_stock
from ringrift_core.dataset.shards import Columns, ShardWriter
from ringrift_core.dataset.surprising import Surprising
from ringrift_core.dataset.window import choose
from ringrift_core.errors import WrongInputError
from ringrift_core.replay.games import Rules
from ringrift_core.replay.manifest import read_manifest
from ringrift_core.stage import Outcome, Run

__all__ = ["ROWS_PER_CHUNK", "export_stage"]

TASK = "export"

ROWS_PER_CHUNK = 4096
"""Rows encoded at once: enough to keep every core busy, and a few megabytes."""


def export_stage(parameters: ExportParameters, run: Run) -> StageResult:
    """Writes the dataset of an iteration, once."""
    return run.once(parameters.iteration, TASK, parameters, lambda: _export(parameters, run))


def _export(parameters: ExportParameters, run: Run) -> Outcome:
    manifest, _ = read_manifest(run.archive)
    parts = choose(manifest.segments, parameters.window)
    window = sum(part.games for part in parts)
    if window == 0:
        raise WrongInputError("there are no games yet: run merge first")
    files = [
        WindowFile(
            run.archive.get_file(part.segment.artifact, run.folder),
            part.games,
            part.segment.iteration == parameters.iteration,
        )
        for part in parts
    ]
    rules = Rules.usual(parameters.board, parameters.players)
    sample = take_stock(parameters, rules, files)
    if sample.games == 0:
        bars = ["--require-completed"] * bool(sample.cut) + [f"--min-moves {parameters.min_moves}"] * bool(sample.short)
        raise WrongInputError(
            f"none of the {window} games in the window can be exported: {' and '.join(bars)} would leave out all"
        )
    games = positions = new_rows = 0
    surprising = Surprising(rules, parameters.restarts)
    with ShardWriter(run.archive, run.folder) as writer:
        for chunk in _chunks(sample.draw(files), parameters):
            run.pause_point()
            columns = _encode(chunk, rules, parameters)
            writer.add(columns)
            if chunk[0].is_new:
                new_rows += len(columns["games"])
                surprising.add(chunk, columns)
            games += len(chunk)
            positions += sum(len(game.decisions) for game in chunk)
            run.report.progress(positions / sample.positions, f"position {positions} of {sample.positions}")
    dataset = _manifest(parameters, window, games, positions, new_rows, writer)
    outputs = {"dataset": dataset.save(run.archive)}
    if parameters.restarts:
        outputs["restarts"] = surprising.chosen().save(run.archive)
    left_out = f"; left out {sample.cut} cut and {sample.short} short ones" if sample.cut or sample.short else ""
    return Outcome(
        outputs=outputs,
        result=ExportResult(
            games=games,
            window=window,
            positions=positions,
            rows=writer.rows,
            shards=len(writer.shards),
            bytes_per_row=writer.bytes / writer.rows,
            new_rows=new_rows,
            left_out_cut=sample.cut,
            left_out_short=sample.short,
        ),
        message=f"{writer.rows} rows of {positions} positions of {games} games, of {window} in the window{left_out}",
    )


def _manifest(
    parameters: ExportParameters, window: int, games: int, positions: int, new_rows: int, writer: ShardWriter
) -> DatasetManifest:
    board, players = parameters.board, parameters.players
    planes, height, width, features = _engine.encoding_shape(board.value, players)
    return DatasetManifest(
        board=board,
        players=players,
        encoding=_engine.ENCODING_VERSION,
        planes=(planes, height, width),
        globals=features,
        policy=_engine.policy_size(board.value, players),
        games=games,
        positions=positions,
        rows=writer.rows,
        new_rows=new_rows,
        window=window,
        seed=parameters.seed,
        require_completed=parameters.require_completed,
        min_moves=parameters.min_moves,
        positions_per_game=parameters.positions_per_game,
        symmetries=parameters.symmetries,
        exact_states=parameters.exact_state,
        tree_positions=parameters.tree_positions,
        shards=tuple(writer.shards),
    )


def _chunks(games: Iterable[SampledGame], parameters: ExportParameters) -> Iterator[list[SampledGame]]:
    """Successive games with about ROWS_PER_CHUNK rows, all of them new or none."""
    chunk: list[SampledGame] = []
    rows = 0
    for game in games:
        if chunk and chunk[0].is_new != game.is_new:
            yield chunk
            chunk, rows = [], 0
        chunk.append(game)
        rows += len(game.decisions) * max(1, parameters.symmetries)
        if rows >= ROWS_PER_CHUNK:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk


def _encode(chunk: list[SampledGame], rules: Rules, parameters: ExportParameters) -> Columns:
    """WrongInputError when a game is none: `ringrift replay verify` finds all of those."""
    try:
        return _engine.encode_rows(
            rules.board.value,
            rules.players,
            [(game.id, game.moves, game.searches, game.decisions) for game in chunk],
            seed=parameters.seed,
            symmetries=parameters.symmetries,
            exact_states=parameters.exact_state,
            trees=parameters.tree_positions,
            profile=rules.profile.value,
            swap=rules.swap,
            threads=available_cores(),
        )
    except _engine.RulesError as error:
        raise WrongInputError(f"{error} (ringrift replay verify {parameters.store} lists every such game)") from error
