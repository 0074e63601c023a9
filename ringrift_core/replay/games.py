"""Recorded games in an SQLite file: the form of self-play's shards and of merged segments.

The file holds no clock times and is written in one transaction by one insert order, so the same games make the same
bytes (with the same SQLite version). `PRAGMA user_version` is the schema's version.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringrift_core.contract import Board, Profile
from ringrift_core.store import StoreRefusedError

if TYPE_CHECKING:
    from ringrift_core._engine import GameRecord

__all__ = ["SCHEMA_VERSION", "Game", "Rules", "count_games", "read_games", "write_games"]

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE games (
    number        INTEGER PRIMARY KEY,  -- order of recording
    id            TEXT NOT NULL UNIQUE, -- SHA-256 of profile, board, players, options, start and moves
    profile       TEXT NOT NULL,
    board         TEXT NOT NULL,
    players       INTEGER NOT NULL,
    options       TEXT NOT NULL,        -- JSON: rule options that are not the profile's own
    start         TEXT,                 -- JSON of the first state; NULL is the empty board
    moves         BLOB NOT NULL,        -- every recorded move in the engine's compact code
    seats         TEXT NOT NULL,        -- JSON list: the player that started at each seat
    winner        INTEGER,              -- seat; NULL when the game was cut
    ranks         TEXT,                 -- JSON list by seat; NULL when the game was cut
    reason        TEXT NOT NULL,        -- how it ended; max_moves when it was cut
    swapped       INTEGER NOT NULL,     -- 1: seats 1 and 2 changed hands
    turns         INTEGER NOT NULL,
    recorded_moves INTEGER NOT NULL,
    decisions     INTEGER NOT NULL      -- moves chosen among several
) STRICT;
"""

_COLUMNS = (
    "id, profile, board, players, options, start, moves, seats, winner, ranks, reason, swapped, turns, recorded_moves, "
    "decisions"
)


@dataclass(frozen=True)
class Rules:
    """What a game was played by."""

    board: Board
    players: int
    profile: Profile = Profile.CANONICAL
    swap: bool | None = None
    """The pie rule; None is the engine's own choice for the number of players."""

    @property
    def options(self) -> str:
        """The options as canonical JSON."""
        return json.dumps({} if self.swap is None else {"swap": self.swap})


@dataclass(frozen=True)
class Game:
    """One recorded game, as a row holds it."""

    id: str
    rules: Rules
    moves: bytes
    seats: tuple[str, ...]
    winner: int | None
    ranks: tuple[int, ...] | None
    reason: str
    swapped: bool
    turns: int
    recorded_moves: int
    decisions: int

    @property
    def completed(self) -> bool:
        """Whether the rules ended the game, and not the move limit."""
        return self.winner is not None

    @classmethod
    def from_record(cls, record: GameRecord, rules: Rules) -> Game:
        """A game as the engine's drivers return it."""
        return cls(
            id=record.game_id,
            rules=rules,
            moves=record.moves,
            seats=record.seats,
            winner=record.winner,
            ranks=record.ranks,
            reason=record.reason,
            swapped=record.swapped,
            turns=record.turns,
            recorded_moves=record.recorded_moves,
            decisions=record.decisions,
        )


def write_games(path: Path, games: Iterable[Game]) -> int:
    """Writes a new file and returns the number of games; ids must be distinct."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        # The file is private until it is uploaded, so it needs no journal to survive a crash.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.executescript(_SCHEMA)
        places = ", ".join("?" * len(_COLUMNS.split(",")))
        with connection:
            return connection.executemany(
                f"INSERT INTO games ({_COLUMNS}) VALUES ({places})", (_row(game) for game in games)
            ).rowcount


def read_games(path: Path, *, newest_first: bool = False) -> Iterator[Game]:
    """The games of a file in the order of recording, one at a time."""
    with closing(_open(path)) as connection:
        connection.row_factory = sqlite3.Row
        order = "DESC" if newest_first else "ASC"
        for row in connection.execute(f"SELECT {_COLUMNS} FROM games ORDER BY number {order}"):
            yield _game(row)


def count_games(path: Path) -> int:
    """The number of games in a file."""
    with closing(_open(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM games").fetchone()
    return int(count)


def _open(path: Path) -> sqlite3.Connection:
    # `immutable`: no lock files beside an object that may lie in a read-only folder.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreRefusedError(f"{path}: not a file of recorded games ({error})") from error
    if version != SCHEMA_VERSION:
        connection.close()
        raise StoreRefusedError(f"{path}: schema version {version}, this release reads {SCHEMA_VERSION}")
    return connection


def _row(game: Game) -> tuple[object, ...]:
    return (
        game.id,
        game.rules.profile.value,
        game.rules.board.value,
        game.rules.players,
        game.rules.options,
        None,
        game.moves,
        json.dumps(game.seats),
        game.winner,
        None if game.ranks is None else json.dumps(game.ranks),
        game.reason,
        int(game.swapped),
        game.turns,
        game.recorded_moves,
        game.decisions,
    )


def _game(row: sqlite3.Row) -> Game:
    swap = json.loads(row["options"]).get("swap")
    return Game(
        id=row["id"],
        rules=Rules(Board(row["board"]), row["players"], Profile(row["profile"]), swap),
        moves=row["moves"],
        seats=tuple(json.loads(row["seats"])),
        winner=row["winner"],
        ranks=None if row["ranks"] is None else tuple(json.loads(row["ranks"])),
        reason=row["reason"],
        swapped=bool(row["swapped"]),
        turns=row["turns"],
        recorded_moves=row["recorded_moves"],
        decisions=row["decisions"],
    )
