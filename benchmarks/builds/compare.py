"""Two builds of the engine, measured in turns: is the newer one as fast as the older? See README.md here."""

from __future__ import annotations

import json
import math
import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

BENCHES = {"rules": "moves_per_second", "search": "nodes_per_second"}
"""What `ringrift bench NAME --json` calls its figures by configuration."""

RESAMPLES = 2000
"""Of the bootstrap (Efron 1979) that the intervals come from."""


@dataclass(frozen=True)
class Ratio:
    """Speed of the newer build over the older's, with its 95 % interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f}-{self.high:.3f})"


def main(
    before: Annotated[Path, typer.Argument(help="The older build's `ringrift`.", exists=True, dir_okay=False)],
    after: Annotated[Path, typer.Argument(help="The newer build's `ringrift`.", exists=True, dir_okay=False)],
    bench: Annotated[str, typer.Option(help="One of rules, search.")] = "search",
    rounds: Annotated[int, typer.Option(min=2, help="Runs of each build, in turns.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.01, help="Of play per configuration and run.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    if bench not in BENCHES:
        raise typer.BadParameter(f"{bench!r}: expected one of {', '.join(BENCHES)}", param_hint="--bench")
    runs: dict[Path, list[Mapping[str, float]]] = {before: [], after: []}
    for number in range(rounds):
        # Whoever goes first may find a cooler machine: they take turns at that, too.
        for build in (before, after) if number % 2 == 0 else (after, before):
            runs[build].append(measure(build, bench, seconds))
    ratios = compare(runs[before], runs[after])
    mean = geometric_mean(runs[before], runs[after])
    if as_json:
        figures = {name: vars(ratio) for name, ratio in {**ratios, "geometric mean": mean}.items()}
        typer.echo(json.dumps({"bench": bench, "rounds": rounds, "seconds": seconds, "ratios": figures}))
        return
    table = Table(title=f"{bench}: {rounds} runs each, in turns", box=box.SIMPLE_HEAD)
    for heading in ("configuration", "before, median/s", "after, median/s", "after : before, median (95 %)"):
        table.add_column(heading, justify="left" if heading == "configuration" else "right")
    for name, ratio in ratios.items():
        medians = (statistics.median(run[name] for run in runs[build]) for build in (before, after))
        table.add_row(name, *(f"{median:,.0f}" for median in medians), str(ratio))
    table.add_section()
    table.add_row("geometric mean", "", "", str(mean))
    Console().print(table)


def measure(build: Path, bench: str, seconds: float) -> Mapping[str, float]:
    """Figures of one run, by configuration. It runs on one core of its own, outside any checkout."""
    command = [str(build.absolute()), "bench", bench, "--seconds", str(seconds), "--json"]
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["taskset", "--cpu-list", str(core), *command], cwd=folder, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(f"{build}: exit status {done.returncode}: {done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    found: Mapping[str, float] = report[BENCHES[bench]]
    return found


def compare(before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]) -> dict[str, Ratio]:
    """For each configuration the median of the ratios run by run, and the bootstrap's interval of that median."""
    return {
        name: _interval([late[name] / early[name] for early, late in zip(before, after, strict=True)])
        for name in before[0]
    }


def geometric_mean(before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]) -> Ratio:
    """Over all configurations, of their ratios; run by run, and then as `compare`."""
    return _interval(
        [
            math.exp(statistics.fmean(math.log(late[name] / early[name]) for name in early))
            for early, late in zip(before, after, strict=True)
        ]
    )


def _interval(ratios: Sequence[float]) -> Ratio:
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return Ratio(statistics.median(ratios), medians[round(0.025 * RESAMPLES)], medians[round(0.975 * RESAMPLES) - 1])


if __name__ == "__main__":
    typer.run(main)
