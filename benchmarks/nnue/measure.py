"""What an NNUE costs beside the linear heuristic: an evaluation, a node, a search to a depth. See README.md here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.one_at_a_time import decide_in_turn, positions
from ringrift_core import _engine
from ringrift_core._engine import Judge, Player, RulesError
from ringrift_core.contract import Board
from ringrift_core.nnue.network import Calibration, Nnue
from ringrift_core.seating import Seating

NODES = {Board.SQUARE8: 25_000, Board.HEX8: 25_000, Board.SQUARE19: 6_000, Board.HEXAGONAL: 6_000}
"""Those of rung 5."""
RATIO = "of linear's"
KERNELS = ("portable", "avx2", "avx512", "neon")


def main(
    configuration: Annotated[list[str] | None, typer.Option(help="Such as square8-2p; repeatable.")] = None,
    network: Annotated[Path | None, typer.Option(help="For the first configuration; else random ones.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="A measurement.")] = 2.0,
    depth: Annotated[list[int] | None, typer.Option(help="Also the time of searches so deep; repeatable.")] = None,
    number: Annotated[int, typer.Option("--positions", min=1, help="About so many are searched.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    report: dict[str, dict[str, dict[str, float]]] = {}
    for name in configuration or ["square8-2p", "square8-3p", "hexagonal-2p"]:
        board, players = Board(name.rpartition("-")[0]), int(name[-2])
        content = _random(board, players) if network is None else network.read_bytes()
        network = None
        judges = {"linear": Judge.linear(_engine.heuristic_weights("baseline"))}
        judges |= {f"nnue {kernel}": judge for kernel, judge in _by_kernel(content).items()}
        report[name] = _measured(board, players, judges, seconds, depth or [], number)
    if as_json:
        typer.echo(json.dumps(report))
        return
    for name, found in report.items():
        table = Table(title=name, box=box.SIMPLE_HEAD)
        table.add_column("judge")
        for heading in next(iter(found.values())):
            table.add_column(heading, justify="right")
        for who, figures in found.items():
            cells = (f"{figure:,.2f}" if heading == RATIO else f"{figure:,.1f}" for heading, figure in figures.items())
            table.add_row(who, *cells)
        Console().print(table)


def _random(board: Board, players: int) -> bytes:
    torch.manual_seed(1)
    return Nnue(board, players).file(Calibration())


def _by_kernel(content: bytes) -> dict[str, Judge]:
    found = {}
    for kernel in KERNELS:
        try:
            found[kernel] = Judge.nnue(content, kernel)
        except RulesError:  # This CPU has no such instructions.
            continue
    return found


def _measured(
    board: Board, players: int, judges: dict[str, Judge], seconds: float, depths: list[int], number: int
) -> dict[str, dict[str, float]]:
    """Of each judge, on the same positions of all."""
    sample = positions(Seating.without_store(board, players), number)
    searches = decide_in_turn([Player.minimax(judge, nodes=NODES[board]) for judge in judges.values()], sample)
    speeds = [1000 * search.nodes / sum(search.milliseconds) for search in searches]
    report = {}
    for (who, judge), speed in zip(judges.items(), speeds, strict=True):
        evaluation = _engine.bench_judge(board.value, players, judge, seconds=seconds)
        report[who] = {
            "from parent, ns": evaluation.from_parent_ns,
            "refreshed, ns": evaluation.refreshed_ns,
            "nodes/s": speed,
            RATIO: speed / speeds[0],
        }
    for depth in depths:
        searched = decide_in_turn([Player.minimax(judge, depth) for judge in judges.values()], sample)
        for who, decisions in zip(judges, searched, strict=True):
            report[who][f"depth {depth}, ms"] = decisions.mean
    return report


if __name__ == "__main__":
    typer.run(main)
