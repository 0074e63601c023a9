"""Who may sit down: names on the command line become agents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringrift_core import _engine
from ringrift_core._engine import Player
from ringrift_core.archive import Archive
from ringrift_core.contract import Board, InitialWeights, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.inference import onnx_evaluator
from ringrift_core.play.table import Agent, Human
from ringrift_core.players.cards import ModelCard
from ringrift_core.players.ladder import LADDER, LadderError, rung_player
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.seating.champions import champion_weights, seat_artifact
from ringrift_core.store import open_store

__all__ = ["DEFAULT_OPPONENT", "Casting", "seat_names"]

DEFAULT_OPPONENT = "3"
"""Difficulty of a first game."""

HUMAN = "human"
_CHAMPION = re.compile(r"(weights|network)(?::(\d{1,9}))?")


def seat_names(named: Sequence[str], players: int | None) -> list[str]:
    """Who sits where, seat 1 first: a single name is whom you play against, two or more are the seats.

    WrongInputError when the names and the number of players disagree.
    """
    if len(named) >= 2:
        if players not in (None, len(named)):
            raise WrongInputError(f"{len(named)} players named, but --players {players}: leave --players out")
        if len(named) > 4:
            raise WrongInputError(f"{len(named)} players named: a game has 2, 3 or 4")
        return list(named)
    opponent = named[0] if named else DEFAULT_OPPONENT
    return [HUMAN] + [opponent] * ((players or 2) - 1)


@dataclass(frozen=True)
class Casting:
    """Where players come from: the ladder, or the champions of a store."""

    board: Board
    players: int
    store: str | None
    folder: Path
    """Networks are fetched to here, and are read from here as long as they play."""

    def agents(self, names: Sequence[str]) -> list[Agent]:
        """Agents for the names of the seats; WrongInputError, StoreRefusedError or StoreAwayError say why not."""
        minds = [Human() if name == HUMAN else self._player(name) for name in names]
        titles = [self._title(name, mind, names) for name, mind in zip(names, minds, strict=True)]
        count = Counter(titles)
        numbered = [
            f"{title} {titles[: index + 1].count(title)}" if count[title] > 1 else title
            for index, title in enumerate(titles)
        ]
        return [Agent(title, mind) for title, mind in zip(numbered, minds, strict=True)]

    def weights(self) -> list[float]:
        """Of the heuristic: the store's champion's, or the hand-set ones."""
        if self.store is not None and (version := read_registry(self._archive(), Track.WEIGHTS).version):
            return champion_weights(self._archive(), version, InitialWeights.BASELINE, self.board, self.players).vector
        return HeuristicWeights.of_setting(InitialWeights.BASELINE, self.board, self.players).vector

    def _archive(self) -> Archive:
        if self.store is None:
            raise WrongInputError("champions come from a store: name it with --store URI")
        return Archive(open_store(self.store), f"{self.board}-{self.players}p")

    def _player(self, name: str) -> Player:
        difficulty = name.removeprefix("difficulty:")
        if re.fullmatch(r"\d{1,3}", difficulty):
            try:
                return rung_player(int(difficulty), self.board, self.weights(), self._network())
            except LadderError as error:
                raise WrongInputError(str(error)) from None
        named = {rung.name: rung.difficulty for rung in LADDER}
        if name in named:
            return self._player(str(named[name]))
        if champion := _CHAMPION.fullmatch(name):
            return self._champion(Track(champion[1]), champion[2])
        raise WrongInputError(
            f"{name!r} is nobody: name human, a difficulty from 1 to {len(LADDER)}, "
            f"{', '.join(named)}, or with --store a champion: weights, network, weights:2"
        )

    def _network(self) -> _engine._Evaluator | None:
        """The champion network of the store, for the rungs that need one."""
        if self.store is None or not (version := read_registry(self._archive(), Track.NETWORK).version):
            return None
        card = ModelCard.load(self._archive(), champion_artifact(self._archive(), Track.NETWORK, version))
        return onnx_evaluator(self._archive().get_file(card.onnx, self.folder))

    def _champion(self, track: Track, version: str | None) -> Player:
        archive = self._archive()
        wanted = int(version) if version else read_registry(archive, track).version
        if not wanted:
            raise WrongInputError(f"{track}: there is no champion of {archive.configuration} in {self.store} yet")
        return seat_artifact(archive, track, champion_artifact(archive, track, wanted), self.folder)

    def _title(self, name: str, mind: Human | Player, names: Sequence[str]) -> str:
        if isinstance(mind, Human):
            return "you" if names.count(HUMAN) == 1 else "human"
        return name if _CHAMPION.fullmatch(name) else mind.name
