"""A new segment: the games of some shards that no segment holds yet, each once.

SQLite copies the rows from file to file; Python sees eight bytes of a game, the prefix of its id. The file is nobody's
but the merge's until it is whole, so it needs no journal: a merge that is killed begins its segment anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ringrift_core.replay.games import COLUMNS, Rules, create_schema, explained, require_rules
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
            self._connection = sqlite3.connect(path.absolute().as_uri(), isolation_level=None, uri=True)
            self._connection.execute("PRAGMA journal_mode = OFF")
            self._connection.execute("PRAGMA synchronous = OFF")
            create_schema(self._connection, rules)
            # Made at the end, by sorting: ids come in no order, and an index that grows by them is rewritten all over.
            self._connection.execute("DROP INDEX games_by_id")

    def add(self, shard: Path) -> None:
        """Copies the new games of a shard; StoreRefusedError when it is damaged or of other rules."""
        require_rules(shard, self.rules)
        with explained(shard):
            self._connection.execute("ATTACH ? AS shard", (f"{shard.absolute().as_uri()}?mode=ro&immutable=1",))
            try:
                self._copy()
            finally:
                self._connection.execute("DETACH shard")

    def finish(self) -> Prefixes:
        """Completes the file and returns the sorted prefixes of its games' ids."""
        with explained(self.path):
            self._connection.execute(_INDEX)
        return np.sort(np.concatenate([np.empty(0, np.uint64), *self._new]))

    def _copy(self) -> None:
        numbers, prefixes = _ids(self._connection)
        first = np.zeros(len(prefixes), dtype=bool)
        first[np.unique(prefixes, return_index=True)[1]] = True
        wanted = first & ~contains([*self._known, *self._new], prefixes)
        left_out = numbers[~wanted]
        self._connection.execute("BEGIN")
        self._connection.execute("CREATE TABLE IF NOT EXISTS temp.left_out (number INTEGER PRIMARY KEY)")
        self._connection.execute("DELETE FROM temp.left_out")
        self._connection.executemany(
            "INSERT INTO temp.left_out VALUES (?)", ((number,) for number in left_out.tolist())
        )
        self._connection.execute(
            f"INSERT INTO main.games ({COLUMNS}) SELECT {COLUMNS} FROM shard.games "
            "WHERE number NOT IN (SELECT number FROM temp.left_out) ORDER BY number"
        )
        self._connection.execute("COMMIT")
        self.games += int(np.count_nonzero(wanted))
        self.duplicates += len(left_out)
        self._new.append(np.sort(prefixes[wanted]))
        if len(self._new) > _MOST_PARTS:
            self._new = [np.sort(np.concatenate(self._new))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        if error is not None:
            self.path.unlink(missing_ok=True)


def _ids(connection: sqlite3.Connection) -> tuple[NDArray[np.int64], Prefixes]:
    """Numbers of a shard's games in order, and the first 64 bits of their ids."""
    numbers = np.fromiter(
        (n for (n,) in connection.execute("SELECT number FROM shard.games ORDER BY number")), np.int64
    )
    ids = b"".join(i for (i,) in connection.execute("SELECT substr(id, 1, 8) FROM shard.games ORDER BY number"))
    if len(ids) != 8 * len(numbers):
        raise sqlite3.DatabaseError("an id is too short")
    return numbers, np.frombuffer(ids, dtype=">u8").astype(np.uint64)
