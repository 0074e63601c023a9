"""Every stage in which networks play asks them where it is told to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ringrift_core.contract import Artifact, Board, Device, Evaluator, StageResult, Track, changed
from ringrift_core.errors import WrongInputError
from tests.unit.core.desk import Desk
from tests.unit.core.nn.cards import card
from tests.unit.core.nn.test_torch_evaluator import network


def champion_network(desk: Desk, folder: Path) -> Artifact:
    """One that has learnt nothing."""
    network(Board.SQUARE8, 2, folder)
    weights = desk.archive.put_file(folder / "weights.safetensors", "safetensors")
    onnx = desk.archive.put_file(folder / "network.onnx", "onnx")
    candidate = changed(card(Board.SQUARE8, 2), weights=weights, onnx=onnx).save(desk.archive)
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=candidate)
    return candidate


STAGES: dict[str, Callable[[Desk, Artifact], StageResult]] = {
    "selfplay": lambda desk, _: desk.selfplay(
        1, games=2, player="network:one-ply", network_version=1, device=Device.CUDA
    ),
    "evaluate": lambda desk, candidate: desk.evaluate(
        2, track=Track.NETWORK, candidate=candidate, champion_version=1, device=Device.CUDA
    ),
    "roundrobin": lambda desk, _: desk.roundrobin(1, seed=1, games=2, device=Device.CUDA),
    "cmaes": lambda desk, _: desk.cmaes(
        1, seed=1, evaluator=Evaluator.NEURAL, network_version=1, gate_games=4, device=Device.CUDA
    ),
}


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
@pytest.mark.parametrize("stage", STAGES)
def test_networks_are_asked_on_the_device_that_is_named(stage: str, desk: Desk, tmp_path: Path) -> None:
    """It is not there, and that is said before a game is played."""
    candidate = champion_network(desk, tmp_path)
    with pytest.raises(WrongInputError, match="--device cuda: "):
        STAGES[stage](desk, candidate)
    assert desk.report.fractions == []


TRAININGS: dict[str, Callable[[Desk, Artifact], StageResult]] = {
    "train": lambda desk, dataset: desk.train(dataset=dataset, device=Device.CUDA),
    "nnue": lambda desk, dataset: desk.nnue(dataset=dataset, device=Device.CUDA),
    "distill": lambda desk, dataset: desk.distill(dataset=dataset, network_version=1, device=Device.CUDA),
}


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
@pytest.mark.parametrize("stage", TRAININGS)
def test_trainings_train_on_the_device_that_is_named(stage: str, desk: Desk) -> None:
    """It is not there, and that is said before anything is read."""
    absent = Artifact(uri="objects/" + "0" * 64 + ".json", sha256="0" * 64, bytes=1)
    with pytest.raises(WrongInputError, match="--device cuda: torch finds no CUDA device here"):
        TRAININGS[stage](desk, absent)
