"""`ringrift bench selfplay`: games per second of the stage itself, on one core and on several."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from ringrift_core.contract import (
    STAGE_PROGRAM,
    Board,
    EngineMode,
    SelfplayParameters,
    SelfplayResult,
    configuration_name,
    read_result,
    to_arguments,
)
from ringrift_core.errors import WrongInputError
from ringrift_core.files import scratch_folder, temporary_folder
from ringrift_core.streams import console

__all__ = ["GAMES", "PUBLIC_GAMES_PER_SECOND", "AsJson", "measure_selfplay"]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")]

GAMES: dict[tuple[Board, int], int] = {
    (Board.SQUARE8, 2): 6_000,
    (Board.SQUARE8, 3): 4_000,
    (Board.SQUARE8, 4): 4_000,
    (Board.HEX8, 2): 4_000,
    (Board.SQUARE19, 2): 300,
    (Board.HEXAGONAL, 2): 160,
}
"""Games of each configuration and round: some seconds a core."""

PUBLIC_GAMES_PER_SECOND = {(Board.SQUARE8, 2): 1 / 4.2}
"""Heuristic self-play of the public engine: docs/training.md."""


def measure_selfplay(
    share: Annotated[float, typer.Option(min=0.001, max=1000, help="Part of the usual number of games.")] = 1.0,
    cores: Annotated[int, typer.Option(min=1, max=1024, help="Cores to use, beside one alone.")] = 2,
    mode: Annotated[EngineMode, typer.Option(help="Who plays.")] = EngineMode.HEURISTIC_ONLY,
    rounds: Annotated[
        int, typer.Option(min=1, max=1000, help="Runs on one core and on all, in turns; the fastest count.")
    ] = 3,
    as_json: AsJson = False,
) -> None:
    """`ringrift selfplay` with an empty store in a temporary folder, as a process of its own on so many cores."""
    if not hasattr(os, "sched_setaffinity"):
        raise typer.BadParameter("this system cannot hold a process to some cores; Linux can", param_hint="--cores")
    allowed = sorted(os.sched_getaffinity(0))
    if cores > len(allowed):
        raise typer.BadParameter(f"{cores}, and this process may use {len(allowed)}", param_hint="--cores")
    try:
        temporary_folder()
    except WrongInputError as error:
        raise typer.BadParameter(str(error)) from None
    if mode in (EngineMode.NETWORK, EngineMode.NETWORK_AND_MINIMAX):
        raise typer.BadParameter(f"{mode}: `ringrift bench network` measures a network", param_hint="--mode")
    figures = {}
    for (board, players), games in GAMES.items():
        wanted = max(1, round(games * share))
        runs = []
        for turn in range(rounds):
            one = allowed[turn % cores]
            alone = _play(board, players, mode, max(1, wanted // cores), [one])
            runs.append((alone, _play(board, players, mode, wanted, allowed[:cores])))
        figures[configuration_name(board, players)] = _Figures.of(runs)
    if as_json:
        typer.echo(json.dumps(_report(figures, cores)))
    else:
        console().print(_table(figures, cores, mode))


def _play(board: Board, players: int, mode: EngineMode, games: int, cores: list[int]) -> SelfplayResult:
    """What the stage answers, run as a process."""
    with scratch_folder("ringrift-bench-") as folder:
        parameters = SelfplayParameters(
            store=(folder / "store").as_uri(),
            board=board,
            players=players,
            iteration=1,
            seed=1,
            games=games,
            engine_modes=(mode,),
        )
        result = folder / "result.json"
        command = [*STAGE_PROGRAM, *to_arguments(parameters), "--result", str(result)]
        ended = subprocess.run(
            command, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cores), check=False
        )
        if ended.returncode:
            raise typer.Exit(ended.returncode)
        return read_result(result.read_text()).answer(SelfplayResult)


@dataclass(frozen=True)
class _Figures:
    """Of one configuration; the fastest rounds count, since other work on the machine can only slow them."""

    one_core: float
    many_cores: float
    turns: float
    decisions: float
    cut_share: float

    @classmethod
    def of(cls, runs: list[tuple[SelfplayResult, SelfplayResult]]) -> _Figures:
        """From the stage's answers on one core and on many, a pair a round; every round plays the same games."""
        played = runs[0][1]
        return cls(
            one_core=max(one.games_per_second for one, _ in runs),
            many_cores=max(many.games_per_second for _, many in runs),
            turns=played.turns / played.games,
            decisions=played.decisions / played.games,
            cut_share=played.cut_share,
        )

    @property
    def scaling(self) -> float:
        return self.many_cores / self.one_core


def _report(figures: dict[str, _Figures], cores: int) -> dict[str, object]:
    return {
        "games_per_second": {name: round(one.many_cores, 1) for name, one in figures.items()},
        "one_core": {name: round(one.one_core, 1) for name, one in figures.items()},
        "cores": cores,
        "scaling": {name: round(one.scaling, 2) for name, one in figures.items()},
        "turns": {name: round(one.turns, 1) for name, one in figures.items()},
        "cut_share": {name: round(one.cut_share, 4) for name, one in figures.items()},
    }


def _table(figures: dict[str, _Figures], cores: int, mode: EngineMode) -> Table:
    table = Table(
        title=f"Self-play, {mode}, by the stage itself",
        caption="times: as many as the public engine's (docs/training.md).",
        box=box.SIMPLE_HEAD,
    )
    headings = ("games/s, 1 core", f"{cores} cores", "scaling", "times", "turns", "decisions", "cut")
    table.add_column("configuration")
    for heading in headings:
        table.add_column(heading, justify="right")
    public = {configuration_name(*key): rate for key, rate in PUBLIC_GAMES_PER_SECOND.items()}
    for name, one in figures.items():
        table.add_row(
            name,
            f"{one.one_core:,.1f}",
            f"{one.many_cores:,.1f}",
            f"{one.scaling:.2f}",
            f"{one.many_cores / public[name]:,.0f}" if name in public else "",
            f"{one.turns:.1f}",
            f"{one.decisions:.1f}",
            f"{one.cut_share:.1%}",
        )
    return table
