"""The stage train: a candidate network from the exported dataset, starting from the champion where there is one."""

from __future__ import annotations

import os
import platform

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from ringrift_core import _engine
from ringrift_core.archive import Checkpoint, identity
from ringrift_core.contract import Device, StageResult, Track, TrainParameters, TrainResult
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import WrongInputError
from ringrift_core.nn import TOO_LATE
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.onnx import TOLERANCE, export_onnx, largest_difference
from ringrift_core.nn.positions import OUTCOMES, Aim, Positions, load_positions
from ringrift_core.nn.training import Training, TrainingPlan, surprises
from ringrift_core.players.cards import ModelCard
from ringrift_core.registry.records import champion_artifact
from ringrift_core.stage import Outcome, Run

__all__ = ["train_stage"]

TASK = "train"
NEW_LEARNING_RATE = 2e-3
RESUMED_LEARNING_RATE = 5e-4
THREADS = 2
"""Threads of torch on a CPU, however many cores there are: it splits sums by them, so another number makes another
network. Two cost a single core a fifth of its time; four cost it twice the time, and gain little on four cores."""


def train_stage(parameters: TrainParameters, run: Run) -> StageResult:
    """Trains once per iteration; a killed training goes on after its last whole epoch."""
    result = run.once(parameters.iteration, TASK, parameters, lambda: _train(parameters, run))
    Checkpoint(run.archive, parameters.iteration, TASK, parameters.attempt).clear()
    return result


def _train(parameters: TrainParameters, run: Run) -> Outcome:
    dataset = DatasetManifest.load(run.archive, parameters.dataset)
    device = _device(parameters.device)
    train, held_out = load_positions(run, dataset)
    if TOO_LATE:
        raise WrongInputError(
            f"torch was loaded under {' and '.join(TOO_LATE)}, and would wait for threads that never come: import "
            "ringrift_core.nn first, or unset them"
        )
    torch.set_num_threads(THREADS)
    torch.manual_seed(parameters.seed)
    torch.use_deterministic_algorithms(True)
    network = _initial_network(parameters, run)
    surprise = _surprise(parameters, run, network, train, device)
    training = Training(network, _plan(parameters, dataset), train, held_out, device, surprise)
    _run_epochs(parameters, run, training)
    network.load_state_dict(training.best)
    return _save(parameters, run, network.cpu(), training, held_out if len(held_out) else train)


def _device(wanted: Device) -> torch.device:
    if wanted is Device.CUDA and not torch.cuda.is_available():
        raise WrongInputError("--device cuda: torch finds no CUDA device here")
    if wanted is Device.MPS and not torch.backends.mps.is_available():
        raise WrongInputError("--device mps: torch finds no MPS device here")
    if wanted is Device.CUDA:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # Deterministic matrix products need it.
    return torch.device(wanted.value)


def _plan(parameters: TrainParameters, dataset: DatasetManifest) -> TrainingPlan:
    return TrainingPlan(
        parameters.seed,
        parameters.epochs,
        parameters.batch_size,
        RESUMED_LEARNING_RATE if parameters.network_version else NEW_LEARNING_RATE,
        Aim(parameters.outcome_weight, parameters.clean_outcomes),
        augment=parameters.augment,
        most_seen=parameters.uses * dataset.new_rows or None,
        surprise_share=parameters.surprise,
    )


def _surprise(
    parameters: TrainParameters, run: Run, network: RingRiftNetwork, train: Positions, device: torch.device
) -> NDArray[np.float32] | None:
    """How surprising each policy target was to the champion; None where that is not asked for, or there is none."""
    if not parameters.surprise or not parameters.network_version:
        return None

    def on_batch(done: float) -> None:
        run.pause_point()
        run.report.progress(0.0, f"looking for what surprises the champion: {done:.0%}")

    return surprises(network, train, device, on_batch)


def _initial_network(parameters: TrainParameters, run: Run) -> RingRiftNetwork:
    if parameters.network_version == 0:
        return RingRiftNetwork(NetworkShape.of(parameters.board, parameters.players))
    artifact = champion_artifact(run.archive, Track.NETWORK, parameters.network_version)
    card = ModelCard.load(run.archive, artifact)
    return RingRiftNetwork.of_card(card, run.archive.get_file(card.weights, run.folder))


def _run_epochs(parameters: TrainParameters, run: Run, training: Training) -> None:
    digest, _ = identity(parameters)
    checkpoint = Checkpoint(run.archive, parameters.iteration, TASK, parameters.attempt, digest)
    saved = checkpoint.load()
    if saved is not None:
        training.load(run.archive.get_bytes(saved))
        run.report.log(f"going on after epoch {len(training.figures)}")
    while not training.finished:
        epoch = len(training.figures)

        def on_step(done: float, epoch: int = epoch) -> None:
            run.pause_point()
            run.report.progress((epoch + done) / parameters.epochs, f"epoch {epoch + 1} of {parameters.epochs}")

        figures = training.run_epoch(on_step)
        checkpoint.save(training.save(), "safetensors")
        run.report.log(
            f"epoch {figures.epoch}: loss {figures.train_loss:.4f}, held out {figures.held_out_loss:.4f} "
            f"(policies {figures.held_out_policy_loss:.4f}), accuracy {figures.held_out_accuracy:.3f}"
        )


def _save(
    parameters: TrainParameters, run: Run, network: RingRiftNetwork, training: Training, sample: Positions
) -> Outcome:
    onnx, weights = run.folder / "network.onnx", run.folder / "network.safetensors"
    export_onnx(network, onnx)
    batch = sample.batch(np.arange(min(256, len(sample))), OUTCOMES, torch.device("cpu"))
    difference = largest_difference(network, onnx, batch.planes, batch.globals)
    if difference > TOLERANCE:
        raise RuntimeError(f"ONNX and torch differ by {difference:.2g}")
    save_file(network.state_dict(), weights)
    best = min(training.figures, key=lambda figures: figures.held_out_loss)
    result = TrainResult(
        train_loss=best.train_loss,
        held_out_loss=best.held_out_loss,
        held_out_policy_loss=best.held_out_policy_loss,
        held_out_accuracy=best.held_out_accuracy,
        epochs=len(training.figures),
        best_epoch=best.epoch,
        onnx_difference=difference,
    )
    files = {"weights": run.archive.put_file(weights, "safetensors"), "onnx": run.archive.put_file(onnx, "onnx")}
    card = ModelCard(
        board=parameters.board,
        players=parameters.players,
        encoding=_engine.ENCODING_VERSION,
        blocks=network.shape.blocks,
        channels=network.shape.channels,
        **files,
        iteration=parameters.iteration,
        parent=parameters.network_version,
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
