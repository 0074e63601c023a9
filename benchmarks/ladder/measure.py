"""Does each rung of the ladder beat the one below? See README.md here."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from benchmarks.one_at_a_time import decide, positions
from benchmarks.pieces import Pieces, in_order, told
from ringrift_core import _engine
from ringrift_core._engine import Player
from ringrift_core.arena.interval import ONE_SIDED_95, measure, share_interval
from ringrift_core.arena.match import Group, identical_share
from ringrift_core.arena.ratings import Ranking, rate
from ringrift_core.arena.scale import two_player_equivalent
from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.players.ladder import LADDER, NOISE, rung
from ringrift_core.players.specification import Algorithm, Search, Specification
from ringrift_core.seating import Manner, Seating

PAIRS = ("2:1", "3:2", "4:3", "5:4", "6:5", "6=5")
SEED = 1
GAMES_AT_ONCE = 24
"""Games of a piece, about: little is lost when a measurement is stopped, and the cores stay busy."""
MAX_TURNS = 800
"""No game of a ladder was ever that long; the plan's limits are at least 500."""
ANCHOR = LADDER[1].name
"""Elo 0: the heuristic, which every search is built on."""


@dataclass(frozen=True)
class Configuration:
    board: Board
    players: int

    @classmethod
    def parse(cls, text: str) -> Configuration:
        return cls(*configuration_of(text))

    def __str__(self) -> str:
        return f"{self.board}-{self.players}p"

    @property
    def seating(self) -> Seating:
        return Seating.without_store(self.board, self.players)


@dataclass(frozen=True)
class Pair:
    """Candidate against opponent; at equal nodes the candidate has no more than the opponent's."""

    text: str
    candidate: int
    opponent: int
    equal_nodes: bool

    @classmethod
    def parse(cls, text: str) -> Pair:
        sign = "=" if "=" in text else ":"
        first, _, second = text.partition(sign)
        if not (first.isdigit() and second.isdigit()):
            raise typer.BadParameter(f"{text!r}: expected two difficulties such as 3:2, or 6=5 for equal nodes")
        return cls(text, int(first), int(second), sign == "=")

    def seated(self, configuration: Configuration) -> tuple[Player, Player]:
        seating = configuration.seating
        opponent = seating.rung(self.opponent)
        if not self.equal_nodes:
            return seating.rung(self.candidate), opponent
        other = seating.chosen(self.opponent).specification
        descent = Specification(Search(Algorithm.DESCENT, other.search.budget), other.judge)
        return seating.player(descent, Manner(f"{LADDER[self.candidate - 1].name}, equal nodes")), opponent


def main(
    board: Annotated[
        list[str] | None, typer.Option(help="Repeatable; by default square8-2p, square8-3p and hexagonal-2p.")
    ] = None,
    pairs: Annotated[str, typer.Option(help="Pairs to play, comma-separated; = means at equal nodes.")] = ",".join(
        PAIRS
    ),
    games: Annotated[int, typer.Option(min=0, help="Games a pair, rounded up to whole groups; 0: only times.")] = 200,
    minutes: Annotated[float, typer.Option(min=0.1, help="Stop for today after so long; a repeat goes on.")] = 60.0,
    threads: Annotated[int, typer.Option(min=0, help="0 is every core.")] = 0,
    decisions: Annotated[int, typer.Option(min=1, help="Whose times are taken, one at a time.")] = 40,
    pieces: Annotated[Path, typer.Option(help="What was played so far, a JSON line a piece.")] = Path("ladder.jsonl"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    chosen = [Configuration.parse(text) for text in board or ("square8-2p", "square8-3p", "hexagonal-2p")]
    wanted = [Pair.parse(text) for text in pairs.split(",")]
    console = Console(stderr=True)
    until = time.monotonic() + 60 * minutes
    try:
        known = Pieces(pieces)
    except WrongInputError as error:
        raise typer.BadParameter(str(error)) from None
    for configuration, pair in _in_turns(chosen, wanted, games, known, threads, until):
        console.print(f"{configuration} {pair.text}: played a piece")
    report = {str(one): _report(one, wanted, known, games, decisions) for one in chosen}
    if as_json:
        typer.echo(json.dumps({"threads": threads or os.cpu_count(), "ladder": report}))
        return
    for name, one in report.items():
        Console(width=150).print(_pair_table(name, one), _rung_table(name, one))


def _in_turns(
    configurations: list[Configuration], pairs: list[Pair], games: int, pieces: Pieces, threads: int, until: float
) -> Iterator[tuple[Configuration, Pair]]:
    """Plays pieces of all pairs in turns, until each has its games or time is up."""
    open_pairs = [(configuration, pair) for configuration in configurations for pair in pairs]
    while open_pairs:
        for configuration, pair in list(open_pairs):
            done = len(_groups(configuration, pair, pieces))
            groups = min(-(-games // configuration.players) - done, -(-GAMES_AT_ONCE // configuration.players))
            if groups <= 0:
                open_pairs.remove((configuration, pair))
                continue
            if time.monotonic() >= until:
                return
            pieces.add(_play(configuration, pair, done, groups, threads))
            yield configuration, pair


def _play(configuration: Configuration, pair: Pair, first: int, groups: int, threads: int) -> dict[str, Any]:
    candidate, opponent = pair.seated(configuration)
    began = time.monotonic()
    results = _engine.play_match(
        configuration.board.value,
        configuration.players,
        candidate,
        opponent,
        seed=SEED,
        groups=groups,
        first_group=first,
        max_turns=MAX_TURNS,
        threads=threads,
    )
    return {
        **_key(configuration, pair),
        "first_group": first,
        "seconds": round(time.monotonic() - began, 1),
        "groups": [
            {
                "won": result.candidate_won,
                "winners": [record.winning_agent for record in result.records],
                "ids": [record.game_id[:16] for record in result.records],
            }
            for result in results
        ],
    }


def _key(configuration: Configuration, pair: Pair) -> dict[str, Any]:
    """What a piece was played by: one of another ladder is not counted with this one's."""
    seated = [_told(configuration.seating, difficulty) for difficulty in (pair.candidate, pair.opponent)]
    return {"configuration": str(configuration), "pair": pair.text, "players": seated}


def _told(seating: Seating, difficulty: int) -> str:
    """Who plays a rung, down to the numbers of what comes with the package."""
    chosen = seating.chosen(difficulty).specification
    noise = NOISE.get(chosen.search.algorithm, 0.0)
    return f"{rung(difficulty).name} {told(chosen, seating.judges)} {noise}"


def _groups(configuration: Configuration, pair: Pair, pieces: Pieces) -> list[dict[str, Any]]:
    mine = in_order(pieces.of(**_key(configuration, pair)), "groups")
    return [group for piece in mine for group in piece["groups"]]


def _report(
    configuration: Configuration, pairs: list[Pair], pieces: Pieces, games: int, decisions: int
) -> dict[str, Any]:
    rankings: list[Ranking] = []
    compared = {}
    for pair in pairs:
        groups = _groups(configuration, pair, pieces)[: -(-games // configuration.players)]
        if not groups:
            continue
        compared[pair.text] = _compare(groups, configuration.players)
        names = tuple(player.name for player in pair.seated(configuration))
        for number, group in enumerate(groups):
            for seat, winner in enumerate(group["winners"]):
                seats = tuple(names[0] if other == seat else names[1] for other in range(configuration.players))
                rankings.append(Ranking.of_winner(seats, None if winner is None else winner - 1, (pair.text, number)))
    elo = {}
    if rankings:
        # One tied game a pair: a rung that never loses has a finite rating.
        ratings = rate(rankings, pseudo_games=1)
        anchor = ANCHOR if ANCHOR in ratings.players else ratings.players[0]
        elo = {name: [round(one) for one in ratings.difference(name, anchor)] for name in ratings.players}
    rungs = sorted({difficulty for pair in pairs for difficulty in (pair.candidate, pair.opponent)})
    seating = configuration.seating
    asked = positions(seating, decisions)
    speeds = {str(one): decide(seating.rung(one), asked).report() for one in rungs}
    return {"pairs": compared, "elo": elo, "rungs": speeds}


def _compare(groups: list[dict[str, Any]], players: int) -> dict[str, Any]:
    share = 1 / players
    scores = [sum(share if won is None else float(won) for won in group["won"]) / players for group in groups]
    found = measure(scores, players)
    bound = two_player_equivalent(share_interval(scores, players, ONE_SIDED_95)[0], players)
    played = [Group(score, tuple(group["ids"]), 0) for score, group in zip(scores, groups, strict=True)]
    alike = sum(len(group.game_ids) - len(set(group.game_ids)) for group in played)
    return {
        "games": found.games,
        "rate": round(found.rate, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "one_sided_low": round(bound, 4),
        "share": round(found.share, 4),
        "cut_games": sum(won is None for group in groups for won in group["won"]),
        "identical": round(identical_share(played), 4),
        "alike": round(alike / found.games, 4),
    }


def _pair_table(name: str, report: dict[str, Any]) -> Table:
    table = Table(
        title=f"{name}: each rung against the one below",
        caption="rate: two-player equivalent, 0.5 is equal. =: at equal nodes. stronger: the lower end of the interval "
        "is above 0.5. identical: games that repeat one of another group. alike: games that repeat one of their own, "
        "since both players decide alike.",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("pair", "games", "won", "rate", "95 % interval", "stronger", "cut", "identical", "alike"):
        table.add_column(heading, justify="left" if heading == "pair" else "right")
    for pair, one in report["pairs"].items():
        stronger = "yes" if one["low"] > 0.5 else "one-sided" if one["one_sided_low"] > 0.5 else "no"
        table.add_row(
            pair,
            str(one["games"]),
            f"{one['share']:.1%}",
            f"{one['rate']:.3f}",
            f"{one['low']:.3f} to {one['high']:.3f}",
            stronger,
            str(one["cut_games"]),
            f"{one['identical']:.1%}",
            f"{one['alike']:.1%}",
        )
    return table


def _rung_table(name: str, report: dict[str, Any]) -> Table:
    table = Table(title=f"{name}: Elo above {ANCHOR}, and the core-time of a decision", box=box.SIMPLE_HEAD)
    for heading in ("rung", "Elo", "95 % interval", "ms", "p99", "longest", "nodes"):
        table.add_column(heading, justify="left" if heading == "rung" else "right")
    speeds = {rung(int(one)).name: speed for one, speed in report["rungs"].items()}
    unrated = [player for player in speeds if player not in report["elo"]]
    for player in [*sorted(report["elo"], key=lambda player: report["elo"][player][0]), *unrated]:
        value, low, high = report["elo"].get(player, ("", "", ""))
        speed = speeds.get(player)
        times = (f"{speed['ms']:,.2f}", f"{speed['p99']:,.1f}", f"{speed['longest']:,.1f}") if speed else ("", "", "")
        cells = (*times, f"{speed['nodes']:,}" if speed else "")
        table.add_row(player, str(value), f"{low} to {high}" if low != "" else "", *cells)
    return table


if __name__ == "__main__":
    typer.run(main)
