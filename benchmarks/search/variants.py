"""Max^n, paranoid and best-reply search against one another. See README.md here."""

from __future__ import annotations

import itertools
import json
import time
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from ringrift_core import _engine
from ringrift_core._engine import Judge, Player
from ringrift_core.arena.interval import Rate, measure

VARIANTS = ("max_n", "paranoid", "best_reply")
JUDGE = Judge.linear(_engine.heuristic_weights("baseline"))


def main(
    configurations: Annotated[list[str] | None, typer.Argument(help="square8-3p and square8-4p by default.")] = None,
    groups: Annotated[int, typer.Option(min=10, help="Seat-rotated groups per pair.")] = 60,
    nodes: Annotated[int, typer.Option(min=1, help="Of a decision, at equal nodes.")] = 20_000,
    seconds: Annotated[float, typer.Option(min=0.0001, help="Of a decision, at equal time.")] = 0.01,
    threads: Annotated[int, typer.Option(min=0, help="0 is every core; at equal time, at most the idle ones.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    budgets: dict[str, dict[str, float]] = {
        f"{nodes:,} nodes": {"nodes": nodes},
        f"{seconds:g} s": {"seconds": seconds},
    }
    table = Table(title="Rate of the first variant against the second, with 95 % interval", box=box.SIMPLE_HEAD)
    for heading in ("configuration", "budget", "pair", "rate", "games", "wall s"):
        table.add_column(heading, justify="left" if heading in ("configuration", "budget", "pair") else "right")
    report: list[dict[str, object]] = []
    for name in configurations or ["square8-3p", "square8-4p"]:
        board, players = configuration_of(name)
        for budget, pair in itertools.product(budgets, itertools.combinations(VARIANTS, 2)):
            begun = time.perf_counter()
            rate = play(board, players, pair, budgets[budget], groups, threads)
            wall = time.perf_counter() - begun
            typer.echo(f"{name}, {budget}: {' : '.join(pair)} {rate.rate:.3f}", err=True)
            cells = (f"{rate.rate:.3f} ({rate.low:.3f}-{rate.high:.3f})", str(rate.games), f"{wall:.0f}")
            table.add_row(name, budget, " : ".join(pair), *cells)
            report.append(
                {"configuration": name, "budget": budget, "pair": pair, "rate": rate.rate, "low": rate.low}
                | {"high": rate.high, "share": rate.share, "games": rate.games, "wall_seconds": round(wall, 1)}
            )
    if as_json:
        typer.echo(json.dumps({"threads": threads, "variants": report}))
    else:
        Console().print(table)


def play(board: str, players: int, pair: tuple[str, ...], budget: dict[str, float], groups: int, threads: int) -> Rate:
    first, second = (Player.minimax(JUDGE, variant=variant, name=variant, **budget) for variant in pair)  # type: ignore[arg-type]
    results = _engine.play_match(board, players, first, second, seed=1, groups=groups, threads=threads)
    return measure([one.score / players for one in results], players)


if __name__ == "__main__":
    typer.run(main)
