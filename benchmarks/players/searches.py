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

from ringrift_core import _engine
from ringrift_core._engine import Player
from ringrift_core.arena.interval import measure

BASELINE = _engine.heuristic_weights("baseline")


def puct(simulations: int) -> Player:
    return Player.mcts(BASELINE, simulations=simulations, variant="puct", name=f"puct {simulations}")


def gumbel(simulations: int, considered: int = 16) -> Player:
    name = f"gumbel {simulations}, {considered} considered"
    return Player.mcts(BASELINE, simulations=simulations, variant="gumbel", considered=considered, name=name)


def descent(nodes: int, to_the_end: bool = False) -> Player:
    name = f"descent {nodes}" + (", to the end" if to_the_end else "")
    return Player.descent(BASELINE, nodes, name=name, to_the_end=to_the_end)


HEURISTIC = Player.heuristic(BASELINE, name="one ply")
PAIRS = [
    *((player, HEURISTIC) for player in (puct(64), puct(256), gumbel(64), gumbel(256))),
    *((descent(nodes), HEURISTIC) for nodes in (250, 1000, 4000)),
    (puct(64), gumbel(64)),
    (puct(256), gumbel(256)),
    (gumbel(64, considered=64), gumbel(64)),
    (puct(256), puct(64)),
    (gumbel(256), gumbel(64)),
    (descent(4000), descent(1000)),
    (descent(4000, to_the_end=True), descent(4000)),
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    report: dict[str, object] = {}
    strength = Table(title=f"{board}, {players} players: {groups} groups a pair", box=box.SIMPLE_HEAD)
    for heading in ("candidate", "opponent", "rate", "95 % interval"):
        strength.add_column(heading, justify="right" if heading[0] in "r9" else "left")
    for candidate, opponent in PAIRS:
        results = _engine.play_match(board, players, candidate, opponent, seed=1, groups=groups, threads=threads)
        rate = measure([one.score / players for one in results], players)
        strength.add_row(candidate.name, opponent.name, f"{rate.rate:.3f}", f"{rate.low:.3f}-{rate.high:.3f}")
        report[f"{candidate.name} : {opponent.name}"] = {"rate": rate.rate, "low": rate.low, "high": rate.high}
    speeds = Table(title="A decision on one core, without memory of those before", box=box.SIMPLE_HEAD)
    for heading in ("player", "ms", "nodes", "nodes/s"):
        speeds.add_column(heading, justify="left" if heading == "player" else "right")
    for player in (HEURISTIC, puct(64), puct(256), gumbel(64), gumbel(256), descent(4000)):
        one = speed(board, players, player)
        rate_per_second = 1000 * one.nodes / one.milliseconds
        speeds.add_row(player.name, f"{one.milliseconds:.2f}", f"{one.nodes:,.0f}", f"{rate_per_second:,.0f}")
        report[player.name] = {"milliseconds": one.milliseconds, "nodes": one.nodes}
    if as_json:
        typer.echo(json.dumps({"board": board, "players": players, "groups": groups, "searches": report}))
    else:
        console = Console()
        console.print(strength)
        console.print(speeds)


def speed(board: str, players: int, player: Player) -> Speed:
    """Single decisions without memory along one game; CPU time, so that other work on the machine does not count."""
    (record,) = _engine.play_games(board, players, [[player]], seed=1, games=1, opening_plies=6)
    position = _engine.Position(board, players)
    decisions = nodes = 0
    seconds = 0.0
    for move in _engine.notation(board, players, record.moves):
        if len(position.legal_moves()) > 1:
            begun = time.process_time()
            nodes += player.choose(position, decisions).nodes
            seconds += time.process_time() - begun
            decisions += 1
        position.play(move)
    return Speed(1000 * seconds / decisions, nodes / decisions)


if __name__ == "__main__":
    typer.run(main)
