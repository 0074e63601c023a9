"""What the best judge could know: how far the outcome of a game is settled by a position, and how much of that is
learnt. See README.md here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.pieces import Pieces, told
from ringrift_core import _engine
from ringrift_core.cmaes.regression import fit, log_loss
from ringrift_core.cmaes.start import POSITIONS_PER_GAME, positions_of_games
from ringrift_core.contract import MOVE_LIMITS, Board, NetworkSize
from ringrift_core.dataset.rows import RowFile
from ringrift_core.errors import WrongInputError
from ringrift_core.files import scratch_folder
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, Seating

if TYPE_CHECKING:
    from ringrift_core.nn.positions import Positions

CONTINUATIONS = 4
HELD_OUT = 0.1
NOISE = 0.02
"""As the ladder's rungs have it: continuations of one position must differ."""
OPENING_PLIES = 8
PASSES = 3
"""Of a network over its positions, at most."""
BATCH = 256
GAMES_AT_ONCE = 2000
JUDGES = {
    "nothing": "knows nothing",
    "hand_set": "hand-set, scaled",
    "regression": "regression",
    "mlp": "MLP on the features",
    "network": "network",
}


def main(
    board: Annotated[Board, typer.Option(help="Board.")] = Board.SQUARE8,
    players: Annotated[int, typer.Option(min=2, max=4, help="Seats.")] = 2,
    teacher: Annotated[str, typer.Option(help="Who plays (docs/players.md).")] = "weights@0:minimax-3:12000",
    positions: Annotated[int, typer.Option(min=0, help="Positions that are played out four times.")] = 1000,
    games: Annotated[str, typer.Option(help="Games to learn from, comma-separated.")] = "10000,30000",
    random_moves: Annotated[float, typer.Option(min=0, max=1, help="Share of random moves after the opening.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    threads: Annotated[int, typer.Option(min=0)] = 0,
    network: Annotated[
        NetworkSize | None, typer.Option(help="Also train one of this size, on the same positions.")
    ] = None,
    pieces: Annotated[Path, typer.Option(help="What was measured so far, JSON lines.")] = Path("ceiling.jsonl"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    counts = sorted(int(count) for count in games.split(","))
    if counts[0] < 1:
        raise typer.BadParameter(f"--games {games}: expected counts of at least 1")
    run = _Run(board, players, teacher, random_moves, seed, threads)
    common = {"board": board.value, "players": players, "random_moves": random_moves, "seed": seed}
    try:
        known = _Known(Pieces(pieces, teacher=run.teacher, **common), run, network)
    except WrongInputError as error:
        raise typer.BadParameter(str(error)) from None
    agreement = known.agreement(positions) if positions else None
    learnt = {count: known.learnt(count) for count in counts}
    if as_json:
        typer.echo(
            json.dumps({**common, "teacher": teacher, "positions": positions, "repeats": agreement, "losses": learnt})
        )
        return
    table = Table(title=f"{board}-{players}p by {teacher}: held-out loss in nats", box=box.SIMPLE_HEAD)
    for heading in ("games", *(heading for name, heading in JUDGES.items() if name in learnt[counts[0]])):
        table.add_column(heading, justify="right")
    for count, losses in learnt.items():
        table.add_row(f"{count:,}", *(f"{losses[name]:.4f}" for name in JUDGES if name in losses))
    console = Console()
    console.print(table)
    if agreement is not None:
        console.print(f"the same position played out twice has the same winner {agreement:.1%} of the time")


class _Known:
    """What was measured before, and whatever is not yet."""

    def __init__(self, pieces: Pieces, run: _Run, network: NetworkSize | None) -> None:
        self._pieces, self._run, self._network = pieces, run, network
        self._played: list[_engine.GameRecord] = []

    def agreement(self, positions: int) -> float:
        found = self._pieces.find(positions=positions)
        if found is None:
            repeats = self._run.agreement(self._games(positions), positions)
            found = self._pieces.add({"positions": positions, "repeats": repeats})
        return float(found["repeats"])

    def learnt(self, count: int) -> dict[str, float]:
        key = {"games": count, "network": self._network}
        found = self._pieces.find(**key)
        if found is None:
            found = self._pieces.add({**key, "losses": _learnt(self._run, self._games(count), self._network)})
        return dict(found["losses"])

    def _games(self, count: int) -> list[_engine.GameRecord]:
        """The first so many: more of them begin with the same."""
        missing = max(0, count - len(self._played))
        self._played += self._run.games(missing, first=len(self._played))
        return self._played[:count]


class _Run:
    """Games of the teacher against itself."""

    def __init__(self, board: Board, players: int, teacher: str, random_moves: float, seed: int, threads: int) -> None:
        self.board, self.players, self.seed = board, players, seed
        self._threads, self._random_moves = threads, random_moves
        seating, specification = Seating.without_store(board, players), Specification.parse(teacher)
        self._teacher = seating.player(specification, Manner(noise=NOISE))
        self.teacher = told(specification, seating.judges)

    def games(
        self, count: int, prefixes: Sequence[bytes] | None = None, group: int = 1, first: int = 0
    ) -> list[_engine.GameRecord]:
        return _engine.play_games(
            self.board.value,
            self.players,
            [[self._teacher]],
            seed=self.seed + (prefixes is not None),
            first_game=first,
            games=count,
            max_turns=MOVE_LIMITS[self.board][self.players - 2],
            opening_plies=0 if prefixes else OPENING_PLIES,
            least_opening_plies=0,
            opening_group=group,
            prefixes=prefixes,
            random_move_rate=self._random_moves,
            threads=self._threads,
        )

    def agreement(self, played: Sequence[_engine.GameRecord], positions: int) -> float:
        """How often two games that go on from one position are won by the same seat."""
        prefixes = [_prefix(self, game) for game in played[:positions]]
        winners = [game.winner for game in self.games(CONTINUATIONS * len(prefixes), prefixes, CONTINUATIONS)]
        same = pairs = 0
        for first in range(0, len(winners), CONTINUATIONS):
            group = winners[first : first + CONTINUATIONS]
            for one in range(CONTINUATIONS):
                for other in range(one):
                    if group[one] is None and group[other] is None:
                        continue  # Nobody won either.
                    pairs += 1
                    same += group[one] == group[other]
        return same / pairs


def _prefix(run: _Run, game: _engine.GameRecord) -> bytes:
    """A game up to one of its decisions, drawn by its id."""
    (decision,) = _engine.draw_decisions(run.seed, game.game_id, game.decisions, 1)
    return _engine.before_decision(run.board.value, run.players, game.moves, decision)


def _learnt(run: _Run, games: list[_engine.GameRecord], size: NetworkSize | None) -> dict[str, float]:
    features, outcomes, of_games = positions_of_games(run.board, run.players, games, run.seed)
    held_out = of_games < np.uint64(HELD_OUT * 2**64)
    if held_out.all() or not held_out.any():
        raise typer.BadParameter(f"--games {len(games)}: too few, for nothing could be held out")
    train, test = _part(features, outcomes, of_games, ~held_out), _part(features, outcomes, of_games, held_out)
    baseline = _engine.heuristic_weights("baseline")
    losses = {
        "nothing": float(np.log(run.players)),
        "hand_set": _scaled_loss(baseline, train, test),
        "regression": log_loss(fit(*train), *test),
        "mlp": _mlp_loss(train, test, run.seed),
    }
    return losses if size is None else losses | {"network": _network_loss(run, games, size)}


_Rows = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint64]]


def _part(
    features: NDArray[np.float32], outcomes: NDArray[np.float32], games: NDArray[np.uint64], rows: NDArray[np.bool_]
) -> _Rows:
    return features[rows], outcomes[rows], games[rows]


def _scaled_loss(weights: list[float], train: _Rows, test: _Rows) -> float:
    """Of these weights at the scale that suits them best."""
    scales = np.geomspace(1e-3, 3.0, 60)
    best = min(scales, key=lambda scale: log_loss([float(scale) * each for each in weights], *train))
    return log_loss([float(best) * each for each in weights], *test)


def _mlp_loss(train: _Rows, test: _Rows, seed: int) -> float:
    """Of a small network on the features of all seats, the one to move first; the best epoch's."""
    from ringrift_core.nn.determinism import determine  # First: it says how torch is to be loaded.

    import torch  # isort: skip
    from torch.nn import functional  # isort: skip

    determine(seed)
    seats, width = train[0].shape[1:]
    network = torch.nn.Sequential(
        torch.nn.Linear(seats * width, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, seats),
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4)
    inputs, targets = torch.from_numpy(train[0].reshape(len(train[0]), -1)), torch.from_numpy(train[1])
    held_out, held_out_targets = torch.from_numpy(test[0].reshape(len(test[0]), -1)), torch.from_numpy(test[1])
    losses = []
    for _ in range(10):
        for rows in torch.split(torch.randperm(len(inputs)), 1024):
            loss = functional.cross_entropy(network(inputs[rows]), targets[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            losses.append(float(functional.cross_entropy(network(held_out), held_out_targets)))
    return min(losses)


def _network_loss(run: _Run, games: list[_engine.GameRecord], size: NetworkSize) -> float:
    """Of values, on the positions and by the outcomes that the others are judged by; it learns policies as well."""
    import torch
    from torch.nn import functional

    from ringrift_core.nn.determinism import determine
    from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
    from ringrift_core.nn.positions import OUTCOMES
    from ringrift_core.nn.training import Training, TrainingPlan

    determine(run.seed)
    won = [game for game in games if game.winner is not None]
    learnt_from, held_out = ([game for game in won if _is_held_out(game) == side] for side in (False, True))
    train, test = (_positions(run, games) for games in (learnt_from, held_out))
    network = RingRiftNetwork(NetworkShape.of_size(run.board, run.players, size))
    training = Training(network, TrainingPlan(run.seed, PASSES, BATCH, 2e-3), train, test, torch.device("cpu"))
    while not training.finished:
        training.step(lambda: None)
        if training.epoch_is_over:
            training.measure(lambda: None)
    network.load_state_dict(training.best)
    loss = 0.0
    with torch.no_grad():
        for rows in np.array_split(np.arange(len(test)), -(-len(test) // 1024)):
            batch = test.batch(rows, OUTCOMES, torch.device("cpu"))
            values, _ = network(batch.planes, batch.globals)
            loss += float(functional.cross_entropy(values, batch.outcomes, reduction="sum"))
    return loss / len(test)


def _is_held_out(game: _engine.GameRecord) -> bool:
    """As `_learnt` has it, by the first 64 bits of the id."""
    return int(game.game_id[:16], 16) < HELD_OUT * 2**64


def _positions(run: _Run, games: Sequence[_engine.GameRecord]) -> Positions:
    """The decisions that the other judges learn from, in a file without a name."""
    from ringrift_core.nn.positions import Positions

    board, players = run.board, run.players
    sources = [
        (
            game.game_id,
            game.moves,
            game.searches,
            _engine.draw_decisions(run.seed, game.game_id, game.decisions, POSITIONS_PER_GAME),
        )
        for game in games
    ]
    parts = (
        _engine.encode_rows(board.value, players, sources[first : first + GAMES_AT_ONCE], seed=run.seed)
        for first in range(0, len(sources), GAMES_AT_ONCE)
    )
    with scratch_folder("ringrift-ceiling-") as folder:
        file = RowFile.write(folder, board, players, parts)
    return Positions(file, np.arange(len(file)))


if __name__ == "__main__":
    typer.run(main)
