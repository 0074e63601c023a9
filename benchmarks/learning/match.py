"""Two players at a fixed count each: who wins, and what a decision costs either. See README.md here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.equal_time import count_that_takes
from benchmarks.matches import Played, Side, play, play_on, report
from benchmarks.one_at_a_time import decide_in_turn, positions
from benchmarks.pieces import Pieces, told
from ringrift_core.contract import Board, NetworkSize, configuration_name
from ringrift_core.errors import RingRiftError, WrongInputError
from ringrift_core.files import scratch_folder
from ringrift_core.players.specification import Count, Judge, JudgeKind, Specification
from ringrift_core.seating import Seating

PILOT_GAMES, PILOT_SEED = 24, 10**6
"""Of a match by which a count is found that takes an opponent's time: few, on openings of their own."""
UNTRAINED = "untrained"
"""What the name of a player begins with whose network knows nothing: nobody could seat it by that."""
UNTRAINED_SEED = 1


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
    pieces: Annotated[
        Path | None, typer.Option(help="Play in pieces and keep them here, JSON lines: a repeat goes on.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line a match and nothing else.")] = False,
) -> None:
    table = Table(title=f"{board}-{players}p, {games} games a match", box=box.SIMPLE_HEAD)
    headings = ("candidate", "opponent", "rate", "95 %", "share", "core-ms", "opponent's", "ratio")
    for heading in (*headings, *(("alone, core-ms", "opponent's alone", "ratio alone") if alone else ())):
        table.add_column(heading, justify="left" if heading in ("candidate", "opponent") else "right")
    try:
        seating = _seating(board, players, store)
        if store and pieces is not None:
            raise WrongInputError("--pieces beside --store: a piece does not know whose champion has played")
        known = Pieces(pieces, configuration=configuration_name(board, players)) if pieces is not None else None
        matches = _Matches(seating, games, seed, threads, alone, known)
        equal = matches.equaliser(equal_time, equal_time_alone)
        if untrained is not None and equal is not None:
            raise WrongInputError(
                "--untrained beside --equal-time: name the count that was found, for both to search alike"
            )
        with scratch_folder("ringrift-match-") as folder:
            for one, other in _pairs(candidate, opponent, seating, untrained, folder, equal):
                played, by_itself = matches.play(one, other), matches.alone(one, other) if alone else {}
                if as_json:
                    named = {"candidate": one.name, "opponent": other.name}
                    apart = {"alone": by_itself} if alone else {}
                    typer.echo(json.dumps({**named, "seed": seed, **report(played), **apart}))
                table.add_row(one.name, other.name, *_cells(played), *(f"{each:.3f}" for each in by_itself.values()))
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


_Equaliser = Callable[[_Named, _Named], _Named]
"""The candidate with the count at which its decisions take the core-time of the opponent's."""


@dataclass(frozen=True)
class _Matches:
    """How two players are compared."""

    seating: Seating
    games: int
    seed: int
    threads: int
    decisions: int
    """One at a time, whose times are taken."""
    pieces: Pieces | None

    def play(self, one: _Named, other: _Named) -> Played:
        """All games at once, or on from the pieces that are kept."""
        if self.pieces is None:
            return self._at_once(one, other, self.games, self.seed)
        console, played = Console(stderr=True), None
        players = (one.specification, other.specification)
        for played in play_on(self.pieces, self.seating, *players, self.games, self.seed, self.threads):
            console.print(f"{one.name} over {other.name}: {played.rate.games} of at least {self.games} games")
        assert played is not None
        return played

    def _at_once(self, one: _Named, other: _Named, games: int, seed: int) -> Played:
        candidate, opponent = self._sides(one, other)
        played = play(self.seating, candidate, opponent, games, seed, self.threads)
        assert played is not None
        return played

    def _sides(self, *players: _Named) -> list[Side]:
        return [Side.seated(self.seating, player.specification) for player in players]

    def alone(self, one: _Named, other: _Named) -> dict[str, float]:
        """Core-milliseconds of a decision of either, one at a time on the same positions, and their ratio."""
        decided = decide_in_turn(
            [side.player for side in self._sides(one, other)], positions(self.seating, self.decisions)
        )
        candidate, opponent = (each.mean for each in decided)
        found = {"candidate": candidate, "opponent": opponent, "time_ratio": candidate / max(1e-9, opponent)}
        return {name: round(figure, 4) for name, figure in found.items()}

    def equaliser(self, equal_time: bool, equal_time_alone: bool) -> _Equaliser | None:
        """What gives a candidate an opponent's core-time, where they are to take the same."""
        if equal_time and equal_time_alone:
            raise WrongInputError("--equal-time beside --equal-time-alone: a count cannot take both times")
        if equal_time_alone and not self.decisions:
            raise WrongInputError("--equal-time-alone: --alone says by how many decisions")
        if equal_time_alone:
            return lambda one, other: self._at_equal_time(one, other, "alone", self._ratio_alone)
        if equal_time:
            return lambda one, other: self._at_equal_time(one, other, "in a match", self._ratio_of_pilot)
        return None

    def _ratio_alone(self, one: _Named, other: _Named) -> float:
        return self.alone(one, other)["time_ratio"]

    def _ratio_of_pilot(self, one: _Named, other: _Named) -> float:
        return self._at_once(one, other, PILOT_GAMES, PILOT_SEED).time_ratio

    def _at_equal_time(
        self, one: _Named, other: _Named, manner: str, time_ratio: Callable[[_Named, _Named], float]
    ) -> _Named:
        search = one.specification.search
        if not isinstance(search.budget, Count):
            raise WrongInputError(f"--equal-time: {one.name} has no count that could be another")

        def with_count(count: int) -> _Named:
            return _Named.of(replace(one.specification, search=replace(search, budget=Count(count))))

        players = [told(each.specification, self.seating.judges) for each in (with_count(1), other)]
        key = {"equal_time": manner, "players": players, "decisions": self.decisions, "threads": self.threads}
        found = self.pieces.find(**key) if self.pieces is not None else None
        if found is not None:
            return with_count(found["count"])
        count, _ = count_that_takes(lambda count: time_ratio(with_count(count), other), search.budget.amount)
        if self.pieces is not None:
            self.pieces.add(key | {"count": count})
        return with_count(count)


def _pairs(
    candidate: str,
    opponents: Sequence[str],
    seating: Seating,
    untrained: NetworkSize | None,
    folder: Path,
    equal: _Equaliser | None,
) -> Iterator[tuple[_Named, _Named]]:
    """The candidate against each opponent, then its search with an untrained network against them, and itself against
    that."""
    one, others = _Named.parse(candidate), [_Named.parse(text) for text in opponents]
    judge = one.specification.judge
    if untrained is not None and (judge is None or judge.kind is not JudgeKind.NETWORK):
        raise WrongInputError(f"--untrained: {candidate} asks no network")
    for other in others:
        yield (one if equal is None else equal(one, other)), other
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


def _cells(played: Played) -> Sequence[str]:
    rate = played.rate
    costs = (f"{side.core_milliseconds:.3f}" for side in (played.candidate, played.opponent))
    figures = (f"{rate.rate:.3f}", f"{rate.low:.3f}-{rate.high:.3f}", f"{rate.share:.3f}")
    return (*figures, *costs, f"{played.time_ratio:.3f}")


def _seating(board: Board, players: int, store: str) -> Seating:
    if not store:
        return Seating.without_store(board, players)
    from ringrift_core.archive import Archive
    from ringrift_core.seating import Judges
    from ringrift_core.store import open_store

    return Seating(Judges(board, players, Archive(open_store(store), configuration_name(board, players)), Path()))


if __name__ == "__main__":
    typer.run(main)
