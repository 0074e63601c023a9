"""From a specification to a player of the engine: the one place that seats anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ringrift_core._engine import Judge, Player
from ringrift_core.contract import Artifact, Board, InitialWeights
from ringrift_core.errors import MissingJudgeError, WrongInputError
from ringrift_core.nn.inference import AskedNetwork
from ringrift_core.players.ladder import NOISE, rung
from ringrift_core.players.specification import Algorithm, Count, Search, Specification, Time
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.seating.judges import Evaluation, Judges

__all__ = ["Chosen", "Manner", "Seating", "seat"]


@dataclass(frozen=True)
class Manner:
    """What is no part of a player's strength: a specification says nothing of it."""

    name: str | None = None
    """In records and at the table; None: as specified."""
    noise: float = 0.0
    """Of its search (docs/players.md), for variety."""
    tree_positions: int = 0
    """Positions of its tree that descent tells with each decision."""
    fast: tuple[float, int] | None = None
    """Of a tree search in self-play: a share of its decisions has so many simulations instead, and leaves no policy."""


AS_SPECIFIED = Manner()


@dataclass(frozen=True)
class Chosen:
    """Who plays a rung of the ladder here."""

    specification: Specification
    missing: str = ""
    """What those lack whom the rung names before; empty where it names none."""


@dataclass(frozen=True)
class Seating:
    """Seats the players of one configuration."""

    judges: Judges
    for_people: bool = False
    """Whether a budget may be a time: what people play need not repeat."""

    @classmethod
    def without_store(cls, board: Board, players: int, initial: InitialWeights = InitialWeights.BASELINE) -> Self:
        """Of files, of what comes with the package, and, as version 0 of the weights, of a documented setting."""
        return cls(Judges(board, players, None, Path(), initial=initial))

    def player(
        self, specification: Specification, manner: Manner = AS_SPECIFIED, *, artifact: Artifact | None = None
    ) -> Player:
        """The player; with an `artifact`, that is its judge. WrongInputError, StoreRefusedError or StoreAwayError say
        why it cannot sit down."""
        search, judge = specification.search, specification.judge
        if isinstance(search.budget, Time) and not self.for_people:
            raise WrongInputError(
                f"player {specification}: a game by time does not repeat, and here games have to: give a count"
            )
        named = replace(manner, name=manner.name or str(specification))
        if judge is None:
            return seat(search, None, named)
        known = self.judges.of(judge) if artifact is None else self.judges.of_artifact(judge.kind, artifact)
        return seat(search, known, named)

    def rung(self, difficulty: int) -> Player:
        """The ladder's player of a difficulty; WrongInputError when there is none."""
        specification = self.chosen(difficulty).specification
        return self.player(specification, Manner(rung(difficulty).name, NOISE.get(specification.search.algorithm, 0.0)))

    def choices(self, difficulty: int) -> tuple[Specification, ...]:
        """Who may play a difficulty here, in this order; WrongInputError when there is none."""
        return rung(difficulty).choices(self.judges.board, self.judges.players)

    def chosen(self, difficulty: int) -> Chosen:
        """Who plays a difficulty: the first of its rung's players whose judge there is. Errors as `player`."""
        missing: list[str] = []
        for specification in self.choices(difficulty):
            try:
                if specification.judge is not None:
                    self.judges.of(specification.judge)
            except MissingJudgeError as error:
                missing.append(str(error))
            else:
                return Chosen(specification, "; ".join(missing))
        raise MissingJudgeError(f"difficulty {difficulty}: {'; '.join(missing)}")


def seat(search: Search, evaluation: Evaluation | None, manner: Manner = AS_SPECIFIED) -> Player:
    """A search over what a judge knows, as the engine plays it; None for random play, which knows nothing."""
    if evaluation is None or search.algorithm is Algorithm.RANDOM:
        return Player.random()
    judge, (count, seconds) = _judge(search, evaluation), _bounds(search)
    name, noise = manner.name or str(search), manner.noise
    match search.algorithm:
        case Algorithm.ONE_PLY:
            return Player.one_ply(judge, noise, name)
        case Algorithm.POLICY:
            return Player.policy(judge, noise, name)
        case Algorithm.MINIMAX:
            return Player.minimax(judge, search.depth, count, seconds, noise=noise, name=name)
        case Algorithm.DESCENT:
            return Player.descent(judge, count, noise, name, seconds=seconds, inner=manner.tree_positions)
        case Algorithm.PUCT | Algorithm.GUMBEL:
            variant = search.algorithm.value
            return Player.tree_search(judge, count, seconds, variant, noise=noise, name=name, fast=manner.fast)


def _judge(search: Search, evaluation: Evaluation) -> Judge:
    match evaluation:
        case HeuristicWeights():
            return Judge.linear(evaluation.vector)
        case Judge():
            return evaluation
        case AskedNetwork():
            wants_policy = search.algorithm is not Algorithm.ONE_PLY
            return Judge.asked(evaluation.values_and_policy if wants_policy else evaluation.values)


def _bounds(search: Search) -> tuple[int | None, float | None]:
    """Of a decision: a count, and seconds."""
    match search.budget:
        case Count(amount):
            return amount, None
        case Time() as time:
            return None, time.seconds
        case None:
            return None, None
