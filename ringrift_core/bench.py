"""`ringrift bench`: how fast the parts run, beside the public engines. Here: the rules and minimax, on one core."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from ringrift_core.contract import Board
from ringrift_core.selfplay.network_speed import measure_network
from ringrift_core.selfplay.speed import AsJson, measure_selfplay
from ringrift_core.streams import console

if TYPE_CHECKING:
    from ringrift_core._engine import BenchFigures, SearchFigures

__all__ = ["CONFIGURATIONS", "PUBLIC_MOVES_PER_SECOND", "PUBLIC_NODES_PER_SECOND", "application"]

CONFIGURATIONS = (
    ("square8", 2),
    ("square8", 3),
    ("square8", 4),
    ("hex8", 2),
    ("hex8", 3),
    ("hex8", 4),
    ("square19", 2),
    ("hexagonal", 2),
)

PUBLIC_MOVES_PER_SECOND = {
    ("square8", 2): (457, 1_924),
    ("square8", 3): (379, 1_638),
    ("square8", 4): (381, 1_504),
    ("square19", 2): (90, 390),
    ("hexagonal", 2): (72, 202),
}
"""Random play of the public Python and TypeScript engines: the figures of docs/training.md."""

PUBLIC_NODES_PER_SECOND = 885
"""Minimax of the public engine on square8, two players (docs/training.md)."""

application = typer.Typer(help="Measure this machine.", no_args_is_help=True)
application.command("selfplay")(measure_selfplay)
application.command("network")(measure_network)


def _a_number(value: float) -> float:
    if math.isnan(value):  # the one value that no range excludes
        raise typer.BadParameter("nan is not in the range 0.01<=x<=3600.")
    return value


Seconds = Annotated[
    float, typer.Option(min=0.01, max=3600, callback=_a_number, help="Seconds of play per configuration.")
]
Seed = Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Seed of the games.")]


@application.command()
def rules(
    seconds: Seconds = 1.0,
    as_json: AsJson = False,
    seed: Seed = 1,
) -> None:
    """Uniformly random legal play to the end on one core, through the code that `ringrift conform` runs."""
    from ringrift_core import _engine

    figures = {(board, players): _engine.bench(board, players, seconds, seed) for board, players in CONFIGURATIONS}
    if as_json:
        rates = {f"{board}-{players}p": round(one.moves_per_second) for (board, players), one in figures.items()}
        typer.echo(json.dumps({"moves_per_second": rates}))
        return
    screen = console()
    screen.print(_play_table(figures))
    screen.print(_parts_table(figures))


@application.command()
def search(
    seconds: Seconds = 3.0,
    as_json: AsJson = False,
    seed: Seed = 1,
) -> None:
    """Minimax with the hand-set weights against itself on one core, with the nodes of difficulty 5."""
    from ringrift_core import _engine

    figures = {name: _engine.bench_search(*name, _search_nodes(name[0]), seconds, seed) for name in CONFIGURATIONS}
    if as_json:
        rates = {f"{board}-{players}p": round(one.nodes_per_second) for (board, players), one in figures.items()}
        typer.echo(json.dumps({"nodes_per_second": rates}))
        return
    console().print(_search_table(figures))


def _search_nodes(board: str) -> int:
    from ringrift_core.players.ladder import rung
    from ringrift_core.players.specification import Count

    budget = rung(5).choices(Board(board), 2)[-1].search.budget
    assert isinstance(budget, Count)
    return budget.amount


def _search_table(figures: dict[tuple[str, int], SearchFigures]) -> Table:
    table = Table(
        title="Minimax on one core",
        caption="A node is one decision applied, those that complete turns included.\n"
        f"The public engine's minimax: {PUBLIC_NODES_PER_SECOND} nodes/s on square8-2p (docs/training.md).",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("configuration")
    for heading in ("nodes/s", "times public", "node cap", "mean depth", "decisions"):
        table.add_column(heading, justify="right")
    for (board, players), one in figures.items():
        times = f"{one.nodes_per_second / PUBLIC_NODES_PER_SECOND:,.0f}" if (board, players) == ("square8", 2) else ""
        row = (f"{_search_nodes(board):,}", f"{one.mean_depth:.1f}", f"{one.decisions:,}")
        table.add_row(f"{board}-{players}p", f"{one.nodes_per_second:,.0f}", times, *row)
    return table


def _play_table(figures: dict[tuple[str, int], BenchFigures]) -> Table:
    table = Table(
        title="Random play on one core, per second",
        caption="moves: recorded, bookkeeping included, the full legal list built at every step.\n"
        "Python, TS: the public engines in Python and TypeScript (docs/training.md), and how many times theirs.",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("configuration")
    for heading in ("moves", "decisions", "Python", "times", "TS", "times"):
        table.add_column(heading, justify="right")
    for (board, players), one in figures.items():
        row = [f"{one.moves_per_second:,.0f}", f"{one.decisions_per_second:,.0f}"]
        for rate in PUBLIC_MOVES_PER_SECOND.get((board, players), ()):
            row += [f"{rate:,}", f"{one.moves_per_second / rate:,.0f}"]
        table.add_row(f"{board}-{players}p", *row)
    return table


def _parts_table(figures: dict[tuple[str, int], BenchFigures]) -> Table:
    table = Table(title="Its parts alone, mean nanoseconds, and bytes per state", box=box.SIMPLE_HEAD)
    table.add_column("configuration")
    for heading in ("legal list", "its length", "apply", "clone", "bytes"):
        table.add_column(heading, justify="right")
    for (board, players), one in figures.items():
        row = (f"{one.legal_list_ns:.0f}", f"{one.legal_list_length:.1f}", f"{one.apply_ns:.0f}", f"{one.clone_ns:.0f}")
        table.add_row(f"{board}-{players}p", *row, f"{one.state_bytes:,}")
    return table
