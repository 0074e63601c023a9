"""Where an NNUE and the network that it learnt from part, by the phase of the game. See README.md here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeAlias

import numpy as np
import typer
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.choices import choices
from benchmarks.configuration import configuration_of
from ringrift_core import _engine
from ringrift_core.contract import MOVE_LIMITS
from ringrift_core.errors import RingRiftError, WrongInputError
from ringrift_core.nn.inference import AskedNetwork
from ringrift_core.nnue.training import pearson, softmax
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, Seating

Array = NDArray[np.float64]
Says: TypeAlias = Callable[[Sequence[_engine.Position]], Array]
"""Chances of each seat [positions, seats], whoever is asked."""

PHASES = ("first", "second", "last")
"""Thirds of a game's decisions."""
PLAYERS = (("weights@0:one-ply", 0.25), ("weights@0:minimax:1500", 0.15), ("weights@0:minimax:6000", 0.0))
"""Who plays, and which share of its decisions is random: a search sees what good play avoids. Only what comes
after an opening of chance and before no other random move says anything of chances."""
OPENING = 8
"""Random decisions at the beginning of each game."""
ASKED_AT_ONCE = 512
SEED = 987_654
"""Of games that nobody has learnt from."""
SIBLINGS = 100
"""Positions of a phase of which what follows each move is compared."""


@dataclass(frozen=True)
class Seen:
    """A position with a choice, in a phase, and the seat that won in the end, where nobody helped it by chance."""

    position: _engine.Position
    phase: int
    winner: int | None


def main(
    configuration: Annotated[str, typer.Option(help="Such as square8-2p.")] = "square8-2p",
    network: Annotated[str, typer.Option(help="network=FILE, or what comes with the package.")] = "network",
    nnue: Annotated[str, typer.Option(help="nnue=FILE, likewise.")] = "nnue",
    games: Annotated[int, typer.Option(min=20, help="Each decision of which is looked at.")] = 400,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    board, players = configuration_of(configuration)
    seating = Seating.without_store(board, players)
    try:
        teacher, pupil = (_says(seating, text) for text in (f"{network}:policy", f"{nnue}:one-ply"))
        seen = [one for player, share in PLAYERS for one in _positions(seating, player, share, games // len(PLAYERS))]
        parts = [[one for one in seen if one.phase == phase] for phase in range(len(PHASES))]
        if not all(any(one.winner is not None for one in part) for part in parts):
            raise WrongInputError(f"--games {games}: too few, in some phase nobody won without a random move")
        report = {name: _phase(part, teacher, pupil) for name, part in zip(PHASES, parts, strict=True)}
    except (RingRiftError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(json.dumps({"configuration": configuration, "games": games, "phases": report}))
        return
    table = Table(
        title=f"{configuration}, {games // len(PLAYERS)} games of each kind: by thirds of a game", box=box.SIMPLE_HEAD
    )
    table.add_column("")
    for name in report:
        table.add_column(name, justify="right")
    for key in next(iter(report.values())):
        table.add_row(key, *(f"{one[key]:,}" for one in report.values()))
    Console(width=120).print(table)


def _says(seating: Seating, text: str) -> Says:
    judge = Specification.parse(text).judge
    assert judge is not None, "its callers name one"
    evaluation, board, players = seating.judges.of(judge), seating.judges.board.value, seating.judges.players
    if isinstance(evaluation, AskedNetwork):
        return partial(_asked, evaluation)
    if isinstance(evaluation, _engine.Judge):
        return partial(_evaluated, evaluation, evaluation.calibration(board, players)[0])
    raise WrongInputError(f"{text}: expected a network and an NNUE")


def _evaluated(judge: _engine.Judge, scale: float, positions: Sequence[_engine.Position]) -> Array:
    logits = np.array([judge.values(one) for one in positions])
    return np.asarray(softmax(logits / scale), dtype=np.float64)


def _asked(network: AskedNetwork, positions: Sequence[_engine.Position]) -> Array:
    parts = []
    for first in range(0, len(positions), ASKED_AT_ONCE):
        some = positions[first : first + ASKED_AT_ONCE]
        planes, features = (np.stack(column) for column in zip(*map(_engine.encode_position, some), strict=True))
        said = network.values(planes, features)
        # Column 0 is the seat to move.
        parts += [np.roll(row, one.mover - 1) for row, one in zip(said, some, strict=True)]
    return np.array(parts, dtype=np.float64)


def _positions(seating: Seating, player: str, random_moves: float, games: int) -> Iterator[Seen]:
    board, players = seating.judges.board, seating.judges.players
    seated = seating.player(Specification.parse(player), Manner(player))
    limit = MOVE_LIMITS[board][players - 2]
    for record in _engine.play_games(
        board.value,
        players,
        [[seated]],
        seed=SEED,
        games=games,
        max_turns=limit,
        opening_plies=OPENING,
        random_move_rate=random_moves,
    ):
        if record.winner is None:
            continue
        found = list(choices(board, players, record))
        for number, one in enumerate(found):
            is_clean = not random_moves and number >= OPENING
            yield Seen(one, number * len(PHASES) // len(found), record.winner if is_clean else None)


def _phase(seen: Sequence[Seen], teacher: Says, pupil: Says) -> dict[str, Any]:
    positions = [one.position for one in seen]
    rows, movers = np.arange(len(seen)), np.array([one.mover - 1 for one in positions])
    decided = np.array([one.winner is not None for one in seen])
    winners = np.array([one.winner - 1 for one in seen if one.winner is not None])
    said, learnt = teacher(positions), pupil(positions)
    found: dict[str, Any] = {
        "positions": len(seen),
        "correlation": pearson(learnt[rows, movers], said[rows, movers]),
        "teacher's deviation": float(said[rows, movers].std()),
    }
    for name, chances in (("network", said), ("NNUE", learnt)):
        of_winner = chances[rows[decided], winners]
        found[f"log loss, {name}"] = float(-np.log(np.maximum(of_winner, 1e-9)).mean())
        found[f"said less won, {name}"] = _calibration(chances[rows, movers][decided], winners == movers[decided])
    step = -(-len(positions) // SIBLINGS)
    regrets = np.array([_regret(one, teacher, pupil) for one in positions[::step]])
    found["regret, NNUE"], found["regret, any move"] = (float(part) for part in regrets.mean(0))
    return {name: figure if isinstance(figure, int) else round(figure, 4) for name, figure in found.items()}


def _calibration(said: Array, won: NDArray[np.bool_]) -> float:
    """How far apart what is said and what comes are on the mean, over tenths of the positions by what is said."""
    parts = np.array_split(np.argsort(said), 10)
    return float(np.mean([abs(said[part].mean() - won[part].mean()) for part in parts if len(part)]))


def _regret(parent: _engine.Position, teacher: Says, pupil: Says) -> tuple[float, float]:
    """What the teacher thinks that the seat to move loses by the move that the pupil likes best, and by any, on the
    mean. Moves that end the game are left out: whoever searches sees them."""
    seat, children = parent.mover - 1, []
    for move in parent.legal_moves():
        child = parent.copy()
        child.play(move)
        if child.outcome() is None:
            children.append(child)
    if len(children) < 2:
        return 0.0, 0.0
    said, learnt = teacher(children)[:, seat], pupil(children)[:, seat]
    return float(said.max() - said[learnt.argmax()]), float(said.max() - said.mean())


if __name__ == "__main__":
    typer.run(main)
