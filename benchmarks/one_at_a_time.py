"""What a player's decisions take one at a time, as somebody waits for them who plays against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.choices import choices
from benchmarks.core_seconds import core_seconds
from ringrift_core import _engine
from ringrift_core.seating import Seating

__all__ = ["Decisions", "decide", "decide_in_turn", "positions"]

SEED = 1
GAMES = 8


@dataclass(frozen=True)
class Decisions:
    """Core-time, of all threads, and nodes."""

    milliseconds: Sequence[float]
    nodes: int

    @property
    def mean(self) -> float:
        return sum(self.milliseconds) / len(self.milliseconds)

    @property
    def percentile_99(self) -> float:
        return float(np.percentile(self.milliseconds, 99))

    def report(self) -> dict[str, float]:
        """For a JSON line."""
        return {
            "ms": round(self.mean, 2),
            "p99": round(self.percentile_99, 1),
            "longest": round(max(self.milliseconds), 1),
            "nodes": round(self.nodes / len(self.milliseconds)),
        }


def positions(seating: Seating, number: int) -> list[_engine.Position]:
    """About so many in which there is a choice, from all over games of the hand-set heuristic."""
    board, players = seating.judges.board, seating.judges.players
    games = max(GAMES, number // GAMES)
    found: list[_engine.Position] = []
    heuristic = seating.rung(2)
    for record in _engine.play_games(board.value, players, [[heuristic]], seed=SEED, games=games, opening_plies=4):
        of_game = list(choices(board, players, record))
        found += of_game[:: max(1, len(of_game) * games // number)]
    return found


def decide(player: _engine.Player, chosen_from: Sequence[_engine.Position]) -> Decisions:
    """What it takes in each of these."""
    return decide_in_turn([player], chosen_from)[0]


def decide_in_turn(players: Sequence[_engine.Player], chosen_from: Sequence[_engine.Position]) -> list[Decisions]:
    """What each of them takes, one after the other in each position: a machine is not as fast at all times, and so
    they are compared at the same ones."""
    for player in players:
        player.choose(chosen_from[0], SEED)  # what is begun once, such as a network's threads, counts nowhere
    milliseconds: list[list[float]] = [[] for _ in players]
    nodes = [0] * len(players)
    for position in chosen_from:
        for number, player in enumerate(players):
            spent = core_seconds()
            nodes[number] += player.choose(position, SEED).nodes
            milliseconds[number].append(1000 * (core_seconds() - spent))
    return [Decisions(*each) for each in zip(milliseconds, nodes, strict=True)]
