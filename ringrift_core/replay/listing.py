"""Games chosen by SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ringrift_core.errors import StoreRefusedError
from ringrift_core.replay.games import COLUMNS, RecordedGame, explained, game_of, open_games, read_rules

__all__ = ["find_by_prefix", "select"]


def select(path: Path, where: str) -> Iterator[RecordedGame]:
    """The games of a file for which an SQL expression over the columns is true, in the order of recording."""
    rules = read_rules(path)
    with closing(open_games(path)) as connection, explained(path):
        connection.row_factory = sqlite3.Row
        try:
            rows = connection.execute(f"SELECT number, {COLUMNS} FROM games WHERE ({where}) ORDER BY number")
        except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
            raise StoreRefusedError(f"--where {where!r}: {error}") from error
        for row in rows:
            yield game_of(row, rules)


def find_by_prefix(path: Path, prefix: str) -> Iterator[RecordedGame]:
    """The games of a file whose id begins with these hexadecimal digits."""
    rules = read_rules(path)
    low, high = (bytes.fromhex(prefix.ljust(64, digit)) for digit in "0f")
    with closing(open_games(path)) as connection, explained(path):
        connection.row_factory = sqlite3.Row
        for row in connection.execute(f"SELECT number, {COLUMNS} FROM games WHERE id BETWEEN ? AND ?", (low, high)):
            yield game_of(row, rules)
