"""What CMA-ES finds with a small budget, by the stage itself, scored by games or by a network. See README.md here."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.core_seconds import core_seconds
from benchmarks.learning.exported import promote_network
from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.arena.interval import Rate, measure
from ringrift_core.cmaes.stage import cmaes_stage
from ringrift_core.contract import Board, CmaesParameters, CmaesResult, Evaluator, InitialWeights, Track
from ringrift_core.players.gates import gate_player
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.reporting import Reporter
from ringrift_core.seating import seat
from ringrift_core.stage import Run

MATCH_SEED = 99


@dataclass(frozen=True)
class Budget:
    """Of one search."""

    generations: int
    population: int
    games: int
    """A candidate's."""


@dataclass(frozen=True)
class Found:
    """What a search came to."""

    vector: list[float]
    games: int
    core_seconds: float


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Searches, with seeds 1, 2, ...")] = 5,
    start: Annotated[InitialWeights, typer.Option(help="Weights to start from.")] = InitialWeights.MATERIAL,
    generations: Annotated[str, typer.Option(help="Comma-separated: searches of each length.")] = "10",
    population: Annotated[int, typer.Option(min=2)] = 20,
    games: Annotated[int, typer.Option(min=2, help="Games per candidate.")] = 24,
    network: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="As `ringrift models export` writes it: searches whose games it scores, too.",
        ),
    ] = None,
    groups: Annotated[int, typer.Option(min=10, help="Groups of each match that measures.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    try:
        lengths = [int(each) for each in generations.split(",")]
    except ValueError:
        lengths = []
    if not lengths or min(lengths) < 1:
        raise typer.BadParameter(f"--generations {generations}: expected numbers above 0, such as 5,10,20")
    table = Table(title=f"CMA-ES on square8-2p from {start}, {seeds} searches each", box=box.SIMPLE_HEAD)
    for heading in ("scored by", "generations", "games", "core-s", "against start", "against baseline"):
        table.add_column(heading, justify="right")
    report = []
    for scored_by, length in product(("games", "network") if network else ("games",), lengths):
        found = [
            search(seed, start, Budget(length, population, games), network if scored_by == "network" else None)
            for seed in range(1, seeds + 1)
        ]
        played, spent = fmean(each.games for each in found), fmean(each.core_seconds for each in found)
        rates = [
            [rate_against(each.vector, against, groups).rate for each in found]
            for against in (start, InitialWeights.BASELINE)
        ]
        told = (f"{fmean(each):.3f} ({min(each):.3f}-{max(each):.3f})" for each in rates)
        table.add_row(scored_by, str(length), f"{played:,.0f}", f"{spent:.1f}", *told)
        line = {"scored_by": scored_by, "generations": length, "games": played, "core_seconds": round(spent, 3)}
        report.append(line | {"start": rates[0], "baseline": rates[1]})
    if as_json:
        typer.echo(json.dumps({"population": population, "games": games, "searches": report}))
    else:
        Console(width=120).print(table)


def search(seed: int, start: InitialWeights, budget: Budget, network: Path | None) -> Found:
    """What a search in a store of its own finds; `network` scores its games, where one is given."""
    with tempfile.TemporaryDirectory() as folder:
        parameters = CmaesParameters(
            store=Path(folder, "store").as_uri(),
            board=Board.SQUARE8,
            players=2,
            iteration=1,
            seed=seed,
            initial_weights=start,
            generations=budget.generations,
            population_size=budget.population,
            games_per_evaluation=budget.games,
            evaluator=Evaluator.GAMES if network is None else Evaluator.NEURAL,
            network_version=0 if network is None else 1,
        )
        archive = Archive.of(parameters)
        if network is not None:
            promote_network(network, archive, Board.SQUARE8, 2, Path(folder), "to score games")
        began = core_seconds()
        stage = cmaes_stage(parameters, Run(archive, Path(folder), Reporter(), datetime.now(UTC)))
        spent, result = core_seconds() - began, stage.answer(CmaesResult)
        if network is not None and result.evaluator is not Evaluator.NEURAL:
            raise typer.BadParameter(f"--network {network}: does not score: {result.because}")
        return Found(HeuristicWeights.load(archive, stage.outputs["candidate"]).vector, result.games, spent)


def rate_against(weights: list[float], setting: InitialWeights, groups: int) -> Rate:
    """A match of the weights against a documented setting."""
    gated = gate_player(Track.WEIGHTS, Board.SQUARE8, 2)
    candidate = seat(gated.search, HeuristicWeights.of_vector(weights, Board.SQUARE8, 2))
    opponent = seat(gated.search, HeuristicWeights.of_setting(setting, Board.SQUARE8, 2))
    results = _engine.play_match("square8", 2, candidate, opponent, seed=MATCH_SEED, groups=groups)
    return measure([result.score / 2 for result in results], 2)


if __name__ == "__main__":
    typer.run(main)
