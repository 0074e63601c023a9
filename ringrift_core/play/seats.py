"""Who may sit down: names on the command line become agents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ringrift_core._engine import Player
from ringrift_core.archive import Archive
from ringrift_core.contract import Board, Track, configuration_name
from ringrift_core.errors import WrongInputError
from ringrift_core.play.table import Agent, Human
from ringrift_core.players.gates import gate_player
from ringrift_core.players.ladder import LADDER
from ringrift_core.players.specification import JudgeKind, Specification
from ringrift_core.seating import Judges, Manner, Seating
from ringrift_core.store import open_store

__all__ = ["DEFAULT_OPPONENT", "Casting", "seat_names"]

DEFAULT_OPPONENT = "3"
"""Difficulty of a first game."""

HUMAN = "human"
_RUNGS = {one.name: one.difficulty for one in LADDER}


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
    """Makes agents of the names of the seats."""

    seating: Seating

    @classmethod
    def of(cls, board: Board, players: int, store: str | None, folder: Path) -> Self:
        """With the champions of a store, where one is named; networks are fetched to `folder`."""
        archive = None if store is None else Archive(open_store(store), configuration_name(board, players))
        return cls(Seating(Judges(board, players, archive, folder), for_people=True))

    def agents(self, names: Sequence[str]) -> list[Agent]:
        """Agents for the names of the seats; WrongInputError, StoreRefusedError or StoreAwayError say why not."""
        minds = [Human() if name == HUMAN else self._player(name) for name in names]
        titles = [mind.name if isinstance(mind, Player) else _title_of_human(names) for mind in minds]
        count = Counter(titles)
        numbered = [
            f"{title} {titles[: index + 1].count(title)}" if count[title] > 1 else title
            for index, title in enumerate(titles)
        ]
        return [Agent(title, mind) for title, mind in zip(numbered, minds, strict=True)]

    def remarks(self, names: Sequence[str]) -> list[str]:
        """Where weights play in place of an NNUE or a network that is missed, a sentence each. Errors as `agents`."""
        sentences = []
        for difficulty in sorted({found for name in names if (found := _difficulty(name)) is not None}):
            chosen = self.seating.chosen(difficulty)
            choices = self.seating.choices(difficulty)
            first, asks_networks = choices[0], any(_is_network(choice) for choice in choices)
            if asks_networks and chosen.specification == choices[-1]:
                sentences.append(
                    f"difficulty {difficulty} is played by {chosen.specification}, which takes about as long as "
                    f"{first}: {chosen.missing}"
                )
        return sentences

    def _player(self, name: str) -> Player:
        if (difficulty := _difficulty(name)) is not None:
            return self.seating.rung(difficulty)
        if name in tuple(Track):
            judges = self.seating.judges
            return self.seating.player(gate_player(Track(name), judges.board, judges.players), Manner(name))
        if ":" in name:
            return self.seating.player(Specification.parse(name))
        raise WrongInputError(
            f"{name!r} is nobody: name human, a difficulty from 1 to {len(LADDER)}, {', '.join(_RUNGS)}, a track as it "
            "is gated (weights, network), or a player as JUDGE:SEARCH:BUDGET, such as weights:minimax:25000"
        )


def _is_network(specification: Specification) -> bool:
    return specification.judge is not None and specification.judge.kind is JudgeKind.NETWORK


def _difficulty(name: str) -> int | None:
    """Of a rung, by its number or its name; None where a name is no rung's."""
    number = name.removeprefix("difficulty:")
    return int(number) if re.fullmatch(r"[0-9]{1,3}", number) else _RUNGS.get(name)


def _title_of_human(names: Sequence[str]) -> str:
    return "you" if names.count(HUMAN) == 1 else "human"
