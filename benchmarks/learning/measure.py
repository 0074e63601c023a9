"""What a small CMA-ES budget is worth, through the stage itself. See README.md here."""

from __future__ import annotations

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.arena.interval import Rate, measure
from ringrift_core.cmaes.stage import cmaes_stage
from ringrift_core.contract import Board, CmaesParameters, InitialWeights, Track
from ringrift_core.players.gates import gate_player
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.reporting import Reporter
from ringrift_core.seating import seat
from ringrift_core.stage import Run

MATCH_SEED = 99


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Searches, with seeds 1, 2, ...")] = 5,
    start: Annotated[InitialWeights, typer.Option(help="Weights to start from.")] = InitialWeights.MATERIAL,
    generations: Annotated[int, typer.Option(min=1)] = 10,
    population: Annotated[int, typer.Option(min=2)] = 20,
    games: Annotated[int, typer.Option(min=2, help="Games per candidate.")] = 24,
    groups: Annotated[int, typer.Option(min=10, help="Groups of each match that measures.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    table = Table(title=f"CMA-ES on square8-2p from {start}: rates with 95 % intervals", box=box.SIMPLE_HEAD)
    for heading in ("seed", "seconds", "against start", "against baseline"):
        table.add_column(heading, justify="right")
    report = []
    for seed in range(1, seeds + 1):
        weights, seconds = search(seed, start, generations, population, games)
        rates = [rate_against(weights, setting, groups) for setting in (start, InitialWeights.BASELINE)]
        table.add_row(str(seed), f"{seconds:.1f}", *(f"{r.rate:.3f} ({r.low:.3f}-{r.high:.3f})" for r in rates))
        report.append({"seed": seed, "seconds": round(seconds, 1), "start": rates[0].rate, "baseline": rates[1].rate})
    if as_json:
        typer.echo(json.dumps({"generations": generations, "population": population, "games": games, "runs": report}))
    else:
        Console().print(table)


def search(
    seed: int, start: InitialWeights, generations: int, population: int, games: int
) -> tuple[list[float], float]:
    """The weights that a search in a store of its own finds, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        parameters = CmaesParameters(
            store=Path(folder).as_uri(),
            board=Board.SQUARE8,
            players=2,
            iteration=1,
            seed=seed,
            initial_weights=start,
            generations=generations,
            population_size=population,
            games_per_evaluation=games,
        )
        archive = Archive.of(parameters)
        started = time.monotonic()
        result = cmaes_stage(parameters, Run(archive, Path(folder), Reporter(), datetime.now(UTC)))
        seconds = time.monotonic() - started
        return HeuristicWeights.load(archive, result.outputs["candidate"]).vector, seconds


def rate_against(weights: list[float], setting: InitialWeights, groups: int) -> Rate:
    """A match of the weights against a documented setting."""
    gated = gate_player(Track.WEIGHTS, Board.SQUARE8, 2)
    candidate = seat(gated.search, HeuristicWeights.of_vector(weights, Board.SQUARE8, 2))
    opponent = seat(gated.search, HeuristicWeights.of_setting(setting, Board.SQUARE8, 2))
    results = _engine.play_match("square8", 2, candidate, opponent, seed=MATCH_SEED, groups=groups)
    return measure([result.score / 2 for result in results], 2)


if __name__ == "__main__":
    typer.run(main)
