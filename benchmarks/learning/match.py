"""Two players at a fixed count each: who wins, and what a decision costs either. See README.md here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.core_seconds import core_seconds
from benchmarks.one_at_a_time import decide_in_turn, positions
from ringrift_core import _engine
from ringrift_core.arena.interval import Rate, measure
from ringrift_core.contract import MOVE_LIMITS, Artifact, Board, NetworkSize
from ringrift_core.errors import RingRiftError, WrongInputError
from ringrift_core.files import scratch_folder
from ringrift_core.nn.inference import AskedNetwork
from ringrift_core.players.ladder import NOISE
from ringrift_core.players.specification import Count, Judge, JudgeKind, Specification
from ringrift_core.seating import Evaluation, Manner, Seating, seat

PILOTS, PILOT_GAMES, PILOT_SEED = 5, 24, 10**6
"""Matches, at most, by which a count is found that takes an opponent's time, on openings of their own,"""
CLOSE = 0.02
"""but for so much of it."""
LEAST_RATIO = 0.01
"""So a pilot too short for the clock raises the next count by a hundred times at most."""
UNTRAINED = "untrained"
"""What the name of a player begins with whose network knows nothing: nobody could seat it by that."""
UNTRAINED_SEED = 1


@dataclass(frozen=True)
class Cost:
    """What the decisions of one side took."""

    decisions: int
    core_milliseconds: float
    """A decision, of all threads, with its share of what networks and their encoding took."""


@dataclass(frozen=True)
class Played:
    """A match, from the candidate's side."""

    rate: Rate
    won: tuple[tuple[bool | None, ...], ...]
    """Of each group, by the seat that the candidate had; None for a game that nobody won."""
    scores: tuple[float, ...]
    """Share of each group's games that the candidate won."""
    candidate: Cost
    opponent: Cost
    seconds: float
    identical: int
    """Games that repeat another one."""

    @property
    def time_ratio(self) -> float:
        """Core-time of a decision of the candidate over one of the opponent's."""
        return self.candidate.core_milliseconds / max(1e-9, self.opponent.core_milliseconds)


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
) -> Played | None:
    """So many games, rounded up to whole groups; None where `goes_on` said no before they were over."""
    board, players = seating.judges.board, seating.judges.players
    core_time = _engine.CoreTime()
    began, spent = time.perf_counter(), core_seconds()
    groups = -(-games // players)
    results = _engine.play_match(
        board.value,
        players,
        candidate.player,
        opponent.player,
        seed=seed,
        groups=groups,
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
    rows = candidate.rows + opponent.rows
    share = candidate.rows / rows if rows else 0.5
    ids = [record.game_id for group in results for record in group.records]
    scores = tuple(group.score / players for group in results)
    return Played(
        rate=measure(scores, players),
        won=tuple(tuple(group.candidate_won) for group in results),
        scores=scores,
        candidate=_cost(core_time.candidate, asking * share if candidate.asks else 0.0),
        opponent=_cost(core_time.opponent, asking * (1 - share) if opponent.asks else 0.0),
        seconds=round(seconds, 2),
        identical=len(ids) - len(set(ids)),
    )


def _cost(searched: tuple[int, float], asked: float) -> Cost:
    decisions, seconds = searched
    return Cost(decisions, round(1000 * (seconds + asked) / max(1, decisions), 4))


def main(
    candidate: Annotated[str, typer.Option(help="As docs/players.md has it, such as network=FILE:puct:256.")],
    opponent: Annotated[list[str], typer.Option(help="Repeatable, such as weights@0:minimax:25000.")],
    board: Annotated[Board, typer.Option()] = Board.SQUARE8,
    players: Annotated[int, typer.Option(min=2, max=4)] = 2,
    games: Annotated[int, typer.Option(min=2, help="Rounded up to whole groups.")] = 400,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    threads: Annotated[int, typer.Option(min=0, help="That search; 0 is every core.")] = 0,
    store: Annotated[str, typer.Option(help="Where champions are, file:///path.")] = "",
    untrained: Annotated[
        NetworkSize | None, typer.Option(help="Also play the same search with a network that knows nothing.")
    ] = None,
    equal_time: Annotated[
        bool,
        typer.Option(help="Give the candidate the count that takes the opponent's core-time, in place of its own."),
    ] = False,
    alone: Annotated[
        int, typer.Option(min=0, help="Also what a decision takes without a batch: so many, one at a time.")
    ] = 0,
    equal_time_alone: Annotated[bool, typer.Option(help="As --equal-time, but by the decisions of --alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line a match and nothing else.")] = False,
) -> None:
    table = Table(title=f"{board}-{players}p, {games} games a match", box=box.SIMPLE_HEAD)
    headings = ("candidate", "opponent", "rate", "95 %", "share", "core-ms", "opponent's", "ratio")
    for heading in (*headings, *(("alone, core-ms", "opponent's alone", "ratio alone") if alone else ())):
        table.add_column(heading, justify="left" if heading in ("candidate", "opponent") else "right")
    try:
        seating = _seating(board, players, store)
        equal = _equaliser(seating, equal_time, equal_time_alone, alone, threads)
        if untrained is not None and equal is not None:
            raise WrongInputError(
                "--untrained beside --equal-time: name the count that was found, for both to search alike"
            )
        with scratch_folder("ringrift-match-") as folder:
            for one, other in _pairs(candidate, opponent, seating, untrained, folder, equal):
                sides = [Side.seated(seating, each.specification) for each in (one, other)]
                played = play(seating, sides[0], sides[1], games, seed, threads)
                assert played is not None
                by_itself = _alone(seating, sides, alone) if alone else {}
                if as_json:
                    named = {"candidate": one.name, "opponent": other.name}
                    typer.echo(json.dumps({**named, "seed": seed, **report(played), **by_itself}))
                cells = [f"{figure:.3f}" for figure in by_itself.get("alone", {}).values()]
                table.add_row(one.name, other.name, *_cells(played), *cells)
    except (RingRiftError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    if not as_json:
        Console(width=150).print(table)


@dataclass(frozen=True)
class _Named:
    """A player, and what it is called in the table."""

    name: str
    specification: Specification

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(text, Specification.parse(text))

    @classmethod
    def of(cls, specification: Specification) -> Self:
        return cls(str(specification), specification)


_TimeRatio = Callable[[_Named, _Named], float]


def _pairs(
    candidate: str,
    opponents: Sequence[str],
    seating: Seating,
    untrained: NetworkSize | None,
    folder: Path,
    equal: _TimeRatio | None,
) -> Iterator[tuple[_Named, _Named]]:
    """The candidate against each opponent, then its search with an untrained network against them, and itself against
    that."""
    one, others = _Named.parse(candidate), [_Named.parse(text) for text in opponents]
    judge = one.specification.judge
    if untrained is not None and (judge is None or judge.kind is not JudgeKind.NETWORK):
        raise WrongInputError(f"--untrained: {candidate} asks no network")
    for other in others:
        yield (one if equal is None else _at_equal_time(one, other, equal)), other
    if untrained is None:
        return
    from ringrift_core.nn.network import NetworkShape
    from ringrift_core.nn.quantised import export_untrained

    shape = NetworkShape.of_size(seating.judges.board, seating.judges.players, untrained)
    file = folder / "untrained.onnx"
    export_untrained(shape, UNTRAINED_SEED, file)
    ignorant = replace(one.specification, judge=Judge(JudgeKind.NETWORK, file=file))
    control = _Named(f"{UNTRAINED} {untrained}:{ignorant.search}", ignorant)
    for other in others:
        yield control, other
    yield one, control


def _equaliser(
    seating: Seating, equal_time: bool, equal_time_alone: bool, alone: int, threads: int
) -> _TimeRatio | None:
    """What measures how much of an opponent's core-time a candidate takes, where they are to take the same."""
    if equal_time and equal_time_alone:
        raise WrongInputError("--equal-time beside --equal-time-alone: a count cannot take both times")
    if equal_time_alone and not alone:
        raise WrongInputError("--equal-time-alone: --alone says by how many decisions")
    if not (equal_time or equal_time_alone):
        return None

    def time_ratio(one: _Named, other: _Named) -> float:
        sides = [Side.seated(seating, each.specification) for each in (one, other)]
        if equal_time_alone:
            return _alone(seating, sides, alone)["alone"]["time_ratio"]
        played = play(seating, sides[0], sides[1], PILOT_GAMES, PILOT_SEED, threads)
        assert played is not None
        return played.time_ratio

    return time_ratio


def _at_equal_time(one: _Named, other: _Named, time_ratio: _TimeRatio) -> _Named:
    """The candidate with the count at which its decisions take the core-time of the opponent's."""
    search = one.specification.search
    if not isinstance(search.budget, Count):
        raise WrongInputError(f"--equal-time: {one.name} has no count that could be another")

    def with_count(count: int) -> _Named:
        return _Named.of(replace(one.specification, search=replace(search, budget=Count(count))))

    count, _ = count_that_takes(lambda count: time_ratio(with_count(count), other), search.budget.amount)
    return with_count(count)


def _alone(seating: Seating, sides: Sequence[Side], number: int) -> dict[str, dict[str, float]]:
    """Core-milliseconds of a decision of either side, one at a time on the same positions, and their ratio."""
    decided = decide_in_turn([side.player for side in sides], positions(seating, number))
    candidate, opponent = (each.mean for each in decided)
    found = {"candidate": candidate, "opponent": opponent, "time_ratio": candidate / max(1e-9, opponent)}
    return {"alone": {name: round(figure, 4) for name, figure in found.items()}}


def count_that_takes(time_ratio: Callable[[int], float], first: int) -> tuple[int, float]:
    """The count of a search that takes a wanted time, by pilots from the first on, and what it took as a share of that:
    the pilot that came closest. `time_ratio` measures the share of a count."""
    count, ratio = first, 1.0
    piloted = []
    for _ in range(PILOTS):
        count = max(1, round(count / max(LEAST_RATIO, ratio)))
        ratio = time_ratio(count)
        piloted.append((count, ratio))
        if abs(ratio - 1) < CLOSE:
            break
    return min(piloted, key=lambda pilot: abs(pilot[1] - 1))


def report(played: Played) -> dict[str, Any]:
    """For a JSON line, beside who the candidate and the opponent are."""
    names = {"candidate": "candidate_cost", "opponent": "opponent_cost"}
    kept = {
        names.get(name, name): value for name, value in asdict(played).items() if name not in ("rate", "won", "scores")
    }
    rate = {name: round(value, 4) for name, value in asdict(played.rate).items()}
    return {**rate, **kept, "time_ratio": round(played.time_ratio, 4)}


def _cells(played: Played) -> Sequence[str]:
    rate = played.rate
    costs = (f"{side.core_milliseconds:.3f}" for side in (played.candidate, played.opponent))
    figures = (f"{rate.rate:.3f}", f"{rate.low:.3f}-{rate.high:.3f}", f"{rate.share:.3f}")
    return (*figures, *costs, f"{played.time_ratio:.3f}")


def _seating(board: Board, players: int, store: str) -> Seating:
    if not store:
        return Seating.without_store(board, players)
    from ringrift_core.archive import Archive
    from ringrift_core.contract import configuration_name
    from ringrift_core.seating import Judges
    from ringrift_core.store import open_store

    return Seating(Judges(board, players, Archive(open_store(store), configuration_name(board, players)), Path()))


if __name__ == "__main__":
    typer.run(main)
