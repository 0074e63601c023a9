"""What recorded games are like: lengths, results, players, repeats. SQLite counts, Python adds up."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from pydantic import TypeAdapter

from ringrift_core.replay.games import Count, Ending, Rules, explained, open_games, read_rules
from ringrift_core.replay.sources import GamesFile

__all__ = ["LENGTHS", "Statistics"]

LENGTHS = ("turns", "recorded_moves", "decisions")
"""The columns that say how long a game was."""

_LENGTHS = TypeAdapter(dict[str, dict[Count, int]])
"""By column: lengths, and how many games have each."""

_QUANTILES = {"median": 0.5, "p95": 0.95}


@dataclass
class Statistics:
    """Everything about the games of one configuration and reading of the rules."""

    rules: Rules
    files: int = 0
    games: int = 0
    file_bytes: int = 0
    move_bytes: int = 0
    search_bytes: int = 0
    searched_games: int = 0
    lengths: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in LENGTHS})
    endings: Counter[Ending] = field(default_factory=Counter)
    _ids: list[bytes] = field(default_factory=list)

    @classmethod
    def collect(cls, into: dict[str, Statistics], file: GamesFile) -> None:
        """Adds a file to the statistics of its rules."""
        rules = read_rules(file.path)
        into.setdefault(str(rules), cls(rules)).add(file)

    def add(self, file: GamesFile) -> None:
        """Counts the games of a file in."""
        with closing(open_games(file.path)) as connection, explained(file.path):
            games, moves, searched, searches, ids = connection.execute(
                "SELECT count(*), total(length(moves)), count(searches), total(length(searches)), "
                "count(*) FILTER (WHERE typeof(id) = 'blob' AND length(id) = 32) FROM games"
            ).fetchone()
            if ids != games:
                raise ValueError(f"id: {games - ids} of {games} are not 32 bytes")
            self._ids.append(b"".join(start for (start,) in connection.execute("SELECT substr(id, 1, 8) FROM games")))
            lengths = {
                name: dict(connection.execute(f"SELECT {name}, count(*) FROM games GROUP BY {name}"))
                for name in LENGTHS
            }
            for name, counts in _LENGTHS.validate_python(lengths).items():
                self.lengths[name].update(counts)
            connection.row_factory = sqlite3.Row
            columns = "seats, winner, ranks, reason, swapped"
            for row in connection.execute(f"SELECT {columns}, count(*) AS games FROM games GROUP BY {columns}"):
                self.endings[Ending.of(row, self.rules)] += row["games"]
        self.files += 1
        self.games += games
        self.move_bytes += int(moves)
        self.searched_games += searched
        self.search_bytes += int(searches)
        self.file_bytes += file.path.stat().st_size

    @property
    def duplicates(self) -> int:
        """Games that are there already, in the same file or another."""
        ids = np.frombuffer(b"".join(self._ids), dtype=">u8")
        return len(ids) - len(np.unique(ids))

    def summary(self) -> dict[str, object]:
        """All of it as JSON; shares are of all games."""
        games = max(1, self.games)
        seats: Counter[int] = Counter()
        players: Counter[str] = Counter()
        wins: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for ending, count in self.endings.items():
            players.update({name: count * ending.seats.count(name) for name in set(ending.seats)})
            reasons[ending.reason] += count
            if ending.winner is not None:
                seats[ending.winner] += count
                wins[ending.seats[_starting_seat(ending.winner, bool(ending.swapped)) - 1]] += count
        swapped_games = sum(count for ending, count in self.endings.items() if ending.swapped)
        return {
            "rules": str(self.rules),
            "files": self.files,
            "games": self.games,
            "duplicates": self.duplicates,
            "cut_share": round(reasons["max_moves"] / games, 6),
            "swapped_share": round(swapped_games / games, 6),
            "wins_by_seat": {str(seat): round(count / games, 6) for seat, count in sorted(seats.items())},
            "reasons": {reason: round(count / games, 6) for reason, count in reasons.most_common()},
            "players": {name: {"seats": count, "wins": wins[name]} for name, count in sorted(players.items())},
            "lengths": {name: _length(counter) for name, counter in self.lengths.items()},
            "searched_games": self.searched_games,
            "bytes_per_game": {
                "file": round(self.file_bytes / games, 1),
                "moves": round(self.move_bytes / games, 1),
                "searches": round(self.search_bytes / games, 1),
            },
        }


def _starting_seat(seat: int, swapped: bool) -> int:
    return 3 - seat if swapped and seat <= 2 else seat


def _length(counter: Counter[int]) -> dict[str, float]:
    total = sum(counter.values())
    if not total:
        return {}
    mean = sum(length * count for length, count in counter.items()) / total
    quantiles = {name: _quantile(counter, share * total) for name, share in _QUANTILES.items()}
    return {"mean": round(mean, 2), "least": min(counter), **quantiles, "most": max(counter)}


def _quantile(counter: Counter[int], wanted: float) -> int:
    passed = 0
    for length, count in sorted(counter.items()):
        passed += count
        if passed >= wanted:
            return length
    raise AssertionError("a share of the games is less than all of them")
