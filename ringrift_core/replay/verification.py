"""Is every recorded game what its record says? All of them are played again by the rules, over all cores."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ringrift_core import _engine
from ringrift_core.cores import available_cores
from ringrift_core.replay.games import COLUMNS, Rules, explained, open_games, read_rules
from ringrift_core.replay.sources import GamesFile

__all__ = ["Fault", "Verification"]

_CHUNK = 4096
"""Games handed to the engine at once: enough for every core, a few megabytes of memory."""

_Row = tuple[int, bytes, str, int | None, str | None, str, int, int, int, int, bytes, bytes | None]


@dataclass(frozen=True)
class Fault:
    """Something that is not what it says."""

    file: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.sentence}"


@dataclass
class Verification:
    """Counts over all files, and what must not repeat from one file of a merge to the next."""

    games: int = 0
    verified: int = 0
    faults: int = 0
    _merged: dict[str, list[bytes]] = field(default_factory=dict)
    """First eight bytes of every id, by games.json."""

    def check(self, file: GamesFile) -> Iterator[list[Fault]]:
        """Verifies one file; yields the faults of each chunk of games, often none."""
        rules = read_rules(file.path)
        count = 0
        for rows, found in _verified_chunks(file.path, rules):
            count += len(rows)
            self.games += len(rows)
            self.verified += len(rows) - len(found)
            if file.merged_into is not None:
                self._merged.setdefault(file.merged_into, []).append(b"".join(row[1][:8] for row in rows))
            yield self._count([_fault(file, rows[index], sentence) for index, sentence in found])
        if file.games is not None and count != file.games:
            sentence = f"{count} games, but {file.merged_into} says {file.games}"
            yield self._count([Fault(file.name, sentence)])

    def check_together(self) -> list[Fault]:
        """What only all files show: merged games that are there twice."""
        found = []
        for name, prefixes in self._merged.items():
            ids = np.frombuffer(b"".join(prefixes), dtype=">u8")
            unique, counts = np.unique(ids, return_counts=True)
            for prefix, count in zip(unique[counts > 1], counts[counts > 1], strict=True):
                found.append(Fault(name, f"game {int(prefix):016x} is there {count} times"))
        return self._count(found)

    def _count(self, faults: list[Fault]) -> list[Fault]:
        self.faults += len(faults)
        return faults


def _verified_chunks(path: Path, rules: Rules) -> Iterator[tuple[list[_Row], list[tuple[int, str]]]]:
    """Rows, and index and fault of those that have one; while the engine plays, the next rows are read."""
    with closing(open_games(path)) as connection, explained(path), ThreadPoolExecutor(1) as background:
        cursor = connection.execute(f"SELECT number, {COLUMNS} FROM games ORDER BY number")
        rows: list[_Row] = cursor.fetchmany(_CHUNK)
        while rows:
            playing = background.submit(_verify, rules, rows)
            following: list[_Row] = cursor.fetchmany(_CHUNK)
            yield rows, playing.result()
            rows = following


def _verify(rules: Rules, rows: list[_Row]) -> list[tuple[int, str]]:
    return _engine.verify_games(
        rules.board, rules.players, rows, profile=rules.profile, swap=rules.swap, threads=available_cores()
    )


def _fault(file: GamesFile, row: _Row, sentence: str) -> Fault:
    return Fault(file.name, f"game {row[0]} ({row[1].hex()[:12]}): {sentence}")
