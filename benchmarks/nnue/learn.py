"""NNUE by generations: each plays with what the last one has learned, and learns from those games. See README.md here.

What it makes lies in one folder: killed at any moment, it goes on after the last whole epoch or generation.
"""

from __future__ import annotations

import io
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import ringrift_core.nn  # isort: skip  # noqa: F401 (first: it says how torch is to be loaded)

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core._engine import Judge, Player
from ringrift_core.arena.interval import measure
from ringrift_core.contract import Board
from ringrift_core.nn.determinism import determine
from ringrift_core.nn.positions import Aim
from ringrift_core.nnue.candidate import calibration_of
from ringrift_core.nnue.measures import compare_siblings
from ringrift_core.nnue.network import Nnue
from ringrift_core.nnue.positions import Positions, Siblings, held_out_games, targets_of, told_apart
from ringrift_core.nnue.training import Plan, Training

GAMES_AT_ONCE = 2000
COLUMNS = ("games", "outcomes", "values", "unsearched", "symmetries", "legal")
"""What is kept of the rows beside their states."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Manner:
    """One of the ways in which a generation's games are played; one in so many of them."""

    search: str
    share: float
    random_moves: float
    """Share of decisions that are random: positions that good play avoids, with what good play makes of them."""
    tree_positions: int = 0


FIRST: tuple[Manner, ...] = (Manner("minimax", 1.0, 0.02),)
"""The first generation learns from outcomes, which come of good play alone."""
LATER: tuple[Manner, ...] = (
    Manner("minimax", 0.5, 0.02),
    Manner("minimax", 0.3, 0.25),
    Manner("descent", 0.1, 0.02, 8),
    Manner("descent to the end", 0.1, 0.02, 8),
)


@dataclass(frozen=True)
class Settings:
    """What the games and the trainings are made with."""

    board: Board
    players: int
    nodes: int
    descent_nodes: int
    games: int
    later_games: int
    opening: int
    """Random decisions at the start, at most: each game has its own number of them."""
    noise: float
    epochs: int
    batch: int
    rate: float
    outcome_weight: float
    window: int
    """Generations whose games are learned from."""
    threads: int
    device: str
    groups: int
    match_nodes: int


def main(
    folder: Annotated[Path, typer.Option(help="Where everything is kept.")],
    board: Annotated[Board, typer.Option()] = Board.SQUARE8,
    players: Annotated[int, typer.Option(min=2, max=4)] = 2,
    generations: Annotated[int, typer.Option(min=1)] = 3,
    games: Annotated[int, typer.Option(min=100, help="Of the first generation.")] = 10_000,
    later_games: Annotated[int, typer.Option(min=100, help="Of each later one.")] = 10_000,
    nodes: Annotated[int, typer.Option(min=1, help="Of alpha-beta, a decision.")] = 1500,
    descent_nodes: Annotated[int, typer.Option(min=1)] = 4000,
    opening: Annotated[int, typer.Option(min=0)] = 16,
    noise: Annotated[float, typer.Option(min=0)] = 0.5,
    epochs: Annotated[int, typer.Option(min=1)] = 20,
    batch: Annotated[int, typer.Option(min=1)] = 1024,
    rate: Annotated[float, typer.Option(min=0)] = 2e-3,
    outcome_weight: Annotated[
        float, typer.Option(min=0, max=1, help="From the second generation on; the first has outcomes alone.")
    ] = 0.5,
    window: Annotated[int, typer.Option(min=1)] = 3,
    threads: Annotated[int, typer.Option(min=0, help="0 is every core.")] = 0,
    device: Annotated[str, typer.Option(help="Of the training.")] = "cpu",
    groups: Annotated[int, typer.Option(min=0, help="Of a match against the hand-set weights, each generation.")] = 100,
    match_nodes: Annotated[int, typer.Option(min=1)] = 25_000,
) -> None:
    settings = Settings(
        board,
        players,
        nodes,
        descent_nodes,
        games,
        later_games,
        opening,
        noise,
        epochs,
        batch,
        rate,
        outcome_weight,
        window,
        threads,
        device,
        groups,
        match_nodes,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for generation in range(1, generations + 1):
        _learn(settings, folder, generation)


def _learn(settings: Settings, folder: Path, generation: int) -> None:
    network = _network(folder, generation)
    if network.exists():
        return
    begun, cpu = time.perf_counter(), time.process_time()
    for number in range(max(1, generation - settings.window + 1), generation + 1):
        _play(settings, folder, number)
    played = {"playing_seconds": round(time.perf_counter() - begun), "playing_core_seconds": _since(cpu)}
    train, held_out, siblings = _positions(settings, folder, generation)
    begun, cpu = time.perf_counter(), time.process_time()
    training = _train(settings, folder, generation, train, held_out)
    calibration = calibration_of(training, siblings.states)
    content = training.network.file(calibration)
    trained = {"training_seconds": round(time.perf_counter() - begun), "training_core_seconds": _since(cpu)}
    told = compare_siblings(Judge.nnue(content), siblings)
    hand_set = compare_siblings(Judge.linear(_engine.heuristic_weights("baseline")), siblings)
    report = {
        "generation": generation,
        "rows": len(train),
        "held_out_rows": len(held_out),
        **asdict(min(training.figures, key=lambda one: one.held_out_loss)),
        **{f"siblings_{name}": value for name, value in asdict(told).items()},
        "hand_set_spearman": hand_set.spearman,
        "hand_set_top": hand_set.top,
        "calibration": asdict(calibration),
        **played,
        **trained,
        **_matches(settings, Judge.nnue(content)),
    }
    _write(network.with_suffix(".parameters.safetensors"), training.network.parameters_file())
    with (folder / "learned.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(report) + "\n")
    typer.echo(json.dumps(report))
    _write(network, content)
    (folder / "checkpoint.safetensors").unlink(missing_ok=True)


def _train(settings: Settings, folder: Path, generation: int, train: Positions, held_out: Positions) -> Training:
    determine(generation)
    if settings.device != "cpu":
        torch.set_num_threads(os.cpu_count() or 1)
        torch.use_deterministic_algorithms(True, warn_only=True)
    model = Nnue(settings.board, settings.players)
    before = _network(folder, generation - 1).with_suffix(".parameters.safetensors")
    if before.exists():
        model.load_parameters(before.read_bytes())
    rate = settings.rate / 2 if before.exists() else settings.rate
    plan = Plan(generation, settings.epochs, settings.batch, rate)
    training = Training(model, plan, train, held_out, torch.device(settings.device))
    checkpoint = folder / "checkpoint.safetensors"
    if checkpoint.exists():
        training.load(checkpoint.read_bytes())
    while not training.finished:
        figures = training.run_epoch(lambda _: None)
        _write(checkpoint, training.save())
        typer.echo(json.dumps({"generation": generation, **{k: round(v, 4) for k, v in asdict(figures).items()}}))
    model.load_state_dict(training.best)
    return training


def _matches(settings: Settings, judge: Judge) -> dict[str, Any]:
    """Against the hand-set weights in the same search, at equal nodes."""
    if not settings.groups:
        return {}
    other = Judge.linear(_engine.heuristic_weights("baseline"))
    pairs = {
        "one_ply": (Player.one_ply(judge), Player.one_ply(other)),
        "rung_5": (
            Player.minimax(judge, nodes=settings.match_nodes),
            Player.minimax(other, nodes=settings.match_nodes),
        ),
    }
    board, players = settings.board.value, settings.players
    found: dict[str, Any] = {}
    for name, (candidate, opponent) in pairs.items():
        results = _engine.play_match(board, players, candidate, opponent, seed=77, groups=settings.groups, threads=0)
        rate = measure([result.score / players for result in results], players)
        found[name] = [round(rate.rate, 3), round(rate.low, 3), round(rate.high, 3)]
    return found


def _network(folder: Path, generation: int) -> Path:
    return folder / f"generation-{generation}.safetensors"


def _since(cpu: float) -> int:
    return round(time.process_time() - cpu)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: a run may be killed here."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _play(settings: Settings, folder: Path, generation: int) -> None:
    """The games of a generation as rows: exact states of searched decisions, and what came of them."""
    path = folder / f"games-{generation}.npz"
    if path.exists():
        return
    if generation > 1:
        judge, manners = Judge.nnue(_network(folder, generation - 1).read_bytes()), LATER
    else:
        judge, manners = Judge.linear(_engine.heuristic_weights("baseline")), FIRST
    games = settings.later_games if generation > 1 else settings.games
    parts: list[dict[str, Array]] = []
    first = 0
    for manner in manners:
        last = first + round(manner.share * games)
        player = _player(settings, manner, judge)
        for start in range(first, last, GAMES_AT_ONCE):
            records = _engine.play_games(
                settings.board.value,
                settings.players,
                [[player]],
                seed=1000 + generation,
                games=min(GAMES_AT_ONCE, last - start),
                first_game=start,
                opening_plies=settings.opening,
                least_opening_plies=0,
                random_move_rate=manner.random_moves,
                threads=settings.threads,
            )
            parts.append(_rows(settings, records, outcomes_alone=generation == 1))
        first = last
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    content = io.BytesIO()
    np.savez(content, **columns)  # type: ignore[arg-type]
    _write(path, content.getvalue())


def _player(settings: Settings, manner: Manner, judge: Judge) -> Player:
    if manner.search == "minimax":
        return Player.minimax(judge, nodes=settings.nodes, noise=settings.noise)
    return Player.descent(
        judge,
        settings.descent_nodes,
        0.1,
        to_the_end=manner.search == "descent to the end",
        inner=manner.tree_positions,
    )


def _rows(settings: Settings, records: list[_engine.GameRecord], outcomes_alone: bool) -> dict[str, Array]:
    sources = [(record.game_id, record.moves, record.searches, None) for record in records if record.winner]
    board, players, threads = settings.board.value, settings.players, settings.threads
    rows = _engine.encode_rows(board, players, sources, exact_states=True, trees=True, threads=threads)
    searched = np.isfinite(rows["values"]).all(axis=1)
    kept = searched & (rows["unsearched"] == 0) if outcomes_alone else searched
    lengths = rows["state_lengths"].astype(np.int64)
    found = {name: rows[name][kept] for name in COLUMNS}
    found |= {"state_lengths": rows["state_lengths"][kept], "states": rows["states"][np.repeat(kept, lengths)]}
    return found | {"shares": rows["shares"][np.repeat(kept, rows["legal"])]}


def _positions(settings: Settings, folder: Path, generation: int) -> tuple[Positions, Positions, Siblings]:
    parts, games = [], []
    for number in range(max(1, generation - settings.window + 1), generation + 1):
        with np.load(folder / f"games-{number}.npz") as arrays:
            newest = {name: arrays[name] for name in arrays.files}
        targets, kept = targets_of(newest, Aim(1.0 if number == 1 else settings.outcome_weight))
        lengths, states = newest["state_lengths"], newest["states"]
        states = states[np.repeat(kept, lengths)]
        parts.append(Positions.of_states(settings.board, settings.players, lengths[kept], states, targets))
        games.append(newest["games"][kept])
    held_out = held_out_games(np.concatenate(games))
    everything = Positions.together(parts)
    siblings = told_apart(newest, held_out_games(newest["games"]))
    return everything.part(~held_out), everything.part(held_out), siblings


if __name__ == "__main__":
    typer.run(main)
