"""What a run of learning is, and the folder that goes on with it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import typer

from benchmarks.learning.ledger import write_json
from ringrift_core.contract import Board, NetworkSize


@dataclass(frozen=True)
class Settings:
    """What a run is; a folder goes on with those that it was begun with."""

    board: Board
    players: int
    seed: int
    teacher: str
    first_games: int
    games: int
    player: str
    size: NetworkSize
    first_uses: int
    uses: int
    batch_size: int
    window: int
    outcome_weight: float
    surprise: float
    restart_share: float
    transfer: str
    """A folder with another board's network; empty for none."""
    matches: tuple[tuple[str, str], ...]
    match_games: int
    gate_every: int


def pair_of(text: str) -> tuple[str, str]:
    match text.split():
        case [candidate, opponent]:
            return candidate, opponent
    raise typer.BadParameter(f"--match {text!r}: expected two players, such as 'network:puct:64 weights@0:one-ply'")


def usual_matches(board: Board) -> tuple[tuple[str, str], ...]:
    """The network's policy and its search against players who never change: one ply, rungs 3 and 5."""
    small = board in (Board.SQUARE8, Board.HEX8)
    rungs = ("weights@0:minimax-2:12000", "weights@0:minimax:25000") if small else ("weights@0:minimax-2:2000",)
    return (
        ("network:policy", "weights@0:one-ply"),
        ("network:puct:64", "weights@0:one-ply"),
        *(("network:puct:64", rung) for rung in rungs),
    )


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Waits for what a killed run has left working in the folder: its children hold the same lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            typer.echo(f"{folder}: somebody works there: waiting for the end of it", err=True)
            flock(lock, LOCK_EX)
        yield


def remember(settings: Settings, folder: Path, may_change: bool) -> None:
    """Notes the settings of a new run; BadParameter where a folder was begun with others. Those are kept beside the new
    ones where they may change."""
    path, wanted = folder / "settings.json", json.loads(json.dumps(asdict(settings)))
    if not path.exists():
        write_json(path, wanted)
    begun = json.loads(path.read_text())
    differing = [
        f"{name} {begun.get(name)!r}, not {wanted[name]!r}" for name in wanted if begun.get(name) != wanted[name]
    ]
    if differing and not may_change:
        raise typer.BadParameter(
            f"{folder} was begun with {'; '.join(differing)}: give the same, or another folder, or --change them"
        )
    if differing:
        number = len(list(folder.glob("settings-until-*.json")))
        write_json(folder / f"settings-until-{number}.json", begun)
        write_json(path, wanted)
