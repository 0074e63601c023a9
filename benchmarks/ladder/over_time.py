"""Elo over core-time: how strong kinds of players are that take the same time a decision. See README.md here."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from benchmarks.equal_time import count_that_takes
from benchmarks.matches import Played, Side, play
from benchmarks.one_at_a_time import decide_in_turn, positions
from benchmarks.pieces import Pieces, told
from ringrift_core.arena.ratings import Ranking, rate
from ringrift_core.contract import configuration_name
from ringrift_core.errors import RingRiftError
from ringrift_core.players.specification import Count, Specification
from ringrift_core.seating import Seating

KINDS = ("alpha-beta=weights@0:minimax", "descent=weights@0:descent", "network=network:puct")
TIMES = "1,6,30,186"
"""Milliseconds: those of the ladder's rungs 4 to 6, and one between."""
FIRST_COUNT = 100
"""Of the first pilot by which a count of a kind is found."""
SEED = 1


@dataclass(frozen=True)
class Kind:
    """A judge and a search, whose count follows from the time."""

    name: str
    specification: Specification

    @classmethod
    def parse(cls, text: str) -> Kind:
        name, sign, player = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"{text!r}: expected NAME=JUDGE:SEARCH, such as descent=weights@0:descent")
        return cls(name, Specification.parse(f"{player}:{FIRST_COUNT}"))

    def at(self, count: int) -> Specification:
        return replace(self.specification, search=replace(self.specification.search, budget=Count(count)))


@dataclass(frozen=True)
class Player:
    """A kind at a time."""

    kind: Kind
    milliseconds: float

    def __str__(self) -> str:
        return f"{self.kind.name} {self.milliseconds:g} ms"


def main(
    configuration: Annotated[str, typer.Option(help="Such as square8-2p.")] = "square8-2p",
    kind: Annotated[list[str] | None, typer.Option(help="NAME=JUDGE:SEARCH, repeatable; each meets the next.")] = None,
    ms: Annotated[str, typer.Option(help="Core-time of a decision, comma-separated.")] = TIMES,
    games: Annotated[int, typer.Option(min=0, help="A pair, rounded up to whole groups; 0: only counts.")] = 100,
    decisions: Annotated[int, typer.Option(min=1, help="One at a time, whose times find a count.")] = 40,
    minutes: Annotated[float, typer.Option(min=0.1, help="Stop for today after so long; a repeat goes on.")] = 60.0,
    pieces: Annotated[Path, typer.Option(help="What was measured so far, JSON lines.")] = Path("over-time.jsonl"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    board, players = configuration_of(configuration)
    seating = Seating.without_store(board, players)
    until = time.monotonic() + 60 * minutes
    try:
        known = Pieces(pieces, configuration=configuration_name(board, players))
        kinds = [Kind.parse(text) for text in kind or KINDS]
        times = sorted(float(each) for each in ms.split(","))
        measured = _Measured(seating, known, kinds[0], games, decisions, until)
        if times[0] <= 0:
            raise typer.BadParameter(f"--ms {ms}: expected times above 0")
        if len({each.name for each in kinds}) < len(kinds):
            raise typer.BadParameter("--kind: two of one name")
        for pair in _pairs(kinds, times):
            with suppress(_TimeIsOverError):
                measured.meet(*pair)
        report = measured.report()
    except (RingRiftError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(json.dumps({"configuration": configuration, "games": games, **report}))
    else:
        Console(width=150).print(_table(configuration, report), _pair_table(report))


def _pairs(kinds: list[Kind], times: list[float]) -> Iterator[tuple[Player, Player]]:
    """Neighbours in time, the one with more first, and in kind; what is quick first, and always one that has met."""
    for number, milliseconds in enumerate(times):
        for each in kinds if number else ():
            yield Player(each, milliseconds), Player(each, times[number - 1])
        for one, other in pairwise(kinds):
            yield Player(other, milliseconds), Player(one, milliseconds)


class _TimeIsOverError(Exception):
    """A count was not found, or a match not played to its end."""


class _Measured:
    """Players with their counts, and matches, as far as the time goes."""

    def __init__(self, seating: Seating, pieces: Pieces, clock: Kind, games: int, decisions: int, until: float) -> None:
        self._seating, self._pieces, self._clock, self._until = seating, pieces, clock, until
        self._games, self._asked = games, positions(seating, decisions)
        self._counts: dict[Player, int] = {}
        self._took: dict[Player, float] = {}
        self._matches: list[dict[str, Any]] = []

    def meet(self, one: Player, other: Player) -> None:
        """A match, from the pieces where it is there."""
        sides = [player.kind.at(self._count(player)) for player in (one, other)]
        if not self._games:
            return
        key = {"match": [self._told(side) for side in sides], "games": self._games}
        found = self._pieces.find(**key)
        if found is None:
            found = self._pieces.add(key | _line(self._play(sides[0], sides[1], self._games)))
        self._matches.append(found | {"players": [str(one), str(other)]})

    def _count(self, player: Player) -> int:
        """Of the first kind what takes the wanted time, of the others what takes as long as the first kind's does at
        that moment: a machine is not as fast at all times."""
        if player in self._counts:
            return self._counts[player]
        clock = Player(self._clock, player.milliseconds)
        other = None if player == clock else clock.kind.at(self._count(clock))
        wanted = player.milliseconds if other is None else self._took[clock]
        against = None if other is None else self._told(other)
        key = {"player": self._told(player.kind.at(1)), "milliseconds": player.milliseconds, "against": against}
        found = self._pieces.find(**key)
        if found is None:

            def time_ratio(count: int) -> float:
                if other is None:
                    return self._times(player.kind.at(count))[0] / wanted
                mine, others = self._times(player.kind.at(count), other)
                return mine / others

            count, ratio = count_that_takes(time_ratio, self._first_count(player))
            found = self._pieces.add(key | {"count": count, "took": round(ratio * wanted, 4)})
        self._counts[player], self._took[player] = int(found["count"]), float(found["took"])
        return self._counts[player]

    def _told(self, specification: Specification) -> str:
        return told(specification, self._seating.judges)

    def _times(self, *players: Specification) -> list[float]:
        """Core-milliseconds of a decision of each, one at a time."""
        if time.monotonic() >= self._until:
            raise _TimeIsOverError
        seated = [Side.seated(self._seating, player).player for player in players]
        return [each.mean for each in decide_in_turn(seated, self._asked)]

    def _first_count(self, player: Player) -> int:
        """Of the pilots: in proportion to what the same kind has with another time."""
        known = [(each.milliseconds, count) for each, count in self._counts.items() if each.kind == player.kind]
        if not known:
            return FIRST_COUNT
        milliseconds, count = max(known)
        return max(1, round(count * player.milliseconds / milliseconds))

    def _play(self, one: Specification, other: Specification, games: int) -> Played:
        sides = [Side.seated(self._seating, each) for each in (one, other)]
        played = play(self._seating, sides[0], sides[1], games, SEED, goes_on=lambda: time.monotonic() < self._until)
        if played is None:
            raise _TimeIsOverError
        return played

    def report(self) -> dict[str, Any]:
        rankings, costs = [], dict[str, list[tuple[int, float]]]()
        for number, match in enumerate(self._matches):
            names = match["players"]
            for name, cost in zip(names, match["costs"], strict=True):
                costs.setdefault(name, []).append((cost[0], cost[1]))
            for group, won in enumerate(match["won"]):
                for seat, has_won in enumerate(won):
                    seats = tuple(names[0] if each == seat else names[1] for each in range(len(won)))
                    # Copies of the opponent are one player: any of their seats stands for all.
                    winner = None if has_won is None else seat if has_won else (seat + 1) % len(won)
                    rankings.append(Ranking.of_winner(seats, winner, (number, group)))
        ratings = rate(rankings, pseudo_games=1) if rankings else None
        rated = ratings.players if ratings is not None else ()
        weakest = min(rated, key=lambda name: ratings.difference(name, rated[0])[0]) if ratings is not None else ""
        elo = {} if ratings is None else {name: list(map(round, ratings.difference(name, weakest))) for name in rated}
        players = {
            str(player): {
                "kind": player.kind.name,
                "milliseconds": player.milliseconds,
                "count": count,
                "took": self._took[player],
                "core_milliseconds": _mean(costs.get(str(player), [])),
                "elo": elo.get(str(player)),
            }
            for player, count in self._counts.items()
        }
        matches = [
            {name: match[name] for name in ("players", "rate", "low", "high", "time_ratio")} for match in self._matches
        ]
        return {"elo_above": weakest, "players": players, "matches": matches}


def _line(played: Played) -> dict[str, Any]:
    sides = (played.candidate, played.opponent)
    return {
        "rate": round(played.rate.rate, 4),
        "low": round(played.rate.low, 4),
        "high": round(played.rate.high, 4),
        "time_ratio": round(played.time_ratio, 4),
        "costs": [[side.decisions, side.core_milliseconds] for side in sides],
        "won": played.won,
    }


def _mean(costs: list[tuple[int, float]]) -> float:
    """Over all decisions."""
    return round(sum(decisions * each for decisions, each in costs) / max(1, sum(one for one, _ in costs)), 3)


def _table(configuration: str, report: dict[str, Any]) -> Table:
    title = f"{configuration}: Elo above {report['elo_above']}" if report["matches"] else configuration
    table = Table(title=title, box=box.SIMPLE_HEAD)
    for heading in ("kind", "ms", "count", "took", "in matches", "Elo", "95 %"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for one in sorted(report["players"].values(), key=lambda each: (each["kind"], each["milliseconds"])):
        cells = [f"{one['milliseconds']:g}", f"{one['count']:,}", f"{one['took']:.2f}"]
        if one["elo"] is not None:
            elo, low, high = one["elo"]
            cells += [f"{one['core_milliseconds']:.2f}", str(elo), f"{low} to {high}"]
        table.add_row(one["kind"], *cells)
    return table


def _pair_table(report: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("player", "over", "rate", "95 %", "time ratio"):
        table.add_column(heading, justify="left" if heading in ("player", "over") else "right")
    for match in report["matches"]:
        interval = f"{match['low']:.3f} to {match['high']:.3f}"
        table.add_row(*match["players"], f"{match['rate']:.3f}", interval, f"{match['time_ratio']:.3f}")
    return table


if __name__ == "__main__":
    typer.run(main)
