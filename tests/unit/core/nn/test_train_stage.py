from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ringrift_core import _engine
from ringrift_core.contract import (
    Artifact,
    Board,
    Decision,
    GateKind,
    StageResult,
    Track,
    TrainParameters,
    TrainResult,
    to_arguments,
)
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import DivergedError, NotNowError, StoreRefusedError
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.positions import SEARCH_SHARE, Policies, Positions, load_positions
from ringrift_core.nn.training import Training, TrainingPlan, policy_losses
from ringrift_core.players.cards import ModelCard
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk


def exported(desk: Desk, games: int = 30) -> Artifact:
    desk.selfplay(games=games)
    desk.merge()
    return desk.export().outputs["dataset"]


def train(desk: Desk, dataset: Artifact, **more: Any) -> StageResult:
    return desk.train(dataset=dataset, **({"seed": 1, "epochs": 2, "batch_size": 64} | more))


def simple_positions(rows: int, seed: int = 0) -> Positions:
    """Positions whose winner, and whose better one of two moves, can be read off one global feature each: known values
    to recover. The moves are a placement at the first cell (key 0) and the skip of a placement (the last key but 4)."""
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((rows, 33)).astype(np.float16)
    outcomes = np.eye(2, dtype=np.float16)[(features[:, 0] > 0).astype(int)]
    shares = np.eye(2, dtype=np.float16)[(features[:, 1] > 0).astype(int)]
    policies = Policies(
        np.full(rows, 2, np.uint32),
        shares.reshape(-1),
        np.ones(2 * rows, np.uint8),
        np.tile(np.array([0, 58 * 64], np.uint16), rows),
    )
    planes, no_values = np.zeros((rows, 240), np.uint8), np.full((rows, 2), np.nan, np.float16)
    return Positions(Board.SQUARE8, 2, planes, features, outcomes, no_values, policies)


def training(plan: TrainingPlan, rows: int = 512) -> Training:
    torch.manual_seed(plan.seed)
    network = RingRiftNetwork(NetworkShape(Board.SQUARE8, 2, 17, 8, 33, 58 * 64 + 5, blocks=1, channels=8))
    return Training(network, plan, simple_positions(rows), simple_positions(200, 1), torch.device("cpu"))


def run_all(run: Training) -> None:
    while not run.finished:
        run.run_epoch(lambda _: None)


def test_a_known_label_is_learnt() -> None:
    run = training(TrainingPlan(seed=1, epochs=15, batch_size=64, learning_rate=1e-2))
    run_all(run)
    assert max(figures.held_out_accuracy for figures in run.figures) > 0.9
    assert min(figures.held_out_policy_loss for figures in run.figures) < 0.3 < math.log(2)


def test_labels_that_say_nothing_stop_the_training_early() -> None:
    run = training(TrainingPlan(seed=1, epochs=60, batch_size=64, learning_rate=1e-2))
    order = np.random.default_rng(0).permutation(len(run._train))
    run._train.outcomes[:] = run._train.outcomes[order]
    run._train.policies.shares[:] = run._train.policies.shares.reshape(-1, 2)[order].reshape(-1)
    run_all(run)
    assert len(run.figures) < 60


@pytest.mark.parametrize("rate", [1e3, 1e6])
def test_a_diverging_loss_ends_the_training(rate: float) -> None:
    run = training(TrainingPlan(seed=1, epochs=20, batch_size=16, learning_rate=rate, weight_decay=0))
    with pytest.raises(DivergedError, match="training diverged in epoch"):
        run_all(run)


def test_a_training_goes_on_from_its_checkpoint_to_the_same_parameters() -> None:
    plan = TrainingPlan(seed=1, epochs=4, batch_size=64, learning_rate=1e-3)
    whole = training(plan)
    for _ in range(4):
        whole.run_epoch(lambda _: None)
    first = training(plan)
    first.run_epoch(lambda _: None)
    first.run_epoch(lambda _: None)
    second = training(plan)
    second.load(first.save())
    second.run_epoch(lambda _: None)
    second.run_epoch(lambda _: None)
    assert second.figures == whole.figures
    for name, tensor in whole.best.items():
        assert torch.equal(tensor, second.best[name])


def test_positions_of_a_held_out_game_are_never_trained_on(desk: Desk) -> None:
    dataset = DatasetManifest.load(desk.archive, exported(desk))
    train_on, held_out = load_positions(desk.run, dataset)
    assert len(train_on) + len(held_out) == dataset.rows
    assert len(held_out) > 0
    ends = {planes.tobytes() for planes in held_out.planes}
    overlap = sum(planes.tobytes() in ends for planes in train_on.planes)
    assert overlap < 0.1 * len(train_on), "openings repeat, games do not"


def test_batches_hold_what_the_dataset_holds(desk: Desk) -> None:
    """Ragged columns to padded ones and back, rows in any order."""
    dataset = DatasetManifest.load(desk.archive, exported(desk, games=10))
    for positions in load_positions(desk.run, dataset):
        rows = torch.randperm(len(positions))[:20]
        batch = positions.rows(rows, torch.device("cpu"))
        size = _engine.policy_size("square8", 2)
        assert (batch.legal.sum(1).numpy() == positions.policies.legal[rows]).all()
        moves, keys = np.cumsum(positions.policies.legal), np.cumsum(positions.policies.key_counts)
        for place, row in enumerate(rows.tolist()):
            first = int(moves[row] - positions.policies.legal[row])
            for move in range(int(positions.policies.legal[row])):
                count = int(positions.policies.key_counts[first + move])
                end = int(keys[first + move])
                found = batch.keys[place, move]
                assert found[found < size].tolist() == positions.policies.keys[end - count : end].tolist()
                assert batch.shares[place, move] == float(positions.policies.shares[first + move])
        values, outcomes = positions.values[rows].astype(np.float32), positions.outcomes[rows]
        searched = ~np.isnan(values[:, 0])
        mixed = SEARCH_SHARE * values + (1 - SEARCH_SHARE) * outcomes.astype(np.float32)
        assert 0 < searched.sum() < len(rows)
        np.testing.assert_allclose(batch.targets.numpy()[searched], mixed[searched], atol=1e-6)
        np.testing.assert_array_equal(batch.targets.numpy()[~searched], outcomes[~searched])


def test_the_policy_loss_is_that_of_the_legal_moves_alone() -> None:
    positions = simple_positions(6)
    batch = positions.rows(torch.arange(6), torch.device("cpu"))
    policy = torch.randn(6, 58 * 64 + 5, generator=torch.Generator().manual_seed(1))
    two = torch.stack([policy[:, 0], policy[:, 58 * 64]], dim=1)
    wanted = torch.nn.functional.cross_entropy(two, batch.shares, reduction="none")
    torch.testing.assert_close(policy_losses(policy, batch), wanted)
    without = dataclasses.replace(positions, policies=Policies.none(6)).rows(torch.arange(6), torch.device("cpu"))
    assert policy_losses(policy, without).tolist() == [0] * 6


def test_a_candidate_is_trained_judged_promoted_and_resumed_from(desk: Desk) -> None:
    dataset = exported(desk)
    result = train(desk, dataset)
    card = ModelCard.load(desk.archive, result.outputs["candidate"])
    assert (card.board, card.players, card.parent, card.dataset) == (Board.SQUARE8, 2, 0, dataset.sha256)
    assert card.torch_version == torch.__version__
    assert card.threads >= 1
    assert result.answer(TrainResult).onnx_difference < 1e-4
    verdict = desk.evaluate(
        track=Track.NETWORK, candidate=result.outputs["candidate"], gate=GateKind.FIXED, games=4
    ).verdict
    assert verdict is not None
    assert verdict.champion == "baseline"
    assert verdict.decision in (Decision.PROMOTE, Decision.REJECT)
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=result.outputs["candidate"])
    resumed = desk.train(2, dataset=dataset, seed=2, epochs=1, batch_size=64, network_version=1)
    assert ModelCard.load(desk.archive, resumed.outputs["candidate"]).parent == 1
    desk.selfplay(2, seed=2, games=4, network_version=1, engine_modes="network")


def test_a_killed_training_goes_on_to_the_same_candidate(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    whole = train(other, exported(other))
    dataset = exported(desk)

    desk.stop_when(lambda _: any(line.startswith("epoch 1") for line in desk.report.lines))
    with pytest.raises(NotNowError):
        train(desk, dataset)
    desk.go_on()
    result = train(desk, dataset, attempt=2)
    assert "going on after epoch 1" in desk.report.lines
    assert result.outputs["weights"].sha256 == whole.outputs["weights"].sha256
    assert result.result == whole.result


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to cores")
def test_a_training_does_not_depend_on_the_cores_there_are(desk: Desk) -> None:
    dataset = exported(desk)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core is all there is")
    candidates = set()
    for iteration, some in enumerate((cores[:1], cores), 1):
        result = desk.run.folder / f"{iteration}.json"
        parameters = TrainParameters(**desk.here, iteration=1, seed=1, dataset=dataset, epochs=1)
        program = f"import os; os.sched_setaffinity(0, {some}); from ringrift_core.cli import main; main()"
        command = [sys.executable, "-P", "-c", program, *to_arguments(parameters), "--result", str(result)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        candidates.add(StageResult.model_validate_json(result.read_text()).outputs["candidate"].sha256)
        desk.archive.store.delete(desk.archive.key("tasks/i0001/train.json"))
    assert len(candidates) == 1


def test_a_dataset_of_another_configuration_is_refused(desk: Desk, tmp_path: Path) -> None:
    other = Desk(desk.archive.store, tmp_path / "scratch2", Board.SQUARE8, 3)
    dataset = exported(other, games=10)
    desk.archive.put_bytes(other.archive.get_bytes(dataset), "json")
    with pytest.raises(StoreRefusedError, match="a dataset's manifest for square8-3p, not square8-2p"):
        train(desk, dataset)
    with pytest.raises(StoreRefusedError, match="not a dataset's manifest"):
        train(desk, desk.archive.put_json([]))
