"""How often each gate promotes, and each regression test rolls back, a player of a known rate: see README.md here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.gates.openings import Groups, Openings
from ringrift_core.arena.gate import FixedGate, Gate, RegressionTest, SprtGate
from ringrift_core.contract import Decision

RATES = (0.45, 0.50, 0.55, 0.60, 0.65, 0.70)
CHAMPION_RATES = (0.30, 0.35, 0.40, 0.45, 0.50, 0.55)
"""Of a champion against its predecessor."""
SEATS = (2, 3, 4)
FIXED_GAMES, MOST_GAMES = 20, 200
PROMOTION, REGRESSION = 0.55, 0.45
"""All of them as `ringrift evaluate` and the operator have them where nothing else is said."""


@dataclass(frozen=True)
class Characteristic:
    """What a test came to over all simulated matches of one kind."""

    test: str
    players: int
    openings: str
    rate: float
    matches: int
    said_yes: float
    """The share that was promoted, or rolled back."""
    games: float
    """To the decision, on the mean."""
    games_of_most: int
    """To the decision, in nine matches of ten."""


def gates(players: int) -> dict[str, Gate]:
    return {
        "SPRT": SprtGate(players, MOST_GAMES, PROMOTION),
        "Fixed": FixedGate(players, FIXED_GAMES, PROMOTION),
        "regression": RegressionTest(players, MOST_GAMES, REGRESSION),
    }


def judged(name: str, groups: Groups, matches: int, seed: int) -> Characteristic:
    """The test over simulated matches."""
    gate = gates(groups.players)[name]
    found = [_decided(gate, groups.players, scores) for scores in groups.scores(seed, matches, gate.most_groups)]
    games = [count for _, count in found]
    return Characteristic(
        name,
        groups.players,
        groups.openings.value,
        groups.rate,
        matches,
        sum(yes for yes, _ in found) / matches,
        round(sum(games) / matches, 1),
        int(np.quantile(games, 0.9)),
    )


def _decided(gate: Gate, players: int, scores: list[float]) -> tuple[bool, int]:
    """Whether it was promoted, or rolled back, and after how many games.

    A regression test is judged in each iteration anew, by all groups so far: that comes to the same.
    """
    judgement = gate.judge(scores)
    assert judgement is not None
    return judgement.decision in (Decision.PROMOTE, Decision.REGRESSED), judgement.groups * players


def main(
    matches: Annotated[int, typer.Option(min=100, help="Simulated matches of each kind.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="That simulate at once.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Simulates matches of players of known rates, and prints what the gates say of them."""
    with ProcessPoolExecutor(processes) as pool:
        asked = [pool.submit(judged, name, groups, matches, seed) for name, groups in wanted()]
        found = [each.result() for each in asked]
    if as_json:
        print(json.dumps({"matches": matches, "seed": seed, "gates": [asdict(each) for each in found]}))
    else:
        for name in gates(2):
            Console(width=120).print(table(name, [each for each in found if each.test == name]))


def wanted() -> Iterator[tuple[str, Groups]]:
    for name in gates(2):
        rates = CHAMPION_RATES if name == "regression" else RATES
        for players in SEATS:
            for openings in Openings:
                yield from ((name, Groups(players, openings, rate)) for rate in rates)


def table(name: str, found: list[Characteristic]) -> Table:
    """Seats and openings downwards, rates to the right."""
    what = "rolled back" if name == "regression" else "promoted"
    made = Table(title=f"{name}: {what} (games on the mean / of nine in ten)", box=box.SIMPLE_HEAD)
    for heading in ("seats", "openings", *(f"{rate:.2f}" for rate in sorted({each.rate for each in found}))):
        made.add_column(heading)
    for players in SEATS:
        for openings in Openings:
            row = [each for each in found if (each.players, each.openings) == (players, openings.value)]
            cells = [f"{each.said_yes:.3f} ({each.games:.0f}/{each.games_of_most})" for each in row]
            made.add_row(str(players), openings.value, *cells)
    return made


if __name__ == "__main__":
    typer.run(main)
