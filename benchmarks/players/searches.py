"""Strength and speed of descent and tree search with the linear heuristic as evaluator. See README.md here."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.choices import choices
from ringrift_core import _engine
from ringrift_core._engine import Judge, Player
from ringrift_core.arena.interval import measure
from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, Seating

BASELINE = Judge.linear(_engine.heuristic_weights("baseline"))
"""For the settings of a search that no specification has; the others are seated by theirs, which need no board."""
SEATING = Seating.without_store(Board.SQUARE8, 2)


def seated(text: str, name: str) -> Player:
    return SEATING.player(Specification.parse(text), Manner(name))


def puct(simulations: int) -> Player:
    return seated(f"weights@0:puct:{simulations}", f"puct {simulations}")


def gumbel(simulations: int, considered: int = 16) -> Player:
    name = f"gumbel {simulations}, {considered} considered"
    return Player.tree_search(BASELINE, simulations, variant="gumbel", considered=considered, name=name)


def descent(nodes: int) -> Player:
    return seated(f"weights@0:descent:{nodes}", f"descent {nodes}")


def descent_to_the_end(nodes: int) -> Player:
    return Player.descent(BASELINE, nodes, name=f"descent {nodes}, to the end", to_the_end=True)


HEURISTIC = seated("weights@0:one-ply", "one ply")
PAIRS = [
    *((player, HEURISTIC) for player in (puct(64), puct(256), gumbel(64), gumbel(256))),
    *((descent(nodes), HEURISTIC) for nodes in (250, 1000, 4000)),
    (puct(64), gumbel(64)),
    (puct(256), gumbel(256)),
    (gumbel(64, considered=64), gumbel(64)),
    (puct(256), puct(64)),
    (gumbel(256), gumbel(64)),
    (descent(4000), descent(1000)),
    (descent_to_the_end(4000), descent(4000)),
    (puct(64), descent(4000)),
    (gumbel(64), descent(4000)),
]
"""Candidate and opponent. A simulation evaluates the some 50 moves of a leaf: 64 are about 3,000 nodes."""


@dataclass(frozen=True)
class Speed:
    """Of one decision on one core, over those of a game."""

    milliseconds: float
    nodes: float


def main(
    board: Annotated[str, typer.Option()] = "square8",
    players: Annotated[int, typer.Option(min=2, max=4)] = 2,
    groups: Annotated[int, typer.Option(min=10, help="Seat-rotated groups a pair.")] = 60,
    threads: Annotated[int, typer.Option(min=0, help="0 is every core.")] = 0,
    pair: Annotated[
        list[str] | None,
        typer.Option(help="Two specifications instead, such as 'weights:puct:64 weights:minimax:3000'; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    report: dict[str, object] = {}
    strength = Table(title=f"{board}, {players} players: {groups} groups a pair", box=box.SIMPLE_HEAD)
    for heading in ("candidate", "opponent", "rate", "95 % interval"):
        strength.add_column(heading, justify="right" if heading[0] in "r9" else "left")
    pairs = [_pair(text, Board(board), players) for text in pair] if pair else PAIRS
    for candidate, opponent in pairs:
        results = _engine.play_match(board, players, candidate, opponent, seed=1, groups=groups, threads=threads)
        rate = measure([one.score / players for one in results], players)
        strength.add_row(candidate.name, opponent.name, f"{rate.rate:.3f}", f"{rate.low:.3f}-{rate.high:.3f}")
        report[f"{candidate.name} : {opponent.name}"] = {"rate": rate.rate, "low": rate.low, "high": rate.high}
    speeds = Table(title="A decision on one core, without memory of those before", box=box.SIMPLE_HEAD)
    for heading in ("player", "ms", "nodes", "nodes/s"):
        speeds.add_column(heading, justify="left" if heading == "player" else "right")
    usual = (HEURISTIC, puct(64), puct(256), gumbel(64), gumbel(256), descent(4000))
    for player in {one.name: one for both in pairs for one in both}.values() if pair else usual:
        one = speed(Board(board), players, player)
        rate_per_second = 1000 * one.nodes / one.milliseconds
        speeds.add_row(player.name, f"{one.milliseconds:.2f}", f"{one.nodes:,.0f}", f"{rate_per_second:,.0f}")
        report[player.name] = {"milliseconds": one.milliseconds, "nodes": one.nodes}
    if as_json:
        typer.echo(json.dumps({"board": board, "players": players, "groups": groups, "searches": report}))
    else:
        console = Console()
        console.print(strength)
        console.print(speeds)


def _pair(text: str, board: Board, players: int) -> tuple[Player, Player]:
    seating = Seating.without_store(board, players)
    try:
        candidate, opponent = (seating.player(Specification.parse(one)) for one in text.split())
    except (WrongInputError, ValueError) as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="--pair") from None
    return candidate, opponent


def speed(board: Board, players: int, player: Player) -> Speed:
    """Single decisions without memory along one game; CPU time, so that other work on the machine does not count."""
    (record,) = _engine.play_games(board.value, players, [[player]], seed=1, games=1, opening_plies=6)
    decisions = nodes = 0
    seconds = 0.0
    for position in choices(board, players, record):
        begun = time.process_time()
        nodes += player.choose(position, decisions).nodes
        seconds += time.process_time() - begun
        decisions += 1
    return Speed(1000 * seconds / decisions, nodes / decisions)


if __name__ == "__main__":
    typer.run(main)
