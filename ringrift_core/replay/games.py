"""Recorded games in an SQLite file: the form of self-play's shards and of merged segments (docs/replay.md).

A file under work is in WAL mode: what was committed survives a crash, and a person can query it meanwhile. A finished
file is one plain file without companions, and the same games make the same bytes (with the same SQLite version): it
holds no clock times, and its pages depend on its rows alone.
"""

from __future__ import annotations

import functools
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Json, TypeAdapter, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from ringrift_core.contract import Board, Profile, first_fault
from ringrift_core.errors import StoreAwayError, StoreRefusedError

if TYPE_CHECKING:
    from ringrift_core._engine import GameRecord

__all__ = [
    "COLUMNS",
    "SCHEMA",
    "SCHEMA_VERSION",
    "Ending",
    "GamesWriter",
    "RecordedGame",
    "Rules",
    "connect",
    "count_games",
    "explained",
    "game_of",
    "open_games",
    "read_games",
    "read_rules",
    "require_rules",
]

SCHEMA_VERSION = 2

SCHEMA = """
CREATE TABLE rules (                     -- one row: what every game of this file was played by
    board    TEXT NOT NULL,
    players  INTEGER NOT NULL,
    profile  TEXT NOT NULL,
    swap     INTEGER NOT NULL,           -- 1: with the pie rule
    start    TEXT NOT NULL               -- initial: from the empty board
) STRICT;
CREATE TABLE games (
    number         INTEGER PRIMARY KEY,  -- shard: number of the game in its iteration; segment: order of merging
    id             BLOB NOT NULL,        -- SHA-256 of rules and moves
    seats          TEXT NOT NULL,        -- JSON list: the player that started at each seat
    winner         INTEGER,              -- seat; NULL when the game was cut
    ranks          TEXT,                 -- JSON list by seat; NULL when the game was cut
    reason         TEXT NOT NULL,        -- how it ended; max_moves when it was cut
    swapped        INTEGER NOT NULL,     -- 1: the players of seats 1 and 2 changed places
    turns          INTEGER NOT NULL,
    recorded_moves INTEGER NOT NULL,     -- bookkeeping included
    decisions      INTEGER NOT NULL,     -- moves chosen among several
    moves          BLOB NOT NULL,        -- packed: a byte for the kind, one or two for each field
    searches       BLOB                  -- what searches found, by decision; NULL when nobody searched
) STRICT;
CREATE INDEX games_by_id ON games (id);
"""

COLUMNS = "id, seats, winner, ranks, reason, swapped, turns, recorded_moves, decisions, moves, searches"
"""Every column of a game but its number, which is the file's own."""

_NO_ACCESS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
"""SQLite's primary codes for what this user may not open or write there."""

_AWAY = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM}
"""SQLite's primary codes for what may be otherwise next time."""


@dataclass(frozen=True)
class Rules:
    """What a game was played by."""

    board: Board
    players: Annotated[int, Field(ge=2, le=4)]
    profile: Profile
    swap: bool
    """Whether seat 2 could take over seat 1's opening (the pie rule)."""

    @classmethod
    def usual(cls, board: Board, players: int) -> Rules:
        """The written rules; the pie rule is for two players."""
        return cls(board, players, Profile.CANONICAL, swap=players == 2)

    def __str__(self) -> str:
        swap = "with" if self.swap else "without"
        return f"{self.board}-{self.players}p, profile {self.profile}, {swap} the pie rule"


@dataclass(frozen=True)
class RecordedGame:
    """One recorded game, as a row holds it."""

    number: int
    id: str
    rules: Rules
    seats: tuple[str, ...]
    winner: int | None
    ranks: tuple[int, ...] | None
    reason: str
    swapped: bool
    turns: int
    recorded_moves: int
    decisions: int
    moves: bytes
    searches: bytes

    @property
    def completed(self) -> bool:
        """Whether the rules ended the game, and not the move limit."""
        return self.winner is not None

    @classmethod
    def from_record(cls, record: GameRecord, rules: Rules) -> RecordedGame:
        """A game as the engine's drivers return it."""
        return cls(
            number=record.index,
            id=record.game_id,
            rules=rules,
            seats=record.seats,
            winner=record.winner,
            ranks=record.ranks,
            reason=record.reason,
            swapped=record.swapped,
            turns=record.turns,
            recorded_moves=record.recorded_moves,
            decisions=record.decisions,
            moves=record.moves,
            searches=record.searches,
        )


class Ending(BaseModel):
    """Who played a game and how it ended, checked: a file may hold what no game has."""

    model_config = ConfigDict(strict=True, frozen=True)

    seats: Json[tuple[str, ...]]
    winner: Annotated[int, Field(ge=1)] | None
    ranks: Json[tuple[int, ...]] | None
    reason: str
    swapped: Annotated[int, Field(ge=0, le=1)]

    @classmethod
    def of(cls, row: sqlite3.Row, rules: Rules) -> Self:
        """From a row with these columns; ValueError when no game by the rules can be so."""
        return cls.model_validate(dict(row), context=rules)

    @model_validator(mode="after")
    def _fits_the_rules(self, info: ValidationInfo[Rules]) -> Self:
        players = info.context.players
        for name, values in (("seats", self.seats), ("ranks", self.ranks)):
            if values is not None and len(values) != players:
                raise PydanticCustomError("length", f"{name}: {len(values)} of them, expected {players}")
        if self.winner is not None and self.winner > players:
            raise PydanticCustomError("winner", f"winner: seat {self.winner} of {players}")
        if (self.winner is None) != (self.ranks is None):
            raise PydanticCustomError("ranks", "winner and ranks: one without the other")
        return self


Count = Annotated[int, Field(ge=0, strict=True)]


class _Row(Ending):
    """A whole row, checked."""

    number: Count
    id: Annotated[bytes, Field(min_length=32, max_length=32)]
    turns: Count
    recorded_moves: Count
    decisions: Count
    moves: bytes
    searches: bytes | None


_RULES = TypeAdapter(Rules)


def connect(
    address: str, *, uri: bool = False, isolation_level: Literal["DEFERRED"] | None = "DEFERRED"
) -> sqlite3.Connection:
    """Opens a file, as `sqlite3.connect` does; what SQLite sorts stays in memory.

    Its temporary files would lie in a folder of its own choice: SQLITE_TMPDIR, /var/tmp, the working folder. What is
    sorted is the index of the ids, some 100 bytes a game of the file that is being made.
    """
    connection = sqlite3.connect(address, uri=uri, isolation_level=isolation_level)
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


class GamesWriter:
    """A file under work, new or gone on with. Each `append` is one transaction: a crash loses none that returned."""

    def __init__(self, path: Path, rules: Rules) -> None:
        """StoreRefusedError when the file is there and is none, or of other rules."""
        self.path = path
        self.rules = rules
        with explained(path):
            self._connection = connect(str(path))
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        # With WAL this keeps every commit through a crash of the process, and a whole file through one of the machine.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables == 0:
            create_schema(self._connection, self.rules)
        found = _check(self._connection, self.path)
        if found != self.rules:
            raise StoreRefusedError(f"{self.path}: games of {found}, not {self.rules}")

    def numbers(self) -> set[int]:
        """The games that are recorded already."""
        with explained(self.path):
            return {number for (number,) in self._connection.execute("SELECT number FROM games")}

    def append(self, games: Iterable[RecordedGame]) -> None:
        """Records games, all or none; a number can be used once."""
        with explained(self.path), self._connection:
            self._connection.executemany(
                f"INSERT INTO games (number, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_row(game) for game in games),
            )

    def seal(self, target: Path) -> int:
        """Writes the games as a finished file, whatever the order they came in, and returns their number."""
        target.unlink(missing_ok=True)
        with explained(target):
            try:
                self._connection.execute("VACUUM INTO ?", (str(target),))
            except sqlite3.Error:
                target.unlink(missing_ok=True)
                raise
            (count,) = self._connection.execute("SELECT count(*) FROM games").fetchone()
        return int(count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the work; the file stays, with everything in it that was appended."""
        self._connection.close()


def create_schema(connection: sqlite3.Connection, rules: Rules) -> None:
    """Makes the tables of a new file."""
    values = f"VALUES ('{rules.board}', {rules.players}, '{rules.profile}', {rules.swap:d}, 'initial')"
    connection.executescript(
        f"BEGIN; PRAGMA user_version = {SCHEMA_VERSION}; {SCHEMA} INSERT INTO rules {values}; COMMIT"
    )


def open_games(path: Path) -> sqlite3.Connection:
    """A file for reading; StoreRefusedError when it is none of this release's."""
    with explained(path):
        if not path.is_file():
            raise StoreRefusedError(f"{path}: no such file")
        # A finished file is never written again: no lock files beside it, which may lie in a read-only folder. One
        # under work has its newest games in the companion that ends in -wal.
        immutable = "" if path.with_name(path.name + "-wal").exists() else "&immutable=1"
        connection = connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True)
        try:
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def read_rules(path: Path) -> Rules:
    """What the games of a file were played by."""
    with closing(open_games(path)) as connection, explained(path):
        return _rules(connection)


def require_rules(path: Path, wanted: Rules) -> None:
    """StoreRefusedError when the games of a file were played by other rules, on another board say."""
    found = read_rules(path)
    if found != wanted:
        raise StoreRefusedError(f"{path}: games of {found}, not {wanted}")


def read_games(path: Path) -> Iterator[RecordedGame]:
    """The games of a file in the order of recording, one at a time."""
    with closing(open_games(path)) as connection, explained(path):
        rules = _rules(connection)
        connection.row_factory = sqlite3.Row
        for row in connection.execute(f"SELECT number, {COLUMNS} FROM games ORDER BY number"):
            yield game_of(row, rules)


def count_games(path: Path) -> int:
    """The number of games in a file."""
    with closing(open_games(path)) as connection, explained(path):
        (count,) = connection.execute("SELECT count(*) FROM games").fetchone()
    return int(count)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors as the store's: one sentence that names the file, and whether trying again can help."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _AWAY:
            free = shutil.disk_usage(path.parent).free
            raise StoreAwayError(f"{path}: {error} ({free:,} bytes are free on its disk)") from error
        if code is not None and code & 0xFF in _NO_ACCESS:
            raise StoreRefusedError(f"{path}: {error}; may this user open it, and write to its folder?") from error
        raise StoreRefusedError(f"{path}: damaged, or no file of recorded games ({error})") from error
    except ValueError as error:
        # A value that the columns allow and games do not have, such as a list that is no JSON.
        fault = first_fault(error) if isinstance(error, ValidationError) else error
        raise StoreRefusedError(f"{path}: damaged ({fault})") from error


def _check(connection: sqlite3.Connection, path: Path) -> Rules:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        raise StoreRefusedError(f"{path}: an empty file, without recorded games")
    if version != SCHEMA_VERSION:
        raise StoreRefusedError(f"{path}: schema version {version}, this release reads {SCHEMA_VERSION}")
    return _rules(connection)


def _rules(connection: sqlite3.Connection) -> Rules:
    found = connection.execute("SELECT board, players, profile, swap FROM rules").fetchall()
    if len(found) != 1:
        raise ValueError(f"{len(found)} rows in the table rules")
    return _RULES.validate_python(dict(zip(("board", "players", "profile", "swap"), found[0], strict=True)))


def _row(game: RecordedGame) -> tuple[object, ...]:
    return (
        game.number,
        bytes.fromhex(game.id),
        _json(game.seats),
        game.winner,
        None if game.ranks is None else _json(game.ranks),
        game.reason,
        int(game.swapped),
        game.turns,
        game.recorded_moves,
        game.decisions,
        game.moves,
        game.searches or None,
    )


@functools.lru_cache(maxsize=4096)
def _json(values: tuple[str, ...] | tuple[int, ...]) -> str:
    """A list as JSON; few different ones come again and again."""
    return json.dumps(values, separators=(",", ":"))


def game_of(row: sqlite3.Row, rules: Rules) -> RecordedGame:
    """A game from a row with its number and COLUMNS; ValueError when no game by the rules can be so."""
    try:
        found = _Row.of(row, rules)
    except ValidationError as error:
        raise ValueError(f"game {row['number']}: {first_fault(error)}") from error
    return RecordedGame(
        number=found.number,
        id=found.id.hex(),
        rules=rules,
        seats=found.seats,
        winner=found.winner,
        ranks=found.ranks,
        reason=found.reason,
        swapped=bool(found.swapped),
        turns=found.turns,
        recorded_moves=found.recorded_moves,
        decisions=found.decisions,
        moves=found.moves,
        searches=found.searches or b"",
    )
