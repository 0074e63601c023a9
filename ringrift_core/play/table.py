"""A game with agents around it: whose decision it is, what was played for whom, and the way back."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeAlias

from ringrift_core._engine import Choice, Move, Player
from ringrift_core.game import Game

__all__ = ["Agent", "Human", "Played", "Table", "decided_game"]


@dataclass(frozen=True)
class Human:
    """Somebody who types."""


@dataclass(frozen=True)
class Agent:
    """Who plays: a person or an engine's player, under a name that no other agent of the game has."""

    name: str
    mind: Human | Player

    @property
    def is_human(self) -> bool:
        return isinstance(self.mind, Human)


@dataclass(frozen=True)
class Played:
    """A move as it was made."""

    move: Move
    agent: int
    """Index of the agent, by the seat it started at."""
    seat: int
    """Where the agent sat then, 1..players."""
    turn: int
    forced: bool
    """Was it the only legal move, and so played for the agent?"""


Log: TypeAlias = list[Played]


class Table:
    """One game and its agents. Agent i starts at seat i + 1; `swap_sides` exchanges agents 0 and 1."""

    def __init__(self, game: Game, agents: list[Agent], seed: int) -> None:
        self.game = game
        self.agents = agents
        self.seed = seed
        self.log: Log = []
        self._settle()

    @property
    def is_over(self) -> bool:
        return self.game.outcome() is not None

    @property
    def swapped(self) -> bool:
        return any(played.move.kind == "swap_sides" for played in self.log)

    def agent_at(self, seat: int) -> int:
        """Index of the agent that sits at a seat now."""
        return 2 - seat if self.swapped and seat <= 2 else seat - 1

    @property
    def to_decide(self) -> int:
        """Index of the agent whose decision it is; after the end, the winner's."""
        return self.agent_at(self.game.mover)

    @property
    def winner(self) -> int | None:
        """Index of the agent that won."""
        outcome = self.game.outcome()
        return None if outcome is None else self.agent_at(outcome.winner)

    def play(self, move: Move | str) -> None:
        """Plays the decision of the agent to move, and what follows by itself. RulesError if it is not legal."""
        self._record(move, forced=False)
        self._settle()

    def choose(self) -> Choice:
        """What the engine's player to move decides; the same for the same seed and moves."""
        mind = self.agents[self.to_decide].mind
        if isinstance(mind, Human):
            raise TypeError("people choose for themselves")
        return self.game.choose(mind, self.seed_of_decision())

    def seed_of_decision(self) -> int:
        return random.Random(f"{self.seed}:{len(self.log)}").getrandbits(63)

    def undo(self) -> int:
        """Back to a person's last decision; returns the number of decisions taken back, 0 if there is none."""
        last = [index for index, played in enumerate(self.log) if not played.forced and self._human(played.agent)]
        if not last:
            return 0
        taken_back = sum(not played.forced for played in self.log[last[-1] :])
        while len(self.log) > last[-1]:
            self.game.undo()
            self.log.pop()
        return taken_back

    def since_last_decision_of(self, agent: int | None) -> Log:
        """What was played after an agent's last decision; everything for None."""
        mine = [index for index, played in enumerate(self.log) if played.agent == agent and not played.forced]
        return self.log[mine[-1] + 1 :] if mine else self.log[:]

    def _human(self, agent: int) -> bool:
        return self.agents[agent].is_human

    def _settle(self) -> None:
        """Plays what is the only legal move."""
        while len(legal := self.game.legal_moves()) == 1:
            self._record(legal[0], forced=True)

    def _record(self, move: Move | str, *, forced: bool) -> None:
        agent, seat, turn = self.to_decide, self.game.mover, self.game.turn
        self.game.play(move)
        self.log.append(Played(self.game.moves[-1], agent, seat, turn, forced))


def decided_game(game: Game) -> Game:
    """A copy in which somebody has a choice, or the game is over: the only legal moves are played."""
    settled = game.copy()
    while len(legal := settled.legal_moves()) == 1:
        settled.play(legal[0])
    return settled
