"""The learning curve of a run: Elo of every generation against players who never change, over core-hours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from ringrift_core.arena.ratings import Ranking, rate

FIXED = "weights@0:one-ply"
"""Elo 0."""


def main(
    generations: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="generations.jsonl of a run.")],
    configuration: Annotated[str, typer.Option(help="The run's, such as square8-2p.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    # A line that a kill cut short is none.
    lines = [json.loads(line) for line in generations.read_text().splitlines(keepends=True) if line.endswith("\n")]
    opponents = {match["opponent"] for line in lines for match in line["matches"]}
    if FIXED not in opponents:
        raise typer.BadParameter(f"{generations}: no generation has played against {FIXED}, which Elo is counted from")
    _, players = configuration_of(configuration)
    curve = curve_of(lines, players)
    if as_json:
        typer.echo(json.dumps(curve))
        return
    searches = sorted({name for point in curve for name in point["elo"]})
    table = Table(title=f"Elo above {FIXED}, with 95 % as if no games shared openings", box=box.SIMPLE_HEAD)
    for heading in ("generation", "core-hours", *searches):
        table.add_column(heading, justify="right")
    for point in curve:
        cells = ("{} ({} to {})".format(*point["elo"][name]) for name in searches)
        table.add_row(str(point["generation"]), f"{point['core_hours']:.2f}", *cells)
    Console().print(table)


def curve_of(lines: list[dict[str, Any]], players: int) -> list[dict[str, Any]]:
    """Of each generation what the searches with its network are worth, all rated at once: what they met is the same."""
    ratings = rate(
        [ranking for line in lines for match in line["matches"] for ranking in _rankings(line, match, players)],
        pseudo_games=1,
    )
    return [
        {
            "generation": line["generation"],
            "core_hours": line["core_hours"],
            "elo": {
                match["candidate"]: [round(each) for each in ratings.difference(_name(line, match), FIXED)]
                for match in line["matches"]
            },
        }
        for line in lines
    ]


def _name(line: dict[str, Any], match: dict[str, Any]) -> str:
    return f"{match['candidate']} of generation {line['generation']}"


def _rankings(line: dict[str, Any], match: dict[str, Any], players: int) -> list[Ranking]:
    """A line tells how many games were won, not which: each is a group of its own."""
    won = round(match["share"] * match["games"])
    seats = (_name(line, match), *(match["opponent"] for _ in range(players - 1)))
    return [Ranking.of_winner(seats, 0 if game < won else 1) for game in range(match["games"])]


if __name__ == "__main__":
    typer.run(main)
