"""Does a match of a network against a native search use every core? See README.md here."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.core_seconds import core_seconds
from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.nn.inference import AskedNetwork
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Seating
from ringrift_core.seating.seating import seat

SEED = 1
BOARD, PLAYERS = Board.SQUARE8, 2
CORES = 2


@dataclass(frozen=True)
class Played:
    """A match, as one process played it."""

    wall: float
    core_seconds: float
    """Of all threads, ONNX Runtime's included."""
    batches: int
    rows: int
    """Positions that the network was asked for."""
    memory: int
    """The process's largest, in MiB."""
    games: str
    """SHA-256 of the games' ids."""


def main(
    candidate: Annotated[str, typer.Option(help="Who asks a network.")] = "network:gumbel:64",
    opponent: Annotated[str, typer.Option(help="Who decides by itself.")] = "weights@0:descent:1000000",
    games: Annotated[int, typer.Option(min=2, help="An even number.")] = 48,
    rounds: Annotated[int, typer.Option(min=1, help="Runs on one core and on both, in turns; medians count.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
    cores: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    if cores:
        typer.echo(json.dumps(asdict(_play(candidate, opponent, games // PLAYERS))))
        return
    with tempfile.TemporaryDirectory() as folder:
        if candidate.startswith("network:"):
            from ringrift_core.nn.network import NetworkShape
            from ringrift_core.nn.quantised import export_untrained

            network = Path(folder) / "untrained.onnx"
            export_untrained(NetworkShape.of(BOARD, PLAYERS), SEED, network)
            candidate = candidate.replace("network:", f"network={network}:", 1)
        found: dict[int, list[Played]] = {1: [], CORES: []}
        for _ in range(rounds):
            for count, runs in found.items():
                runs.append(_measure(candidate, opponent, games, count))
    if len({run.games for runs in found.values() for run in runs}) != 1:
        raise SystemExit("the runs have played different games")
    one, all_cores = found[1], found[CORES]
    use = statistics.median(
        alone.core_seconds / CORES / together.wall for alone, together in zip(one, all_cores, strict=True)
    )
    if as_json:
        report = {str(count): [asdict(run) for run in runs] for count, runs in found.items()}
        typer.echo(json.dumps({"games": games, "opponent": opponent, "use": round(use, 3), "runs": report}))
        return
    table = Table(title=f"{games} games of {BOARD}-{PLAYERS}p, median of {rounds}", box=box.SIMPLE_HEAD)
    for heading in ("on", "wall, s", "core-seconds", "cores", "batches", "rows each", "MiB", "use"):
        table.add_column(heading, justify="left" if heading == "on" else "right")
    for count, runs in found.items():
        wall, spent = (statistics.median(getattr(run, name) for run in runs) for name in ("wall", "core_seconds"))
        batches = statistics.median(run.batches for run in runs)
        each, memory = runs[0].rows / batches, max(run.memory for run in runs)
        name = "one core" if count == 1 else f"{count} cores"
        figures = (f"{wall:.1f}", f"{spent:.1f}", f"{spent / wall:.2f}", f"{batches:,.0f}", f"{each:.1f}", str(memory))
        table.add_row(name, *figures, f"{use:.3f}" if count > 1 else "")
    Console().print(table)


def _measure(candidate: str, opponent: str, games: int, cores: int) -> Played:
    arguments = ["--candidate", candidate, "--opponent", opponent, "--games", str(games), "--cores", str(cores)]
    chosen = ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores]))
    done = subprocess.run(
        ["taskset", "--cpu-list", chosen, sys.executable, "-P", "-m", "benchmarks.match.measure", *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"a match on {cores} cores: exit status {done.returncode}: {done.stderr.strip()}")
    return Played(**json.loads(done.stdout))


def _play(candidate: str, opponent: str, groups: int) -> Played:
    seating, asked = Seating.without_store(BOARD, PLAYERS), Counted()
    players = [_seated(seating, Specification.parse(text), asked) for text in (candidate, opponent)]
    began, spent = time.perf_counter(), core_seconds()
    results = _engine.play_match(BOARD.value, PLAYERS, *players, seed=SEED, groups=groups)
    wall, spent = time.perf_counter() - began, core_seconds() - spent
    ids = " ".join(record.game_id for group in results for record in group.records)
    # What getrusage calls the largest is at least what the parent had.
    (largest,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    memory = int(largest.split()[1]) // 1024
    games = hashlib.sha256(ids.encode()).hexdigest()
    return Played(round(wall, 2), round(spent, 2), asked.batches, asked.rows, memory, games)


@dataclass
class Counted:
    """What was asked of a network."""

    batches: int = 0
    rows: int = 0

    def listen(self, evaluate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def asked(planes: Any, features: Any) -> Any:
            self.batches += 1
            self.rows += len(planes)
            return evaluate(planes, features)

        return asked


def _seated(seating: Seating, specification: Specification, asked: Counted) -> _engine.Player:
    if specification.judge is None:
        return seating.player(specification)
    evaluation = seating.judges.of(specification.judge)
    if isinstance(evaluation, AskedNetwork):
        evaluation = AskedNetwork(asked.listen(evaluation.values), asked.listen(evaluation.values_and_policy))
    return seat(specification.search, evaluation)


if __name__ == "__main__":
    typer.run(main)
