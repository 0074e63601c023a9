"""What the encoding costs and what it cannot tell apart. See README.md here."""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.dataset.shards import write_npz
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, Seating

SEED = 1
NOISE = 0.05
CONFIGURATIONS = (
    ("square8", 2),
    ("square8", 3),
    ("square8", 4),
    ("hex8", 2),
    ("square19", 2),
    ("hexagonal", 2),
)
LARGE = frozenset({"square19", "hexagonal"})
GAMES_PER_CHUNK = 200

Columns = dict[str, NDArray[Any]]
Views = dict[int, dict[int, int]]
"""By the hash of a view: the keys of the states that look so, and a hash of each one's legal moves."""


@dataclass
class Figures:
    """What was found of one configuration and player."""

    configuration: str
    player: str
    rows: int = 0
    rows_per_second: float = 0
    bytes_per_row: float = 0
    bytes_per_state: float = 0
    states: int = 0
    """Distinct ones."""
    colliding: int = 0
    with_other_moves: int = 0
    colliding_by_planes: int = 0
    """By the planes alone, without global features: shows that collisions are found where there are some."""


def main(
    games: Annotated[int, typer.Option(min=4, help="Games of each kind; a quarter on the large boards.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    found = []
    for board, players in CONFIGURATIONS:
        seating = Seating.without_store(Board(board), players)
        for name, text in (("random", "random"), ("heuristic", "weights@0:one-ply")):
            player = seating.player(Specification.parse(text), Manner(name, NOISE))
            count = games // 4 if board in LARGE else games
            found.append(measure(board, players, player, count))
    if as_json:
        typer.echo(json.dumps({"games": games, "figures": [asdict(figures) for figures in found]}))
    else:
        Console(width=160).print(table(found))


def measure(board: str, players: int, player: _engine.Player, games: int) -> Figures:
    """Plays games and encodes all of their decisions."""
    figures = Figures(f"{board}-{players}p", player.name)
    seen: Views = defaultdict(dict)
    by_planes: Views = defaultdict(dict)
    seconds, size, states = 0.0, 0, 0
    for first in range(0, games, GAMES_PER_CHUNK):
        records = _engine.play_games(
            board, players, [[player]], seed=SEED, first_game=first, games=min(GAMES_PER_CHUNK, games - first)
        )
        sources = [(record.game_id, record.moves, record.searches, None) for record in records]
        began = time.process_time()
        rows = _engine.encode_rows(board, players, sources, threads=1)
        seconds += time.process_time() - began
        figures.rows += len(rows["games"])
        size += file_size(rows)
        rows = _engine.encode_rows(board, players, sources, exact_states=True)
        states += len(rows["states"])
        remember(rows, seen, by_planes)
    figures.rows_per_second = round(figures.rows / seconds)
    figures.bytes_per_row = round(size / figures.rows, 1)
    figures.bytes_per_state = round(states / figures.rows, 1)
    figures.states = sum(len(group) for group in seen.values())
    groups = [group for group in seen.values() if len(group) > 1]
    figures.colliding = sum(len(group) for group in groups)
    figures.with_other_moves = sum(len(group) for group in groups if len(set(group.values())) > 1)
    figures.colliding_by_planes = sum(len(group) for group in by_planes.values() if len(group) > 1)
    return figures


def file_size(rows: Columns) -> int:
    """Bytes of the rows as a dataset's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        write_npz(path, rows)
        return path.stat().st_size


def remember(rows: Columns, seen: Views, by_planes: Views) -> None:
    """Files every state's key, with a hash of its legal moves, under what a network sees, and under its planes."""
    ends = np.cumsum(rows["state_lengths"], dtype=np.int64)
    for row, end in enumerate(ends):
        state = rows["states"][end - rows["state_lengths"][row] : end].tobytes()
        position = _engine.Position.from_bytes(state)
        key, planes = position.search_key(), rows["planes"][row].tobytes()
        group = seen[hash((planes, rows["globals"][row].tobytes()))]
        if key not in group:
            group[key] = by_planes[hash(planes)][key] = hash(frozenset(_engine.move_keys(position).values()))


def table(found: list[Figures]) -> Table:
    headings = (
        "player",
        "rows",
        "rows/s",
        "bytes a row",
        "bytes a state",
        "distinct states",
        "colliding",
        "share",
        "with other moves",
        "by planes alone",
    )
    shown = Table("configuration", box=box.SIMPLE_HEAD)
    for heading in headings:
        shown.add_column(heading, justify="right")
    for one in found:
        shown.add_row(
            one.configuration,
            one.player,
            f"{one.rows:,}",
            f"{one.rows_per_second:,.0f}",
            f"{one.bytes_per_row:,.1f}",
            f"{one.bytes_per_state:,.1f}",
            f"{one.states:,}",
            f"{one.colliding:,}",
            f"{one.colliding / one.states:.4%}",
            f"{one.with_other_moves:,}",
            f"{one.colliding_by_planes:,}",
        )
    return shown


if __name__ == "__main__":
    typer.run(main)
