"""What the trainings of an NNUE share: where they begin, how they go on after a stop, and what is kept."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ringrift_core import _engine
from ringrift_core._engine import Judge
from ringrift_core.archive import Checkpoint, identity
from ringrift_core.contract import Artifact, DistillParameters, NnueParameters, Track
from ringrift_core.nnue.measures import calibrated, fitted_scale, unit_of_siblings
from ringrift_core.nnue.network import Calibration, Nnue
from ringrift_core.nnue.training import Training
from ringrift_core.players.cards import NnueCard
from ringrift_core.registry.records import champion_artifact
from ringrift_core.stage import Run

__all__ = ["Candidate", "calibration_of", "card_of", "initial_network", "keep", "run_epochs"]


def initial_network(parameters: NnueParameters | DistillParameters, run: Run) -> Nnue:
    """The champion of version `nnue_version`, or a new network."""
    network = Nnue(parameters.board, parameters.players)
    if parameters.nnue_version:
        artifact = champion_artifact(run.archive, Track.NNUE, parameters.nnue_version)
        card = NnueCard.load(run.archive, artifact)
        network.load_parameters(run.archive.get_bytes(card.parameters))
    return network


def run_epochs(parameters: NnueParameters | DistillParameters, run: Run, task: str, training: Training) -> None:
    """Trains to the end, from the task's checkpoint where there is one; the network then has the best parameters."""
    digest, _ = identity(parameters)
    checkpoint = Checkpoint(run.archive, parameters.iteration, task, parameters.attempt, digest, layout=training.layout)
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
            f"epoch {figures.epoch}: loss {figures.train_loss:.4f}, held out {figures.held_out_loss:.4f}, "
            f"accuracy {figures.held_out_accuracy:.3f}, correlation {figures.pearson:.3f}"
        )
    training.network.load_state_dict(training.best)


@dataclass(frozen=True)
class Candidate:
    """A trained network as it is stored."""

    files: dict[str, Artifact]
    """Of the card, by name."""
    judge: Judge
    """As it plays."""


def keep(run: Run, training: Training, states: Sequence[bytes]) -> Candidate:
    """Stores both forms of the network; it is calibrated by what was held out, and some exact states of that."""
    network = training.network
    content = network.file(calibration_of(training, states))
    files = {
        "network": run.archive.put_bytes(content, "safetensors"),
        "parameters": run.archive.put_bytes(network.parameters_file(), "safetensors"),
    }
    return Candidate(files, Judge.nnue(content))


def card_of(
    parameters: NnueParameters | DistillParameters, candidate: Candidate, metrics: dict[str, Any], **more: Any
) -> NnueCard:
    """What it takes to train the same one again."""
    return NnueCard(
        board=parameters.board,
        players=parameters.players,
        inputs=_engine.NNUE_INPUTS_VERSION,
        **candidate.files,
        iteration=parameters.iteration,
        parent=parameters.nnue_version,
        dataset=parameters.dataset.sha256,
        seed=parameters.seed,
        torch_version=torch.__version__,
        threads=torch.get_num_threads(),
        device=parameters.device.value,
        machine=platform.machine(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        metrics=metrics,
        **more,
    )


def calibration_of(training: Training, states: Sequence[bytes]) -> Calibration:
    """The scale by what was held out, the units of search by how far siblings lie apart."""
    network = training.network
    scale = fitted_scale(*training.held_out_logits())
    uncalibrated = Calibration()
    judge = Judge.nnue(network.file(uncalibrated))
    board, players = network.board.value, network.players
    return calibrated(scale, unit_of_siblings(judge, uncalibrated.temperature, board, players, states))
