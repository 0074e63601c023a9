"""`ringrift bench network`: what a network costs, asked alone and inside self-play."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ringrift_core.contract import Board, NetworkSize, configuration_name
from ringrift_core.cores import available_cores
from ringrift_core.errors import WrongInputError
from ringrift_core.files import scratch_folder
from ringrift_core.players.specification import Specification
from ringrift_core.selfplay.speed import AsJson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ringrift_core.nn.inference import AskedNetwork

__all__ = ["BATCHES", "measure_network"]

BATCHES = (1, 8, 128)
"""A person's game, a small match, self-play."""

MOST_GAMES = 1_000_000
"""More than a measurement comes to."""


@dataclass
class _Asked:
    """What was asked of a network, and for how long."""

    rows: int = 0
    calls: int = 0
    seconds: float = 0.0
    core_seconds: float = 0.0


@dataclass(frozen=True)
class _Figures:
    evaluations_per_second: dict[int, float]
    """By batch, asked one after the other."""
    inside_selfplay: float
    """Evaluations a second."""
    games_per_second: float
    mean_batch: float
    in_network: float
    """Share of the time in which somebody waits for the network."""
    core_shares: dict[str, float]
    """Of the core-time inside self-play: the network, search, and the rest: encoding positions for the network, reading
    what it answers, handing both over, and records of games."""
    processor: float
    """Cores in use, on average."""


def measure_network(
    board: Annotated[Board, typer.Option(help="Board.")] = Board.SQUARE8,
    players: Annotated[int, typer.Option(min=2, max=4, help="Seats.")] = 2,
    size: Annotated[NetworkSize, typer.Option(help="Size of the network, which is untrained.")] = NetworkSize.SMALL,
    network: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An ONNX file in place of an untrained network.")
    ] = None,
    player: Annotated[str, typer.Option(help="Who plays against itself.")] = "network:gumbel:64",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Of each measurement.")] = 10.0,
    as_json: AsJson = False,
) -> None:
    """How many positions a second a network evaluates by ONNX Runtime on this machine's cores."""
    try:
        specification = Specification.parse(player)
        with scratch_folder("ringrift-bench-") as folder:
            file = network or _untrained(board, players, size, folder)
            figures = _measure(board, players, file, specification, seconds)
    except (WrongInputError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    report = {
        "configuration": configuration_name(board, players),
        "network": str(network) if network else f"{size}, untrained",
        "player": player,
        "cores": available_cores(),
        **asdict(figures),
    }
    if as_json:
        typer.echo(json.dumps(report))
    else:
        Console().print(_table(report, figures))


def _untrained(board: Board, players: int, size: NetworkSize, folder: Path) -> Path:
    try:
        from ringrift_core.nn.network import NetworkShape
        from ringrift_core.nn.quantised import export_untrained
    except ModuleNotFoundError as missing:
        raise WrongInputError(
            f"an untrained network needs {missing.name}: pip install 'ringrift[train]', or name a --network"
        ) from missing
    export_untrained(NetworkShape.of_size(board, players, size), 1, folder / "network.onnx")
    return folder / "network.onnx"


def _measure(board: Board, players: int, file: Path, player: Specification, seconds: float) -> _Figures:
    from ringrift_core import _engine
    from ringrift_core.nn.inference import onnx_network_of
    from ringrift_core.nn.random_positions import random_positions
    from ringrift_core.seating import Manner, seat

    network = onnx_network_of(file, board, players)
    alone = {batch: _alone(network, *random_positions(board, players, batch), seconds) for batch in BATCHES}
    counted, games = _Asked(), 0
    began, processor = time.perf_counter(), time.process_time()

    def receive(finished: list[_engine.GameRecord]) -> bool:
        nonlocal games
        games += len(finished)
        return time.perf_counter() - began < seconds

    seated = seat(player.search, _counting(network, counted), Manner(noise=1.0))
    core_time = _engine.CoreTime()
    _engine.play_games(
        board.value,
        players,
        [[seated]],
        seed=1,
        games=MOST_GAMES,
        opening_plies=4,
        receive=receive,
        core_time=core_time,
    )
    wall, cpu = time.perf_counter() - began, time.process_time() - processor
    return _Figures(
        evaluations_per_second={batch: round(rate, 1) for batch, rate in alone.items()},
        inside_selfplay=round(counted.rows / wall, 1),
        games_per_second=round(games / wall, 2),
        mean_batch=round(counted.rows / max(1, counted.calls), 1),
        in_network=round(counted.seconds / wall, 3),
        core_shares=_shares(counted.core_seconds, core_time.opponent[1], cpu),
        processor=round(cpu / wall, 2),
    )


def _shares(network: float, search: float, all_together: float) -> dict[str, float]:
    parts = {"network": network, "search": search, "encoding and the rest": all_together - network - search}
    return {name: round(part / all_together, 3) for name, part in parts.items()}


def _alone(network: AskedNetwork, planes: NDArray[np.float32], features: NDArray[np.float32], seconds: float) -> float:
    """Positions a second, asked for value and policy one batch after the other."""
    for _ in range(3):
        network.values_and_policy(planes, features)
    began, rows = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        network.values_and_policy(planes, features)
        rows += len(planes)
    return rows / (time.perf_counter() - began)


def _counting(network: AskedNetwork, counted: _Asked) -> AskedNetwork:
    """The same network, which says how often it is asked."""
    from ringrift_core.nn.inference import AskedNetwork

    def count(ask: Callable[..., object]) -> Callable[..., object]:
        def asked(planes: NDArray[np.float32], features: NDArray[np.float32]) -> object:
            began, processor = time.perf_counter(), time.process_time()
            answer = ask(planes, features)
            counted.seconds += time.perf_counter() - began
            counted.core_seconds += time.process_time() - processor
            counted.rows += len(planes)
            counted.calls += 1
            return answer

        return asked

    return AskedNetwork(count(network.values), count(network.values_and_policy))  # type: ignore[arg-type]


def _table(report: dict[str, object], figures: _Figures) -> Table:
    table = Table(title=f"{report['configuration']}, {report['network']}, {report['cores']} cores", box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column("per second", justify="right")
    for batch, rate in figures.evaluations_per_second.items():
        table.add_row(f"evaluations, batch of {batch}", f"{rate:,.0f}")
    inside = f"evaluations inside self-play, batches of {figures.mean_batch:.0f}"
    table.add_row(inside, f"{figures.inside_selfplay:,.0f}")
    table.add_row(f"games of {report['player']}", f"{figures.games_per_second:,.2f}")
    shares = ", ".join(f"{name} {share:.0%}" for name, share in figures.core_shares.items())
    waited = f"{figures.in_network:.0%} of the time somebody waits for the network"
    table.caption = f"{waited}, {figures.processor:.2f} cores in use: {shares}"
    return table
