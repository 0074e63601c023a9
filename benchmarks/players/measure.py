"""Speed of self-play, and strength of the built-in players. See README.md here."""

from __future__ import annotations

import json
import os
import time
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from ringrift_core import _engine
from ringrift_core._engine import Player
from ringrift_core.arena.interval import Rate, measure
from ringrift_core.contract import Board, InitialWeights
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, Seating

CONFIGURATIONS = [f"{board}-{players}p" for board in ("square8", "hex8") for players in (2, 3, 4)]
NOISE = 0.05
SEATS = {
    "random": ("random", InitialWeights.BASELINE),
    "baseline": ("weights@0:one-ply", InitialWeights.BASELINE),
    "material": ("weights@0:one-ply", InitialWeights.MATERIAL),
    "descent": ("weights@0:descent:1000", InitialWeights.BASELINE),
}
"""Who plays, and by which setting of the weights."""
PAIRS = {"baseline : random": 1.0, "baseline : material": 1.0, "descent : baseline": 0.1}
"""Candidate and opponent, and the share of --groups that they play."""


def main(
    configurations: Annotated[
        list[str] | None, typer.Argument(help="Such as square8-2p; all small ones by default.")
    ] = None,
    groups: Annotated[int, typer.Option(min=10, help="Groups per pairing; descent plays a tenth.")] = 500,
    threads: Annotated[int, typer.Option(min=0, help="0 is every core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    table = Table(title="Players: games per second of self-play, and rates with 95 % intervals", box=box.SIMPLE_HEAD)
    for heading in ("configuration", "games/s", *PAIRS):
        table.add_column(heading, justify="left" if heading == "configuration" else "right")
    report: dict[str, dict[str, object]] = {}
    for name in configurations or CONFIGURATIONS:
        board, players = configuration_of(name)
        speed = games_per_second(board, players, threads, groups)
        rates = {pair: play(board, players, pair, groups, threads) for pair in PAIRS}
        cells = (f"{rate.rate:.3f} ({rate.low:.3f}-{rate.high:.3f})" for rate in rates.values())
        table.add_row(name, f"{speed:,.0f}", *cells)
        report[name] = {"games_per_second": round(speed, 1)} | {
            pair: {"games": rate.games, "rate": rate.rate, "low": rate.low, "high": rate.high, "share": rate.share}
            for pair, rate in rates.items()
        }
    if as_json:
        typer.echo(json.dumps({"threads": threads or os.cpu_count(), "players": report}))
    else:
        Console().print(table)


def seated(name: str, board: str, players: int) -> Player:
    text, setting = SEATS[name]
    return Seating.without_store(Board(board), players, setting).player(Specification.parse(text), Manner(name, NOISE))


def games_per_second(board: str, players: int, threads: int, games: int) -> float:
    begun = time.perf_counter()
    _engine.play_games(board, players, [[seated("baseline", board, players)]], seed=1, games=games, threads=threads)
    return games / (time.perf_counter() - begun)


def play(board: str, players: int, pair: str, groups: int, threads: int) -> Rate:
    candidate, opponent = (seated(name, board, players) for name in pair.split(" : "))
    played = max(10, round(groups * PAIRS[pair]))
    results = _engine.play_match(board, players, candidate, opponent, seed=1, groups=played, threads=threads)
    return measure([one.score / players for one in results], players)


if __name__ == "__main__":
    typer.run(main)
