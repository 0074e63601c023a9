"""Games by the million, from self-play to a dataset. See README.md here."""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ringrift_core.archive import Archive, TaskRecord
from ringrift_core.contract import (
    STAGE_PROGRAM,
    Board,
    EngineMode,
    ExportParameters,
    MergeParameters,
    SelfplayParameters,
    StageParameters,
    StageResult,
    to_arguments,
)
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.replay.games import GamesWriter, RecordedGame, Rules, count_games, open_games, read_games
from ringrift_core.replay.manifest import GamesManifest, read_manifest
from ringrift_core.replay.shards import SHARD_OUTPUT, shard_task
from ringrift_core.store import LocalStore

SHARDS = 20
PIECES = [f"{first}-{first + 4}/{SHARDS}" for first in range(0, SHARDS, 5)]
"""Shards that are played by one process."""
REPEATED = 0.1
"""Repeats put in, as a share of the games played."""
FIRST_REPEAT = 10**9
"""Numbers of repeats begin here: beyond those of any game."""
SEED = 1
HISTORY = Path(__file__).with_name("history.jsonl")
RULES = Rules.usual(Board.SQUARE8, 2)


@dataclass(frozen=True)
class Step:
    """One measured process."""

    name: str
    seconds: float
    """Of the whole process."""
    cpu_seconds: float
    peak_mb: float
    items: int = 0
    unit: str = ""
    bytes: int = 0
    """Of what the step made, which is `made` items."""
    made: int = 0
    work_seconds: float = 0.0
    """From the stage's beginning to its end: without the interpreter's start."""


@dataclass
class Bench:
    """The store in a folder, and the steps that were measured in it."""

    folder: Path
    games: int
    cores: int
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def archive(self) -> Archive:
        return Archive(LocalStore(self.folder / "store"), "square8-2p")

    @property
    def here(self) -> dict[str, object]:
        return {"store": self.archive.store.uri, "board": Board.SQUARE8, "players": 2}

    @property
    def shard_games(self) -> int:
        return self.games // SHARDS

    @property
    def positions(self) -> int:
        """Positions to export: two of each game on average."""
        return 2 * self.games

    def once(self, name: str, act: Callable[[], Step]) -> Step:
        """Carries a step out unless it was; what is finished is written down at once."""
        if name not in self.steps:
            self.steps[name] = act()
            content = {name: asdict(step) for name, step in self.steps.items()}
            (self.folder / "steps.json").write_text(json.dumps(content, indent=1))
        return self.steps[name]

    def measured(self, name: str, command: list[str]) -> Step:
        """Runs `ringrift` with these arguments on the chosen cores."""
        Console(stderr=True).print(f"{name} ...")
        began = time.monotonic()
        with (self.folder / f"{name.replace(' ', '-')}.log").open("wb") as log:
            process = subprocess.Popen([*STAGE_PROGRAM, *command], stdout=log, preexec_fn=self._bind)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        if process.returncode != 0:
            raise SystemExit(f"{name}: exit status {process.returncode}, see {log.name}")
        unit = 1024 if platform.system() == "Linux" else 1
        return Step(name, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**20)

    def stage(self, name: str, parameters: StageParameters) -> Step:
        result = self.folder / "result.json"
        step = self.measured(name, [*to_arguments(parameters), "--result", str(result)])
        said = StageResult.model_validate_json(result.read_text())
        return replace(step, work_seconds=(said.finished_at - said.started_at).total_seconds())

    def _bind(self) -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.cores])

    def manifest(self) -> GamesManifest:
        return read_manifest(self.archive)[0]


def main(
    games: Annotated[int, typer.Option(min=SHARDS, help="Games of the first merge, a multiple of 20.")] = 1_000_000,
    cores: Annotated[int, typer.Option(min=1, help="Cores that each step may use.")] = 2,
    folder: Annotated[Path, typer.Option(help="Where the store lies, and what was finished.")] = Path("data-benchmark"),
    history: Annotated[bool, typer.Option(help="Append the JSON line to history.jsonl.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON line and nothing else.")] = False,
) -> None:
    if games % SHARDS:
        raise typer.BadParameter(f"{games} is no multiple of {SHARDS}")
    folder.mkdir(parents=True, exist_ok=True)
    bench = _resumed(folder.absolute(), games, cores)
    steps = list(_run(bench))
    line = _line(bench, steps)
    if not as_json:
        Console(width=110).print(_table(steps))
    typer.echo(json.dumps(line))
    if history:
        with HISTORY.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _resumed(folder: Path, games: int, cores: int) -> Bench:
    settings, found = folder / "settings.json", {"games": games, "cores": cores}
    if settings.exists() and json.loads(settings.read_text()) != found:
        raise SystemExit(
            f"{folder}: measured with {settings.read_text()}, not {json.dumps(found)}: take another folder"
        )
    settings.write_text(json.dumps(found))
    bench = Bench(folder, games, cores)
    if (folder / "steps.json").exists():
        content = json.loads((folder / "steps.json").read_text())
        bench.steps = {name: Step(**step) for name, step in content.items()}
    return bench


def _run(bench: Bench) -> Iterator[Step]:
    repeats = round(bench.games * REPEATED)
    yield _sum("self-play", [bench.once(_piece(shards), partial(_play, bench, 1, shards)) for shards in PIECES])
    yield bench.once("put repeats in", lambda: _put_repeats_in(bench))
    yield bench.once("merge", lambda: _merge(bench, "merge", 1, bench.games + repeats))
    _expect("unique games", bench.manifest().segments[0].games, bench.games)
    _expect("duplicates left out", bench.manifest().segments[0].duplicates, repeats)
    yield bench.once("verify", lambda: _verify(bench, "verify", bench.games))
    yield bench.once("export", lambda: _export(bench))
    yield bench.once("play one more shard", lambda: _play(bench, 2, "0/1"))
    yield bench.once("merge one more shard", lambda: _merge(bench, "merge one more shard", 2, bench.shard_games))
    _expect("games in the end", bench.manifest().games, bench.games + bench.shard_games)


def _play(bench: Bench, iteration: int, shards: str) -> Step:
    games = bench.games if iteration == 1 else bench.shard_games
    parameters = SelfplayParameters(
        **bench.here,
        iteration=iteration,
        seed=SEED + iteration,
        games=games,
        shard=shards,
        engine_modes=(EngineMode.RANDOM_ONLY,),
        log_games=False,
    )
    for shard in parameters.chosen_shards:
        _forget(bench.archive, iteration, shard)
    step = bench.stage("play one more shard" if iteration == 2 else _piece(shards), parameters)
    files = [_shard(bench, iteration, shard) for shard in parameters.chosen_shards]
    made = sum(count_games(path) for path in files)
    return replace(step, items=made, unit="games", bytes=sum(path.stat().st_size for path in files), made=made)


def _piece(shards: str) -> str:
    return f"self-play {shards.partition('/')[0]}"


def _forget(archive: Archive, iteration: int, shard: int) -> None:
    """What an interrupted step had played would not be in its time."""
    for key in list(archive.store.keys(archive.key(f"tasks/i{iteration:04d}/{shard_task(shard)}"))):
        archive.store.delete(key)


def _sum(name: str, steps: list[Step]) -> Step:
    """Several processes as one step; its memory is that of the largest."""
    return Step(
        name,
        seconds=sum(step.seconds for step in steps),
        cpu_seconds=sum(step.cpu_seconds for step in steps),
        peak_mb=max(step.peak_mb for step in steps),
        items=sum(step.items for step in steps),
        unit=steps[0].unit,
        bytes=sum(step.bytes for step in steps),
        made=sum(step.made for step in steps),
        work_seconds=sum(step.work_seconds for step in steps),
    )


def _shard(bench: Bench, iteration: int, shard: int) -> Path:
    record = bench.archive.record(iteration, shard_task(shard))
    assert record is not None
    return bench.archive.get_file(record.result.outputs[SHARD_OUTPUT], bench.folder)


def _put_repeats_in(bench: Bench) -> Step:
    """Every shard gets repeats of games of the next one, as if they had been played there too."""
    began, cpu = time.monotonic(), time.process_time()
    repeats = round(bench.shard_games * REPEATED)
    for shard in range(SHARDS):
        path = _shard(bench, 1, shard)
        if count_games(path) > bench.shard_games:
            continue  # An interrupted run was here before.
        work, sealed = bench.folder / "repeats.work", bench.folder / "repeats.sqlite"
        shutil.copyfile(path, work)
        work.chmod(0o600)
        with GamesWriter(work, RULES) as writer:
            writer.append(_drawn(_shard(bench, 1, (shard + 1) % SHARDS), repeats, shard))
            _expect("games of a shard", writer.seal(sealed), bench.shard_games + repeats)
        _record_instead(bench.archive, shard, sealed)
        work.unlink()
        sealed.unlink()
    seconds = time.monotonic() - began
    return Step("put repeats in", seconds, time.process_time() - cpu, 0, repeats * SHARDS, "games")


def _drawn(path: Path, count: int, shard: int) -> Iterator[RecordedGame]:
    with closing(open_games(path)) as connection:
        played = "SELECT number FROM games WHERE number < ? ORDER BY number"
        numbers = [number for (number,) in connection.execute(played, (FIRST_REPEAT,))]
    chosen = set(random.Random(shard).sample(numbers, count))
    repeated = (game for game in read_games(path) if game.number in chosen)
    for offset, game in enumerate(repeated):
        yield replace(game, number=FIRST_REPEAT + offset)


def _record_instead(archive: Archive, shard: int, path: Path) -> None:
    """Has a task's record name another shard."""
    record = archive.record(1, shard_task(shard))
    assert record is not None
    outputs = {SHARD_OUTPUT: archive.put_file(path, "sqlite")}
    changed = record.model_copy(update={"result": record.result.model_copy(update={"outputs": outputs})})
    assert isinstance(changed, TaskRecord)
    content = changed.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode()
    archive.store.put(archive.key(f"tasks/i0001/{shard_task(shard)}.json"), content)


def _merge(bench: Bench, name: str, iteration: int, games: int) -> Step:
    step = bench.stage(name, MergeParameters(**bench.here, iteration=iteration))
    segment = bench.manifest().segments[-1]
    return replace(step, items=games, unit="games", bytes=segment.artifact.bytes, made=segment.games)


def _verify(bench: Bench, name: str, games: int) -> Step:
    step = bench.measured(name, ["replay", "verify", bench.archive.store.uri])
    said = json.loads((bench.folder / f"{name}.log").read_text().splitlines()[-1])
    _expect("verify", said, {"games": games, "verified": games, "faults": 0})
    return replace(step, items=games, unit="games")


def _export(bench: Bench) -> Step:
    step = bench.stage(
        "export", ExportParameters(**bench.here, iteration=1, seed=SEED, window=bench.games, positions=bench.positions)
    )
    record = bench.archive.record(1, "export")
    assert record is not None
    dataset = DatasetManifest.load(bench.archive, record.result.outputs["dataset"])
    size = sum(shard.artifact.bytes for shard in dataset.shards)
    return replace(step, items=dataset.rows, unit="rows", bytes=size, made=dataset.rows)


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found}, expected {wanted}")


def _table(steps: list[Step]) -> Table:
    table = Table("step", box=box.SIMPLE_HEAD)
    for heading in ("items", "seconds", "of work", "CPU seconds", "per second", "bytes each", "peak MB"):
        table.add_column(heading, justify="right")
    for step in steps:
        rate = f"{step.items / (step.work_seconds or step.seconds):,.0f} {step.unit}"
        size = f"{step.bytes / step.made:,.1f}" if step.made else ""
        peak = f"{step.peak_mb:,.0f}" if step.peak_mb else ""
        work = f"{step.work_seconds:,.1f}" if step.work_seconds else ""
        table.add_row(
            step.name, f"{step.items:,}", f"{step.seconds:,.1f}", work, f"{step.cpu_seconds:,.1f}", rate, size, peak
        )
    return table


def _line(bench: Bench, steps: list[Step]) -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    by_name = {step.name: step for step in steps}
    first, one_more = by_name["merge"], by_name["merge one more shard"]
    manifest = bench.manifest()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "cores": bench.cores,
        "games": bench.games,
        "duplicates": manifest.segments[0].duplicates,
        "games_in_the_end": manifest.games,
        "one_more_shard_to_first_merge": round(one_more.seconds / first.seconds, 4),
        "one_more_shard_to_first_merge_work": round(one_more.work_seconds / first.work_seconds, 4),
        "steps": {
            step.name: {
                "seconds": round(step.seconds, 2),
                "work_seconds": round(step.work_seconds, 2) or None,
                "cpu_seconds": round(step.cpu_seconds, 2),
                f"{step.unit}_per_second": round(step.items / (step.work_seconds or step.seconds)),
                "bytes_each": round(step.bytes / step.made, 1) if step.made else None,
                "peak_mb": round(step.peak_mb, 1),
            }
            for step in steps
        },
    }


if __name__ == "__main__":
    typer.run(main)
