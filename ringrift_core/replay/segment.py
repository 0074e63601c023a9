"""A new segment: the games of some shards that no segment holds yet, each once.

Rows go from file to file as they are; which are new is told by the first eight bytes of their ids. The file is nobody's
but the merge's until it is whole, so it needs no journal: a merge that is killed begins its segment anew. The same
games in the same order make the same bytes, however many shards they came in.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ringrift_core.replay.games import COLUMNS, Rules, connect, create_schema, explained, open_games, require_rules
from ringrift_core.replay.identifiers import Prefixes, contains

__all__ = ["SegmentWriter"]

_INDEX = "CREATE INDEX games_by_id ON games (id)"
_MOST_PARTS = 16
"""Arrays of new prefixes that each shard is compared with; more are made one."""


class SegmentWriter:
    """Takes in shards one after the other."""

    def __init__(self, path: Path, rules: Rules, known: Sequence[Prefixes]) -> None:
        """`known`: sorted prefixes of the ids of all games of earlier segments."""
        path.unlink(missing_ok=True)
        self.path = path
        self.rules = rules
        self.games = 0
        self.duplicates = 0
        self._known = known
        self._new: list[Prefixes] = []
        with explained(path):
            self._connection = connect(str(path), isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = OFF")
            self._connection.execute("PRAGMA synchronous = OFF")
            create_schema(self._connection, rules)
            # Made at the end, by sorting: ids come in no order, and an index that grows by them is rewritten all over.
            self._connection.execute("DROP INDEX games_by_id")
            # One for all shards: SQLite counts transactions in the file, and how the games came must not show there.
            self._connection.execute("BEGIN")

    def add(self, shard: Path) -> None:
        """Copies the new games of a shard; StoreRefusedError when it is damaged or of other rules."""
        require_rules(shard, self.rules)
        with closing(open_games(shard)) as source, explained(shard):
            prefixes = _ids(source)
            first = np.zeros(len(prefixes), dtype=bool)
            first[np.unique(prefixes, return_index=True)[1]] = True
            wanted = first & ~contains([*self._known, *self._new], prefixes)
            rows = source.execute(f"SELECT {COLUMNS} FROM games ORDER BY number")
            self._connection.executemany(
                f"INSERT INTO games ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                itertools.compress(rows, wanted.tolist()),
            )
        self.games += int(np.count_nonzero(wanted))
        self.duplicates += int(np.count_nonzero(~wanted))
        self._new.append(np.sort(prefixes[wanted]))
        if len(self._new) > _MOST_PARTS:
            self._new = [np.sort(np.concatenate(self._new))]

    def finish(self) -> Prefixes:
        """Completes the file and returns the sorted prefixes of its games' ids."""
        with explained(self.path):
            self._connection.execute(_INDEX)
            self._connection.execute("COMMIT")
        return np.sort(np.concatenate([np.empty(0, np.uint64), *self._new]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        if error is not None:
            self.path.unlink(missing_ok=True)


def _ids(shard: sqlite3.Connection) -> Prefixes:
    """The first 64 bits of each game's id, in the games' order."""
    ids = [start for (start,) in shard.execute("SELECT substr(id, 1, 8) FROM games ORDER BY number")]
    if not all(len(start) == 8 for start in ids):
        raise ValueError("an id is too short")
    return np.frombuffer(b"".join(ids), dtype=">u8").astype(np.uint64)
