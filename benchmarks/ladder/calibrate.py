"""Fits what turns evaluations into probabilities (engine/src/players/linear.rs). See README.md here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.choices import choices
from ringrift_core import _engine
from ringrift_core._engine import GameRecord, Judge
from ringrift_core.contract import Board, configuration_name
from ringrift_core.players.ladder import HEURISTIC_NOISE, MINIMAX_NOISE, rung
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, Seating

OPENING_PLIES = 6
"""Random decisions at the start, as in self-play: seat 2 has decided by then, so nobody swaps."""
GAMES: dict[Board, int] = {Board.SQUARE8: 4_000, Board.HEX8: 4_000, Board.SQUARE19: 300, Board.HEXAGONAL: 150}
"""To fit by, and as many again to report by."""
TEACHER = 5
"""Rung whose moves the policy is to foresee, by the hand-set weights."""
POSITIONS: dict[Board, int] = {Board.SQUARE8: 2_000, Board.HEX8: 2_000, Board.SQUARE19: 300, Board.HEXAGONAL: 300}
HEURISTIC = Seating.without_store(Board.SQUARE8, 2).player(
    Specification.parse("weights@0:one-ply"), Manner(noise=HEURISTIC_NOISE)
)
JUDGE = Judge.linear(_engine.heuristic_weights("baseline"))
"""Whose calibration this is."""
DECIDED = 0.9995
"""A seat with more has won as far as the search can see: exact under any scale, so no matter of calibration."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """An exponent fitted to some games, and what it is worth on others."""

    exponent: float
    before: float
    """Mean log loss on the other games as it was."""
    after: float
    uniform: float
    samples: int


def main(
    board: Annotated[list[Board] | None, typer.Option(help="Boards, repeatable; all by default.")] = None,
    share: Annotated[float, typer.Option(min=0.001, help="Part of the usual number of games.")] = 1.0,
    threads: Annotated[int, typer.Option(min=0, help="0 is every core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    console = Console(width=120)
    report = {}
    for one in board or list(Board):
        for players in (2, 3, 4):
            known = JUDGE.calibration(one.value, players)
            values = fit_values(one, players, share, threads)
            policy = fit_policy(one, players, share, threads)
            report[configuration_name(one, players)] = {
                "scale": round(known[0] / values[0].exponent, 2),
                "temperature": round(known[1] / policy.exponent, 3),
                "value_loss": [round(loss, 4) for loss in (values[0].uniform, values[0].before, values[0].after)],
                "policy_loss": [round(loss, 3) for loss in (policy.uniform, policy.before, policy.after)],
                "positions": [values[0].samples, policy.samples],
                "reliability": values[1],
            }
            if not as_json:
                console.print(json.dumps({configuration_name(one, players): report[configuration_name(one, players)]}))
    if as_json:
        typer.echo(json.dumps({"calibration": report}))
    else:
        console.print(_table(report), _reliability(report))


def fit_values(board: Board, players: int, share: float, threads: int) -> tuple[Fit, list[list[float]]]:
    """Of the root's win probabilities to outcomes; and (mean said, share won, seats) by tenths on held-out games."""
    games = max(10, round(GAMES[board] * share))
    fitted, held_out = (_play(board, players, seed, games, threads) for seed in (101, 102))
    said, won = _probabilities(fitted, players)
    exponent = _minimise(lambda a: _loss(said, won, a))
    said, won = _probabilities(held_out, players)
    fit = Fit(exponent, _loss(said, won, 1.0), _loss(said, won, exponent), float(np.log(players)), len(won))
    shares = _sharpened(said, exponent)
    hits = np.arange(players)[None, :] == won[:, None]
    rows = []
    for tenth in range(10):
        inside = (shares >= tenth / 10) & (shares < (tenth + 1) / 10 if tenth < 9 else shares <= 1)
        if inside.any():
            said_mean, won_mean = float(shares[inside].mean()), float(hits[inside].mean())
            rows.append([round(said_mean, 3), round(won_mean, 3), int(inside.sum())])
    return fit, rows


def fit_policy(board: Board, players: int, share: float, threads: int) -> Fit:
    """Of the heuristic's policy to the moves of a stronger player."""
    wanted = max(20, round(POSITIONS[board] * share))
    seating = Seating.without_store(board, players)
    by_weights = rung(TEACHER).choices(board, players)[-1].at(0)
    teacher = seating.player(by_weights, Manner(noise=MINIMAX_NOISE))
    calm = seating.player(Specification.parse("weights@0:one-ply"))
    halves: list[tuple[list[Floats], list[int]]] = []
    for seed in (103, 104):
        policies, chosen = [], []
        for position in _positions(board, players, seed, wanted, threads):
            policy = calm.choose(position, 1).policy
            move = teacher.choose(position, 1).move
            policies.append(np.log(np.maximum([portion for _, portion in policy], 1e-30)))
            chosen.append([str(one) for one, _ in policy].index(str(move)))
        halves.append((policies, chosen))

    def loss(half: tuple[list[Floats], list[int]], exponent: float) -> float:
        pairs = zip(*half, strict=True)
        return float(np.mean([np.logaddexp.reduce(exponent * one) - exponent * one[index] for one, index in pairs]))

    exponent = _minimise(lambda a: loss(halves[0], a))
    held_out = halves[1]
    uniform = float(np.mean([np.log(len(one)) for one in held_out[0]]))
    return Fit(exponent, loss(held_out, 1.0), loss(held_out, exponent), uniform, len(held_out[1]))


def _play(board: Board, players: int, seed: int, games: int, threads: int) -> list[GameRecord]:
    return _engine.play_games(
        board.value,
        players,
        [[HEURISTIC]],
        seed=seed,
        games=games,
        opening_plies=OPENING_PLIES,
        max_turns=800,
        threads=threads,
    )


def _probabilities(records: list[GameRecord], players: int) -> tuple[Floats, NDArray[np.int64]]:
    """What the root said of each seat [positions, players], and the seat that won [positions]."""
    said, won = [], []
    for record in records:
        if record.winner is None or record.swapped:
            continue
        for searched in _engine.searches_from_bytes(record.searches, players):
            if max(searched.values) < DECIDED:
                said.append(searched.values)
                won.append(record.winner - 1)
    # Half floats: the least above 0 is 6e-8.
    return np.log(np.maximum(np.array(said), 3e-8)), np.array(won)


def _sharpened(logs: Floats, exponent: float) -> Floats:
    """softmax(exponent x log-probabilities): the same evaluations under another scale."""
    powers = exponent * logs
    shares: Floats = np.exp(powers - np.logaddexp.reduce(powers, axis=1, keepdims=True))
    return shares


def _loss(logs: Floats, won: NDArray[np.int64], exponent: float) -> float:
    powers = exponent * logs
    return float(np.mean(np.logaddexp.reduce(powers, axis=1) - powers[np.arange(len(won)), won]))


def _minimise(loss: Callable[[float], float]) -> float:
    """The exponent of least loss, by golden-section search over its logarithm; the loss is convex in the exponent."""
    low, high, golden = np.log(0.02), np.log(50.0), (np.sqrt(5) - 1) / 2
    for _ in range(40):
        one, two = high - golden * (high - low), low + golden * (high - low)
        if loss(float(np.exp(one))) < loss(float(np.exp(two))):
            high = two
        else:
            low = one
    return float(np.exp((low + high) / 2))


def _positions(board: Board, players: int, seed: int, wanted: int, threads: int) -> Iterator[_engine.Position]:
    """Every tenth decision of heuristic games, after their openings."""
    found = 0
    for record in _play(board, players, seed, max(4, wanted // 3), threads):
        for decision, position in enumerate(choices(board, players, record), 1):
            if decision > OPENING_PLIES and decision % 10 == 0:
                yield position
                found += 1
                if found == wanted:
                    return


def _table(report: dict[str, dict[str, object]]) -> Table:
    table = Table(
        title="Calibration, fitted on some games and judged on others",
        caption="log loss: uniform, before, after.",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("configuration", "scale", "value loss", "temperature", "policy loss", "positions"):
        table.add_column(heading, justify="left" if heading == "configuration" else "right")
    for name, one in report.items():
        cells = (one[key] for key in ("scale", "value_loss", "temperature", "policy_loss", "positions"))
        table.add_row(name, *(" ".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in cells))
    return table


def _reliability(report: dict[str, dict[str, object]]) -> Table:
    table = Table(title="Reliability: said:won by tenths of the win probability", box=box.SIMPLE_HEAD)
    table.add_column("configuration")
    table.add_column("said:won")
    for name, one in report.items():
        rows = one["reliability"]
        assert isinstance(rows, list)
        table.add_row(name, "  ".join(f"{said:.2f}:{won:.2f}" for said, won, _ in rows))
    return table


if __name__ == "__main__":
    typer.run(main)
