from __future__ import annotations

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
from ringrift_core.nn.positions import Aim, Positions, load_positions
from ringrift_core.nn.training import Training, TrainingPlan, policy_losses
from ringrift_core.players.cards import ModelCard
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk
from tests.unit.core.nn.rows import made_up, positions_of


def exported(desk: Desk, games: int = 30) -> Artifact:
    desk.selfplay(games=games)
    desk.merge()
    return desk.export().outputs["dataset"]


def train(desk: Desk, dataset: Artifact, **more: Any) -> StageResult:
    return desk.train(dataset=dataset, **({"seed": 1, "epochs": 2, "batch_size": 64} | more))


def simple_positions(rows: int, seed: int = 0, shuffled: bool = False) -> Positions:
    """Positions whose winner, and whose better one of two moves, can be read off one global feature each: known values
    to recover, unless they are shuffled. The moves are a placement at the first cell (key 0) and the skip of a
    placement (the last key but 4)."""
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((rows, 33)).astype(np.float16)
    labels = features[generator.permutation(rows)] if shuffled else features
    columns = {
        **made_up(Board.SQUARE8, 2, rows),
        "globals": features,
        "outcomes": np.eye(2, dtype=np.float16)[(labels[:, 0] > 0).astype(int)],
        "symmetric": np.zeros(rows, np.uint8),
        "legal": np.full(rows, 2, np.uint32),
        "shares": np.eye(2, dtype=np.float16)[(labels[:, 1] > 0).astype(int)].reshape(-1),
        "key_counts": np.ones(2 * rows, np.uint8),
        "keys": np.tile(np.array([0, 58 * 64], np.uint16), rows),
    }
    return positions_of(Board.SQUARE8, 2, columns)


def training(plan: TrainingPlan, rows: int = 512, shuffled: bool = False) -> Training:
    torch.manual_seed(plan.seed)
    network = RingRiftNetwork(NetworkShape(Board.SQUARE8, 2, 17, 8, 33, 58 * 64 + 5, blocks=1, channels=8))
    return Training(network, plan, simple_positions(rows, 0, shuffled), simple_positions(200, 1), torch.device("cpu"))


def run_all(run: Training) -> None:
    while not run.finished:
        run.run_epoch(lambda _: None)


def test_a_known_label_is_learnt() -> None:
    run = training(TrainingPlan(seed=1, epochs=15, batch_size=64, learning_rate=1e-2))
    run_all(run)
    assert max(figures.held_out_accuracy for figures in run.figures) > 0.9
    assert min(figures.held_out_policy_loss for figures in run.figures) < 0.3 < math.log(2)


def test_labels_that_say_nothing_stop_the_training_early() -> None:
    run = training(TrainingPlan(seed=1, epochs=60, batch_size=64, learning_rate=1e-2), shuffled=True)
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


def test_a_training_sees_each_new_position_so_many_times_at_most() -> None:
    run = training(TrainingPlan(seed=1, epochs=50, batch_size=64, learning_rate=1e-3, most_seen=700))
    run_all(run)
    assert len(run.figures) == 2, "512 positions, then 188"


def test_batches_hold_what_the_dataset_holds(desk: Desk) -> None:
    """Through the store, the file of rows and the split; rows in any order."""
    dataset = DatasetManifest.load(desk.archive, exported(desk, games=10))
    shards = [np.load(desk.archive.get_file(shard.artifact, desk.run.folder)) for shard in dataset.shards]
    columns = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0].files}
    for shard in shards:
        shard.close()
    train_on, held_out = load_positions(desk.run, dataset)
    assert len(train_on) + len(held_out) == dataset.rows
    assert len(held_out) > 0
    moves, keys = np.cumsum(columns["legal"]), np.cumsum(columns["key_counts"])
    for positions in (train_on, held_out):
        chosen = np.random.default_rng(1).permutation(len(positions))[:20]
        batch, size = positions.batch(chosen, Aim(), torch.device("cpu")), _engine.policy_size("square8", 2)
        for place, row in enumerate(positions.rows[chosen].tolist()):
            legal = int(columns["legal"][row])
            assert batch.legal[place].sum() == legal
            for move in range(int(moves[row]) - legal, int(moves[row])):
                found = batch.keys[place, move - int(moves[row]) + legal]
                count, end = int(columns["key_counts"][move]), int(keys[move])
                assert found[found < size].tolist() == columns["keys"][end - count : end].tolist()
                assert batch.shares[place, move - int(moves[row]) + legal] == float(columns["shares"][move])
            np.testing.assert_array_equal(batch.outcomes[place], columns["outcomes"][row].astype(np.float32))
            np.testing.assert_array_equal(batch.globals[place], columns["globals"][row].astype(np.float32))


def test_the_policy_loss_is_that_of_the_legal_moves_alone() -> None:
    positions = simple_positions(6)
    batch = positions.batch(np.arange(6), Aim(), torch.device("cpu"))
    policy = torch.randn(6, 58 * 64 + 5, generator=torch.Generator().manual_seed(1))
    two = torch.stack([policy[:, 0], policy[:, 58 * 64]], dim=1)
    wanted = torch.nn.functional.cross_entropy(two, batch.shares, reduction="none")
    torch.testing.assert_close(policy_losses(policy, batch), wanted)
    none = positions_of(Board.SQUARE8, 2, made_up(Board.SQUARE8, 2, 6)).batch(np.arange(6), Aim(), torch.device("cpu"))
    assert policy_losses(policy, none).tolist() == [0] * 6


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
    resumed = desk.train(2, dataset=dataset, seed=2, epochs=1, batch_size=64, network_version=1, surprise=0.5)
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
