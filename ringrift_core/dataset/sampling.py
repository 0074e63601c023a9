"""Which positions of which games become rows: games of the window that qualify, and a quota of decisions for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ringrift_core import _engine
from ringrift_core.contract import ExportParameters
from ringrift_core.replay.games import Rules, explained, open_games, require_rules

__all__ = ["Sample", "SampledGame", "Segments", "WindowFile", "take_stock"]

_NEWEST = """
    (SELECT id, winner, recorded_moves, decisions, moves, searches FROM games ORDER BY number DESC LIMIT :newest)
    WHERE (winner IS NOT NULL OR NOT :completed) AND recorded_moves >= :least AND decisions > 0
"""

_LEFT_OUT = """
    SELECT coalesce(sum(cut), 0), coalesce(sum(NOT cut AND recorded_moves < :least), 0) FROM
    (SELECT winner IS NULL AND :completed AS cut, recorded_moves FROM games ORDER BY number DESC LIMIT :newest)
"""


@dataclass(frozen=True)
class WindowFile:
    """The newest `games` of a segment's file."""

    path: Path
    games: int
    is_new: bool
    """Whether its games are of the iteration that the dataset is made for."""


Segments = Sequence[WindowFile]


@dataclass(frozen=True)
class SampledGame:
    """A game and its decisions that become rows."""

    id: str
    moves: bytes
    searches: bytes
    decisions: list[int]
    is_new: bool


@dataclass(frozen=True)
class Sample:
    """How many positions to draw from the qualifying games of a window, newest first.

    Every game offers its decisions up to `positions_per_game`; of all offered positions `positions` are drawn, and
    every game's part is in proportion to what it offers, rounded so that the parts sum up exactly.
    """

    parameters: ExportParameters
    games: int
    offered: int
    cut: int
    """Games of the window that are left out since they were cut."""
    short: int
    """Games of the window that are left out since they were too short, and nothing else."""

    @property
    def positions(self) -> int:
        """Positions to draw in all."""
        return min(self.parameters.positions or self.offered, self.offered)

    def draw(self, files: Segments) -> Iterator[SampledGame]:
        """The games that give at least one position, one at a time."""
        passed = 0
        for file in files:
            with closing(open_games(file.path)) as connection, explained(file.path):
                query = f"SELECT id, decisions, moves, searches FROM {_NEWEST}"
                for game, decisions, moves, searches in connection.execute(query, _conditions(self.parameters, file)):
                    before = passed * self.positions // self.offered
                    passed += min(decisions, self.parameters.positions_per_game)
                    wanted = passed * self.positions // self.offered - before
                    if wanted:
                        chosen = _engine.draw_decisions(self.parameters.seed, game.hex(), decisions, wanted)
                        yield SampledGame(game.hex(), moves, searches or b"", chosen, file.is_new)


def take_stock(parameters: ExportParameters, rules: Rules, files: Segments) -> Sample:
    """Counts the qualifying games and the positions that they offer, and those left out, without reading their moves.

    StoreRefusedError when a file's games were played by other rules.
    """
    games = offered = cut = short = 0
    for file in files:
        require_rules(file.path, rules)
        with closing(open_games(file.path)) as connection, explained(file.path):
            query = f"SELECT count(*), coalesce(sum(min(decisions, :most)), 0) FROM {_NEWEST}"
            values = {**_conditions(parameters, file), "most": parameters.positions_per_game}
            found, theirs = connection.execute(query, values).fetchone()
            cut_here, short_here = connection.execute(_LEFT_OUT, _conditions(parameters, file)).fetchone()
        games, offered, cut, short = games + found, offered + theirs, cut + cut_here, short + short_here
    return Sample(parameters, games, offered, cut, short)


def _conditions(parameters: ExportParameters, file: WindowFile) -> dict[str, int]:
    return {"newest": file.games, "completed": parameters.require_completed, "least": parameters.min_moves}
