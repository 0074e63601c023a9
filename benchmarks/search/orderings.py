"""What each way of ordering moves saves: nodes and effective branching factor. See README.md here."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from ringrift_core import _engine


def main(
    configurations: Annotated[list[str] | None, typer.Argument(help="square8-2p by default.")] = None,
    depth: Annotated[int, typer.Option(min=1, max=20, help="Plies.")] = 4,
    positions: Annotated[int, typer.Option(min=1, help="Positions searched.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    report: dict[str, dict[str, dict[str, float]]] = {}
    for name in configurations or ["square8-2p"]:
        board, players = configuration_of(name)
        ways = _engine.bench_orderings(board, players, depth, positions)
        report[name] = {
            way: {"nodes": round(nodes), "branching": round(branching, 2)} for way, nodes, branching in ways
        }
    if as_json:
        typer.echo(json.dumps({"depth": depth, "positions": positions, "orderings": report}))
        return
    for name, table_of in report.items():
        table = Table(title=f"{name}, {depth} plies, {positions} positions", box=box.SIMPLE_HEAD)
        table.add_column("moves ordered")
        for heading in ("nodes", "branching factor", "times the nodes"):
            table.add_column(heading, justify="right")
        base = table_of["as it plays"]["nodes"]
        for way, figures in table_of.items():
            times = f"{figures['nodes'] / base:.2f}"
            table.add_row(way, f"{figures['nodes']:,}", f"{figures['branching']:.2f}", times)
        Console().print(table)


if __name__ == "__main__":
    typer.run(main)
