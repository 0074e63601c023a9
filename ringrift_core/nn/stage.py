"""The stage train: a candidate network from the exported dataset, starting from a champion where there is one."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from ringrift_core import _engine
from ringrift_core.archive import Archive, Checkpoint, identity
from ringrift_core.contract import (
    NetworkSize,
    StageResult,
    Track,
    TrainParameters,
    TrainResult,
    configuration_name,
)
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import NotNowError, WrongInputError
from ringrift_core.nn.determinism import determine, device_of
from ringrift_core.nn.export import export_network
from ringrift_core.nn.network import SIZES, NetworkShape, RingRiftNetwork
from ringrift_core.nn.positions import Aim, Positions, load_positions
from ringrift_core.nn.processes import ALONE, Processes, joined
from ringrift_core.nn.training import Training, TrainingPlan, surprises
from ringrift_core.players.cards import ModelCard
from ringrift_core.registry.records import champion_artifact
from ringrift_core.stage import Outcome, Run
from ringrift_core.tracking import Curve, open_curve, tracked

__all__ = ["train_stage"]

TASK = "train"
LEARNING_RATE, CHANNELS, BATCH = 1e-2, 32, 256
"""Of a new network of so many channels or fewer, in batches of so many positions or more. A wider one has less
in proportion (G. Yang et al., "Tensor Programs V: Tuning Large Neural Networks via Zero-Shot Hyperparameter Transfer",
2022), a smaller batch by the root (S. Malladi et al., "On the SDEs and Scaling Rules for Adaptive Gradient
Algorithms", 2022).
"""
TRANSFERRED, CONTINUED = 0.5, 0.25
"""Of that, for a network that begins with another board's parameters, or with those of its own champion."""
CHECKPOINT_STEPS = 1000
"""Between two checkpoints, beside one after each epoch and one at a stop."""
TOLD_STEPS = 10
"""Between two points of the curves."""
CHECKPOINTS = 3
"""Kept: the newest, and two before it in case that it is damaged."""


def train_stage(parameters: TrainParameters, run: Run) -> StageResult:
    """Trains once per iteration; a killed training goes on after its last checkpoint.

    Of several processes the first one alone writes anything.
    """
    tracked(parameters)
    device = device_of(parameters.device)
    if not parameters.distributed:
        return _led(parameters, run, device, ALONE)
    with joined(device) as processes:
        if processes.leads:
            return _led(parameters, run, device, processes)
        if run.archive.finished(parameters.iteration, TASK, parameters) is None:
            _trained(parameters, run, device, processes)
        return run.result(parameters, Outcome(message=f"followed as process {processes.rank} of {processes.count}"))


def _led(parameters: TrainParameters, run: Run, device: torch.device, processes: Processes) -> StageResult:
    def body() -> Outcome:
        return _save(parameters, run, _trained(parameters, run, device, processes))

    result = run.once(parameters.iteration, TASK, parameters, body)
    _checkpoint(parameters, run).clear()
    return result


@dataclass(frozen=True)
class _Trained:
    """What came of it."""

    network: RingRiftNetwork
    """On the CPU, with the parameters that are kept."""
    training: Training
    train: Positions
    held_out: Positions


def _trained(parameters: TrainParameters, run: Run, device: torch.device, processes: Processes) -> _Trained:
    dataset = DatasetManifest.load(run.archive, parameters.dataset)
    train, held_out = load_positions(run, dataset)
    determine(parameters.seed)
    start = _start(parameters, run)
    plan = _plan(parameters, dataset, start)
    if not train.teach(plan.aim):
        raise WrongInputError(
            "--dataset: nothing to learn from: no policy, no outcome without a random move after it, no values"
        )
    surprise = _surprise(parameters, run, start, train, device)
    training = Training(start.network, plan, train, held_out, device, surprise, processes)
    _run_steps(parameters, run, training, processes)
    network = start.network
    network.load_state_dict(training.best)
    return _Trained(network.cpu(), training, train, held_out)


@dataclass(frozen=True)
class _Start:
    """What a training begins with."""

    network: RingRiftNetwork
    champion: int
    """Of the same configuration, whose parameters these are; 0 for none."""
    learning_rate: float


def _start(parameters: TrainParameters, run: Run) -> _Start:
    """A new network, or what `--start-from` names; WrongInputError when that does not fit."""
    point = parameters.start_from
    if point is None:
        return _anew(parameters, parameters.size or NetworkSize.SMALL)
    board = point.board or parameters.board
    archive = Archive(run.archive.store, configuration_name(board, parameters.players))
    card = ModelCard.load(archive, champion_artifact(archive, Track.NETWORK, point.version))
    if not card.has_parameters:
        run.report.warn(f"--start-from {point}: trained by an earlier version, its parameters do not fit: starts anew")
        return _anew(parameters, parameters.size or NetworkSize.SMALL)
    if parameters.size is not None and (card.blocks, card.channels) != SIZES[parameters.size]:
        run.report.warn(
            f"--start-from {point}: {card.blocks} blocks of {card.channels} channels, which --size {parameters.size} "
            "does not continue: starts anew"
        )
        return _anew(parameters, parameters.size)
    found = RingRiftNetwork.of_card(card, archive.get_file(card.weights, run.folder))
    rate = _learning_rate(found, parameters.batch_size)
    if board == parameters.board:
        return _Start(found, point.version, CONTINUED * rate)
    try:
        network = found.for_board(parameters.board)
    except WrongInputError as error:
        raise WrongInputError(f"--start-from {point}: {error}") from None
    return _Start(network, 0, TRANSFERRED * rate)


def _anew(parameters: TrainParameters, size: NetworkSize) -> _Start:
    network = RingRiftNetwork(NetworkShape.of_size(parameters.board, parameters.players, size))
    return _Start(network, 0, _learning_rate(network, parameters.batch_size))


def _learning_rate(network: RingRiftNetwork, batch_size: int) -> float:
    """At its height, where training begins anew."""
    return LEARNING_RATE * min(1.0, CHANNELS / network.shape.channels) * min(1.0, math.sqrt(batch_size / BATCH))


def _plan(parameters: TrainParameters, dataset: DatasetManifest, start: _Start) -> TrainingPlan:
    return TrainingPlan(
        parameters.seed,
        parameters.epochs,
        parameters.batch_size,
        start.learning_rate,
        Aim(parameters.outcome_weight, parameters.clean_outcomes),
        augment=parameters.augment,
        most_seen=parameters.uses * dataset.new_rows or None,
        surprise_share=parameters.surprise,
    )


def _surprise(
    parameters: TrainParameters, run: Run, start: _Start, train: Positions, device: torch.device
) -> NDArray[np.float32] | None:
    """How surprising each policy target was to the champion; None where that is not asked for, or there is none."""
    if not parameters.surprise or not start.champion:
        return None

    def on_part(done: float) -> None:
        run.pause_point()
        run.report.progress(0.0, f"looking for what surprises the champion: {done:.0%}")

    return surprises(start.network, train, device, on_part)


def _checkpoint(parameters: TrainParameters, run: Run, layout: Iterable[str] = ()) -> Checkpoint:
    digest, _ = identity(parameters)
    return Checkpoint(
        run.archive, parameters.iteration, TASK, parameters.attempt, digest, keep=CHECKPOINTS, layout=layout
    )


def _run_steps(parameters: TrainParameters, run: Run, training: Training, processes: Processes) -> None:
    checkpoint = _checkpoint(parameters, run, training.layout)
    if saved := checkpoint.load_bytes():
        training.load(saved)
        run.report.log(f"going on after step {training.steps}, epoch {len(training.figures)}")
    measured = len(training.figures)
    is_agreed = False

    def pause() -> None:
        nonlocal is_agreed
        # Who is told while the others are asked says so the next time: stopping alone, it would fail the others.
        is_agreed = processes.any(run.stop_requested)
        if is_agreed:
            run.stop_requested = True
            run.pause_point()

    def save() -> None:
        if processes.leads:
            checkpoint.save(training.save(), "safetensors")

    @contextmanager
    def saved_at_a_stop() -> Iterator[None]:
        try:
            yield
        except NotNowError:
            save()
            if is_agreed:
                processes.any(True)  # Nobody leaves before: torchrun ends the others once one of them has.
            raise

    curve = _curve(parameters, run, training) if processes.leads else nullcontext(Curve([]))
    with curve as told, saved_at_a_stop():
        while not training.finished:
            if not training.epoch_is_over:  # It may have been stopped while it was measured.
                _step(parameters, run, training, told, pause)
            if training.epoch_is_over:
                _measure(run, training, told, pause)
            if len(training.figures) > measured or training.steps % CHECKPOINT_STEPS == 0:
                measured = len(training.figures)
                told.keep()
                save()


def _curve(parameters: TrainParameters, run: Run, training: Training) -> AbstractContextManager[Curve]:
    iteration = parameters.iteration
    name = f"i{iteration:04d}-{TASK}"
    return open_curve(parameters, run.archive, name, after=training.steps, iteration=iteration)


def _step(parameters: TrainParameters, run: Run, training: Training, curve: Curve, pause: Callable[[], None]) -> None:
    figures = training.step(pause)
    if figures.step % TOLD_STEPS == 0:
        losses = {f"loss/{head}": loss for head, loss in figures.losses.items()}
        curve.tell(figures.step, {**losses, "learning_rate": figures.learning_rate, "gradient_norm": figures.gradient})
    epoch = len(training.figures) + 1
    run.report.progress(figures.step / training.most_steps, f"epoch {epoch} of {parameters.epochs}")


def _measure(run: Run, training: Training, curve: Curve, pause: Callable[[], None]) -> None:
    figures = training.measure(pause)
    told = {
        "train/loss": figures.train_loss,
        "held_out/loss": figures.held_out_loss,
        "held_out/value_loss": figures.held_out_value_loss,
        "held_out/policy_loss": figures.held_out_policy_loss,
        "held_out/value_accuracy": figures.held_out_accuracy,
        "held_out/policy_accuracy": figures.held_out_policy_accuracy,
        **{f"held_out/{head}_loss": loss for head, loss in figures.held_out_auxiliary.items()},
    }
    curve.tell(figures.step, told)
    run.report.log(
        f"epoch {figures.epoch}: loss {figures.train_loss:.4f}, held out {figures.held_out_loss:.4f} "
        f"(values {figures.held_out_value_loss:.4f}, policies {figures.held_out_policy_loss:.4f}), "
        f"accuracy {figures.held_out_accuracy:.3f}"
    )


def _save(parameters: TrainParameters, run: Run, trained: _Trained) -> Outcome:
    network, training = trained.network, trained.training
    weights = run.folder / "network.safetensors"
    save_file(network.state_dict(), weights)
    exported = export_network(network, trained.train, trained.held_out, run.folder)
    if exported.warning:
        run.report.warn(exported.warning)
    best = min(training.figures, key=lambda figures: figures.held_out_loss)
    result = TrainResult(
        train_loss=best.train_loss,
        held_out_loss=best.held_out_loss,
        held_out_value_loss=best.held_out_value_loss,
        held_out_policy_loss=best.held_out_policy_loss,
        held_out_accuracy=best.held_out_accuracy,
        held_out_policy_accuracy=best.held_out_policy_accuracy,
        **{f"held_out_{head}_loss": loss for head, loss in best.held_out_auxiliary.items()},
        epochs=len(training.figures),
        best_epoch=best.epoch,
        steps=training.steps,
        onnx_difference=exported.difference,
        quantised_value_difference=exported.quantised.value,
        quantised_policy_divergence=exported.quantised.policy,
    )
    onnx = run.archive.put_file(exported.file, "onnx")
    files = {"weights": run.archive.put_file(weights, "safetensors"), "onnx": onnx}
    point = parameters.start_from
    card = ModelCard(
        board=parameters.board,
        players=parameters.players,
        encoding=_engine.ENCODING_VERSION,
        blocks=network.shape.blocks,
        channels=network.shape.channels,
        **files,
        iteration=parameters.iteration,
        parent=point.version if point is not None and point.board in (None, parameters.board) else 0,
        started_from="" if point is None else str(point),
        dataset=parameters.dataset.sha256,
        seed=parameters.seed,
        torch_version=torch.__version__,
        device=parameters.device.value,
        threads=torch.get_num_threads(),
        machine=platform.machine(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        metrics=result.model_dump(),
    )
    return Outcome(
        outputs={"candidate": card.save(run.archive), **files},
        result=result,
        message=f"{len(training.figures)} epochs, best {best.epoch}: held-out loss {best.held_out_loss:.4f}, "
        f"accuracy {best.held_out_accuracy:.3f}",
    )
