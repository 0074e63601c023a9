"""A match of two players at a fixed count each, and what a decision took either."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.core_seconds import core_seconds
from benchmarks.pieces import Pieces, in_order, told
from ringrift_core import _engine
from ringrift_core.arena.interval import Rate, measure
from ringrift_core.contract import MOVE_LIMITS, Artifact
from ringrift_core.nn.inference import AskedNetwork
from ringrift_core.players.ladder import NOISE
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Evaluation, Manner, Seating, seat

__all__ = ["Cost", "Played", "Side", "play", "play_on", "report"]

GAMES_OF_A_PIECE = 96
"""About: so many that a network is asked for many positions at once, and no more that a kill may lose."""


@dataclass(frozen=True)
class Cost:
    """What the decisions of one side took."""

    decisions: int
    core_milliseconds: float
    """A decision, of all threads, with its share of what networks and their encoding took."""

    def __add__(self, other: Cost) -> Cost:
        decisions = self.decisions + other.decisions
        spent = self.decisions * self.core_milliseconds + other.decisions * other.core_milliseconds
        return Cost(decisions, round(spent / max(1, decisions), 4))


@dataclass(frozen=True)
class Played:
    """A match or a part of one, from the candidate's side."""

    won: tuple[tuple[bool | None, ...], ...]
    """Of each group, by the seat that the candidate had; None for a game that nobody won."""
    ids: tuple[str, ...]
    """Of all games."""
    candidate: Cost
    opponent: Cost
    seconds: float

    def __add__(self, after: Played) -> Played:
        return Played(
            self.won + after.won,
            self.ids + after.ids,
            self.candidate + after.candidate,
            self.opponent + after.opponent,
            round(self.seconds + after.seconds, 2),
        )

    def of_first(self, groups: int) -> Played:
        """So many groups, and what decisions took in all of them."""
        return replace(self, won=self.won[:groups], ids=self.ids[: groups * len(self.won[0])])

    @property
    def scores(self) -> tuple[float, ...]:
        """Share of each group's games that the candidate won; one that nobody won is everybody's."""
        players = len(self.won[0])
        return tuple(sum(1 / players if won is None else won for won in group) / players for group in self.won)

    @property
    def rate(self) -> Rate:
        return measure(self.scores, len(self.won[0]))

    @property
    def time_ratio(self) -> float:
        """Core-time of a decision of the candidate over one of the opponent's."""
        return self.candidate.core_milliseconds / max(1e-9, self.opponent.core_milliseconds)

    @property
    def identical(self) -> int:
        """Games that repeat another one."""
        return len(self.ids) - len(set(self.ids))


@dataclass
class Side:
    """A player, and how many positions it asks its network for."""

    player: _engine.Player
    asks: bool
    rows: int = 0

    @classmethod
    def seated(cls, seating: Seating, specification: Specification, artifact: Artifact | None = None) -> Side:
        """With an `artifact`, that is its judge."""
        manner = Manner(str(specification), NOISE.get(specification.search.algorithm, 0.0))
        judge = specification.judge
        if judge is None:
            return cls(seating.player(specification, manner), asks=False)
        judges = seating.judges
        evaluation = judges.of(judge) if artifact is None else judges.of_artifact(judge.kind, artifact)
        side = cls(_engine.Player.random(), isinstance(evaluation, AskedNetwork))
        side.player = seat(specification.search, side._listening(evaluation), manner)
        return side

    def _listening(self, evaluation: Evaluation) -> Evaluation:
        if not isinstance(evaluation, AskedNetwork):
            return evaluation

        def listen(ask: Callable[..., Any]) -> Callable[..., Any]:
            def asked(planes: Any, features: Any) -> Any:
                self.rows += len(planes)
                return ask(planes, features)

            return asked

        return AskedNetwork(listen(evaluation.values), listen(evaluation.values_and_policy))


def play(
    seating: Seating,
    candidate: Side,
    opponent: Side,
    games: int,
    seed: int,
    threads: int = 0,
    goes_on: Callable[[], bool] = lambda: True,
    first_group: int = 0,
) -> Played | None:
    """So many games, rounded up to whole groups; None where `goes_on` said no before they were over."""
    board, players = seating.judges.board, seating.judges.players
    core_time = _engine.CoreTime()
    began, spent = time.perf_counter(), core_seconds()
    rows_before = candidate.rows, opponent.rows
    groups = -(-games // players)
    results = _engine.play_match(
        board.value,
        players,
        candidate.player,
        opponent.player,
        seed=seed,
        groups=groups,
        first_group=first_group,
        max_turns=MOVE_LIMITS[board][players - 2],
        threads=threads,
        progress=lambda _: goes_on(),
        core_time=core_time,
    )
    if len(results) < groups:
        return None
    seconds, spent = time.perf_counter() - began, core_seconds() - spent
    # What no thread of a search took is networks, their encoding, and whatever goes with asking them.
    asking = max(0.0, spent - core_time.candidate[1] - core_time.opponent[1])
    asked = candidate.rows - rows_before[0], opponent.rows - rows_before[1]
    share = asked[0] / sum(asked) if sum(asked) else 0.5
    return Played(
        won=tuple(tuple(group.candidate_won) for group in results),
        ids=tuple(record.game_id for group in results for record in group.records),
        candidate=_cost(core_time.candidate, asking * share if candidate.asks else 0.0),
        opponent=_cost(core_time.opponent, asking * (1 - share) if opponent.asks else 0.0),
        seconds=round(seconds, 2),
    )


def _cost(searched: tuple[int, float], asked: float) -> Cost:
    decisions, seconds = searched
    return Cost(decisions, round(1000 * (seconds + asked) / max(1, decisions), 4))


def play_on(
    pieces: Pieces,
    seating: Seating,
    candidate: Specification,
    opponent: Specification,
    games: int,
    seed: int,
    threads: int = 0,
) -> Iterator[Played]:
    """The same games in pieces, each kept as soon as it is played: what there is of the match after each of them."""
    judges, wanted = seating.judges, -(-games // seating.judges.players)
    key = {"match": [told(each, judges) for each in (candidate, opponent)], "seed": seed}
    so_far: Played | None = None
    for piece in in_order(pieces.of(**key), "won"):
        so_far = _and_then(so_far, _played(piece)).of_first(wanted)
        yield so_far
        if len(so_far.won) == wanted:
            return
    done = len(so_far.won) if so_far is not None else 0
    sides = [Side.seated(seating, each) for each in (candidate, opponent)]
    for first in range(done, wanted, GAMES_OF_A_PIECE // judges.players):
        groups = min(wanted - first, GAMES_OF_A_PIECE // judges.players)
        played = play(seating, sides[0], sides[1], groups * judges.players, seed, threads, first_group=first)
        assert played is not None
        pieces.add(key | {"first_group": first} | asdict(played))
        so_far = _and_then(so_far, played)
        yield so_far


def _and_then(before: Played | None, played: Played) -> Played:
    return played if before is None else before + played


def _played(piece: Mapping[str, Any]) -> Played:
    return Played(
        won=tuple(tuple(group) for group in piece["won"]),
        ids=tuple(piece["ids"]),
        candidate=Cost(**piece["candidate"]),
        opponent=Cost(**piece["opponent"]),
        seconds=piece["seconds"],
    )


def report(played: Played) -> dict[str, Any]:
    """For a JSON line, beside who the candidate and the opponent are."""
    rate = {name: round(value, 4) for name, value in asdict(played.rate).items()}
    return {
        **rate,
        "candidate_cost": asdict(played.candidate),
        "opponent_cost": asdict(played.opponent),
        "seconds": played.seconds,
        "identical": played.identical,
        "time_ratio": round(played.time_ratio, 4),
    }
