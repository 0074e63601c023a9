"""A network on a GPU says what it says on the CPU, and judges alike: where there is a GPU."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core.contract import Board, Device, GateKind, Track, Verdict
from ringrift_core.nn.inference import torch_network
from ringrift_core.store import open_store
from ringrift_core.usage import gpu_busy
from tests.unit.core.desk import Desk
from tests.unit.core.nn.cards import card
from tests.unit.core.nn.test_devices import champion_network
from tests.unit.core.nn.test_torch_evaluator import network

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")

THERE = Device.CUDA
POSITIONS = 10_000
AT_ONCE = 1000
TOLERANCE = 1e-3


def positions(count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Encoded positions of random games of square8 with two players."""
    random = np.random.default_rng(7)
    found: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    while len(found) < count:
        position = _engine.Position("square8", 2)
        position.play_random(int(random.integers(2**63)), int(random.integers(1, 80)))
        if position.outcome() is None:
            found.append(_engine.encode_position(position))
    planes, features = zip(*found, strict=True)
    return np.stack(planes), np.stack(features)


def test_values_and_policies_are_the_cpus_within_a_thousandth(tmp_path: Path) -> None:
    network(Board.SQUARE8, 2, tmp_path)
    planes, features = positions(POSITIONS)
    here, there = (
        torch_network(card(Board.SQUARE8, 2), tmp_path / "weights.safetensors", device.value).values_and_policy
        for device in (Device.CPU, THERE)
    )
    for first in range(0, POSITIONS, AT_ONCE):
        some = slice(first, first + AT_ONCE)
        for mine, other in zip(here(planes[some], features[some]), there(planes[some], features[some]), strict=True):
            assert mine.std(axis=0).max() > 1e-4, "a network that says the same of all positions proves nothing"
            assert np.abs(mine - other).max() < TOLERANCE


def test_a_gpu_at_work_is_told_of() -> None:
    matrix = torch.rand(4096, 4096, device=THERE.value)
    until = time.monotonic() + 2
    while time.monotonic() < until:  # NVML looks at a second at most
        matrix = torch.nn.functional.normalize(matrix @ matrix)
    busy = gpu_busy()
    assert busy is not None
    assert 0.2 < busy <= 1


def judged(folder: Path, device: Device) -> Verdict:
    """The same network against the heuristic, by the same games, asked on a device."""
    folder.mkdir()
    desk = Desk(open_store((folder / "store").as_uri()), folder / "scratch")
    candidate = champion_network(desk, folder)
    found = desk.evaluate(
        2, track=Track.NETWORK, candidate=candidate, seed=1, gate=GateKind.FIXED, games=100, device=device
    )
    assert found.verdict is not None
    return found.verdict


def test_a_match_comes_to_the_same_within_either_ones_interval(tmp_path: Path) -> None:
    here, there = judged(tmp_path / "here", Device.CPU), judged(tmp_path / "there", THERE)
    assert here.games == there.games == 100
    assert here.low <= there.win_rate <= here.high
    assert there.low <= here.win_rate <= there.high
    assert here.decision == there.decision
