"""What a game says of a candidate: who won it, or, of one that stops early, who a network thinks is ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from ringrift_core import _engine
from ringrift_core.contract import Board, Evaluator
from ringrift_core.nn.inference import ValueEvaluator

__all__ = ["Fitness", "NetworkFitness", "OutcomeFitness"]


class Fitness(Protocol):
    """Scores the games of candidates."""

    evaluator: ClassVar[Evaluator]
    """What it is called."""

    @property
    def most_turns(self) -> int:
        """Where games stop."""

    def scores(self, matches: Sequence[Sequence[_engine.GroupResult]]) -> list[float]:
        """Of each match: the share of its games that the candidate won, or is thought to win."""

    def cut(self, matches: Sequence[Sequence[_engine.GroupResult]]) -> int:
        """How many games say nothing."""


@dataclass(frozen=True)
class OutcomeFitness:
    """Who won; a game that the move limit cut counts 1/players, and says nothing."""

    evaluator: ClassVar[Evaluator] = Evaluator.GAMES

    players: int
    most_turns: int

    def scores(self, matches: Sequence[Sequence[_engine.GroupResult]]) -> list[float]:
        return [sum(group.score for group in match) / (len(match) * self.players) for match in matches]

    def cut(self, matches: Sequence[Sequence[_engine.GroupResult]]) -> int:
        return sum(won is None for match in matches for group in match for won in group.candidate_won)


@dataclass(frozen=True)
class NetworkFitness:
    """Who won of the games that are over by then, and of the others the candidate's win probability.

    A game costs a part of its turns, and a probability has less noise than an outcome.
    """

    evaluator: ClassVar[Evaluator] = Evaluator.NEURAL

    board: Board
    players: int
    most_turns: int
    values: ValueEvaluator

    def scores(self, matches: Sequence[Sequence[_engine.GroupResult]]) -> list[float]:
        by_game = [
            [float(won) if won is not None else np.nan for group in match for won in group.candidate_won]
            for match in matches
        ]
        told = np.array(by_game)
        stopped = [
            (record, seat)
            for match in matches
            for group in match
            for seat, (record, won) in enumerate(zip(group.records, group.candidate_won, strict=True))
            if won is None
        ]
        if stopped:
            told[np.isnan(told)] = self._ahead(stopped)
        return [float(mean) for mean in told.mean(axis=1)]

    def cut(self, _: Sequence[Sequence[_engine.GroupResult]]) -> int:
        return 0

    def _ahead(self, stopped: Sequence[tuple[_engine.GameRecord, int]]) -> list[float]:
        """Of games and the seats, from 0, where the candidate started: its win probability before the last decision."""
        board, players = self.board.value, self.players
        rows = _engine.encode_rows(
            board,
            players,
            [(record.game_id, record.moves, b"", [record.decisions - 1]) for record, _ in stopped],
            threads=1,
        )
        said = self.values(_engine.unpack_planes(board, players, rows["planes"]), rows["globals"].astype(np.float32))
        movers = rows["seats"].astype(int) - 1
        # Nobody changes seats in a match: its openings are longer than the offer to swap stands.
        return [float(said[row, (seat - movers[row]) % players]) for row, (_, seat) in enumerate(stopped)]
