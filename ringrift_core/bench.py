"""`ringrift bench rules`: how fast the rules run on one core, beside the public engines."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ringrift_core import _engine

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
"""Random play of the public Python and TypeScript engines, as measured for training.md on the machine it names."""

application = typer.Typer(help="Measure this machine.", no_args_is_help=True)


@application.callback()
def benchmarks() -> None:
    """Keeps `rules` a subcommand while it is the only one."""


@application.command()
def rules(
    seconds: Annotated[float, typer.Option(min=0.01, help="Work per figure and configuration, in seconds.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random games.")] = 1,
) -> None:
    """Uniformly random legal play to the end on one core, through the code that `ringrift conform` runs."""
    figures = {(board, players): _engine.bench(board, players, seconds, seed) for board, players in CONFIGURATIONS}
    if as_json:
        rates = {f"{board}-{players}p": round(one.moves) for (board, players), one in figures.items()}
        typer.echo(json.dumps({"moves_per_second": rates}))
        return
    Console().print(_table(figures))


def _table(figures: dict[tuple[str, int], _engine.BenchFigures]) -> Table:
    table = Table(
        title="Rules on one core, per second",
        caption="moves: recorded moves of random play, bookkeeping included, the full legal list built at every step.\n"
        "Public figures: random play, from training.md; the ratio is to the public Python engine.",
    )
    table.add_column("configuration")
    headings = ("moves", "decisions", "legal lists", "applies", "clones", "bytes", "Python", "TypeScript", "ratio")
    for heading in headings:
        table.add_column(heading, justify="right")
    for (board, players), one in figures.items():
        public = PUBLIC_MOVES_PER_SECOND.get((board, players))
        comparison = (f"{public[0]:,}", f"{public[1]:,}", f"{one.moves / public[0]:,.0f} x") if public else ("-",) * 3
        rates = (one.moves, one.decisions, one.legal_lists, one.applies, one.clones)
        table.add_row(f"{board}-{players}p", *(f"{rate:,.0f}" for rate in rates), f"{one.state_bytes:,}", *comparison)
    return table
