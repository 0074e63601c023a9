"""The stage distill: a candidate NNUE that says of positions what the champion network says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core._engine import Judge, Position
from ringrift_core.archive import Checkpoint
from ringrift_core.contract import DistillParameters, DistillResult, StageResult, Track
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.determinism import determine, device_of
from ringrift_core.nn.inference import ValueEvaluator, onnx_network
from ringrift_core.nnue.candidate import card_of, initial_network, keep, run_epochs
from ringrift_core.nnue.measures import agreement
from ringrift_core.nnue.positions import Positions, exact_columns, held_out_games
from ringrift_core.nnue.training import Plan, Training, pearson, softmax
from ringrift_core.players.cards import ModelCard
from ringrift_core.registry.records import champion_artifact
from ringrift_core.stage import Outcome, Run

__all__ = ["distill_stage"]

TASK = "distill"
ASKED_AT_ONCE = 1024
HELD_OUT_PER_POSITION = 0.25
"""Positions of held-out games that are judged, at most, for each that is trained on."""
MOST_SIBLINGS = 500
"""Positions at which moves are compared: the teacher is asked about all that follow."""

Array = NDArray[Any]


def distill_stage(parameters: DistillParameters, run: Run) -> StageResult:
    """Trains once per iteration; a killed training goes on after its last whole epoch."""
    result = run.once(parameters.iteration, TASK, parameters, lambda: _distill(parameters, run))
    Checkpoint(run.archive, parameters.iteration, TASK, parameters.attempt).clear()
    return result


@dataclass(frozen=True)
class _Family:
    """What follows a held-out position, after each of its moves that does not end the game."""

    state: bytes
    """The position, exact."""
    children: tuple[Position, ...]
    said: Array
    """[children]: what the teacher says of the chances of the seat that moved."""

    def judged(self, judge: Judge) -> Array:
        """[children]: what another judge makes of them, in its unit."""
        seat = Position.from_bytes(self.state).mover - 1
        return np.array([judge.values(child)[seat] for child in self.children])


@dataclass(frozen=True)
class _Lesson:
    """Positions, and what the teacher says of them."""

    train: Positions
    held_out: Positions
    games: int
    """Held out."""
    repeated: int
    """Positions of held-out games that are trained on as well, as those of openings, and were left out."""
    families: list[_Family]


def _distill(parameters: DistillParameters, run: Run) -> Outcome:
    device = device_of(parameters.device)
    teacher = _teacher(parameters, run)
    lesson = _lesson(parameters, run, teacher)
    determine(parameters.seed)
    network = initial_network(parameters, run)
    plan = Plan(parameters.seed, parameters.epochs, parameters.batch_size, parameters.learning_rate)
    training = Training(network, plan, lesson.train, lesson.held_out, device)
    run_epochs(parameters, run, TASK, training)
    candidate = keep(run, training, [family.state for family in lesson.families])
    told = agreement((family.judged(candidate.judge), family.said) for family in lesson.families)
    best = min(training.figures, key=lambda figures: figures.held_out_loss)
    logits, said = training.held_out_logits()
    learnt = softmax(logits)
    result = DistillResult(
        train_loss=best.train_loss,
        held_out_loss=best.held_out_loss,
        squared_error=float(np.square(learnt - said).mean()),
        pearson=pearson(learnt[:, 0], said[:, 0]),
        teacher_deviation=float(said[:, 0].std()),
        spearman=told.spearman,
        top_move=told.top,
        siblings=told.positions,
        positions=len(lesson.train),
        held_out_positions=len(lesson.held_out),
        held_out_games=lesson.games,
        repeated_positions=lesson.repeated,
        epochs=len(training.figures),
        best_epoch=best.epoch,
    )
    if result.pearson < parameters.min_correlation:
        run.report.warn(
            f"the correlation with network {parameters.network_version} is {result.pearson:.3f}, below "
            f"{parameters.min_correlation}"
        )
    card = card_of(parameters, candidate, result.model_dump(), teacher=parameters.network_version)
    return Outcome(
        outputs={"candidate": card.save(run.archive), **candidate.files},
        result=result,
        message=f"{len(training.figures)} epochs, best {best.epoch}: correlation with the network "
        f"{result.pearson:.3f}, among siblings {result.spearman:.3f}",
    )


def _teacher(parameters: DistillParameters, run: Run) -> ValueEvaluator:
    artifact = champion_artifact(run.archive, Track.NETWORK, parameters.network_version)
    card = ModelCard.load(run.archive, artifact)
    return onnx_network(run.archive.get_file(card.onnx, run.folder)).values


def _lesson(parameters: DistillParameters, run: Run, teacher: ValueEvaluator) -> _Lesson:
    rows = _drawn(parameters, run)
    said = _asked(parameters, run, teacher, rows)
    positions = Positions.of_states(parameters.board, parameters.players, rows["state_lengths"], rows["states"], said)
    held_out = rows["held_out"]
    games, repeated = len(np.unique(rows["games"][held_out])), int(rows["repeated"])
    return _Lesson(positions.part(~held_out), positions.part(held_out), games, repeated, _families(run, teacher, rows))


def _drawn(parameters: DistillParameters, run: Run) -> dict[str, Array]:
    """Columns of the rows to learn from, and of those of held-out games that are none of these."""
    dataset = DatasetManifest.load(run.archive, parameters.dataset)
    parts = list(exact_columns(run, dataset, ("planes", "globals", "games")))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    games = columns["games"]
    if len(np.unique(games)) < 2:
        raise WrongInputError("--dataset: rows of one game alone: nothing could be held out")
    held_out = held_out_games(games)
    random = np.random.default_rng(parameters.seed)
    taken = random.permutation(np.flatnonzero(~held_out))[: parameters.positions]
    judged = random.permutation(np.flatnonzero(held_out))
    names = _names(columns["state_lengths"], columns["states"])
    known = {names[row] for row in taken}
    fresh = [row for row in judged if names[row] not in known]
    judged_on = fresh[: max(1, round(HELD_OUT_PER_POSITION * len(taken)))]
    if not judged_on:
        raise WrongInputError("--dataset: every position of its held-out games is trained on as well: more games")
    kept = np.zeros(len(games), dtype=bool)
    kept[taken] = kept[judged_on] = True
    lengths = columns["state_lengths"]
    found = {name: column[kept] for name, column in columns.items() if name != "states"}
    return found | {
        "states": columns["states"][np.repeat(kept, lengths)],
        "held_out": held_out[kept],
        "repeated": np.array(len(judged) - len(fresh)),
    }


def _names(lengths: Array, states: Array) -> list[bytes]:
    """Of each state: equal ones have one."""
    ends = np.cumsum(lengths, dtype=np.int64)
    content = states.tobytes()
    places = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
    return [hashlib.blake2b(content[start:end], digest_size=16).digest() for start, end in places]


def _asked(parameters: DistillParameters, run: Run, teacher: ValueEvaluator, rows: dict[str, Array]) -> Array:
    """float32 [rows, players]: what the teacher says of each."""
    answers = []
    for first in range(0, len(rows["games"]), ASKED_AT_ONCE):
        run.pause_point()
        run.report.progress(0.0, f"asking the network: {first / len(rows['games']):.0%}")
        some = slice(first, first + ASKED_AT_ONCE)
        planes = _engine.unpack_planes(parameters.board.value, parameters.players, rows["planes"][some])
        answers.append(teacher(planes, rows["globals"][some].astype(np.float32)))
    return np.concatenate(answers)


def _families(run: Run, teacher: ValueEvaluator, rows: dict[str, Array]) -> list[_Family]:
    """Held-out positions, what follows after each of their moves, and what the teacher says of that."""
    ends = np.cumsum(rows["state_lengths"], dtype=np.int64)
    starts, content = ends - rows["state_lengths"], rows["states"].tobytes()
    families = []
    for row in np.flatnonzero(rows["held_out"])[:MOST_SIBLINGS]:
        run.pause_point()
        state = content[starts[row] : ends[row]]
        parent = Position.from_bytes(state)
        children = [child for child in _after_each_move(parent) if child.outcome() is None]
        if len(children) < 3:
            continue
        encoded = [_engine.encode_position(child) for child in children]
        planes, features = (np.stack(column) for column in zip(*encoded, strict=True))
        said = teacher(planes, features)
        turns = [(parent.mover - child.mover) % parent.players for child in children]
        families.append(_Family(state, tuple(children), said[np.arange(len(children)), turns]))
    return families


def _after_each_move(parent: Position) -> Iterator[Position]:
    for move in parent.legal_moves():
        child = parent.copy()
        child.play(move)
        yield child
