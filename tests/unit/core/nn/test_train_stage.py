from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ringrift_core import _engine
from ringrift_core.contract import (
    STAGE_PROGRAM,
    Artifact,
    Board,
    Decision,
    ExitCode,
    GateKind,
    NetworkSize,
    StageResult,
    Track,
    TrainParameters,
    TrainResult,
    changed,
    to_arguments,
)
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import DivergedError, NotNowError, StoreRefusedError, WrongInputError
from ringrift_core.nn.losses import AUXILIARY, WEIGHTS, losses, policy_losses, total_loss
from ringrift_core.nn.network import SIZES, NetworkShape, RingRiftNetwork
from ringrift_core.nn.positions import Aim, Positions, load_positions
from ringrift_core.nn.stage import _start as start_of
from ringrift_core.nn.training import StepFigures, Training, TrainingPlan
from ringrift_core.players.cards import ModelCard
from ringrift_core.replay.games import read_games
from ringrift_core.store import open_store
from tests import patience
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


def go_on() -> None:
    """Never stops."""


def steps(run: Training, most: int = 10**9) -> list[StepFigures]:
    """So many steps at most, with the measurements between them."""
    taken: list[StepFigures] = []
    while not run.finished and len(taken) < most:
        taken.append(run.step(go_on))
        if run.epoch_is_over:
            run.measure(go_on)
    return taken


def run_all(run: Training) -> None:
    steps(run)


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


@pytest.mark.parametrize("stopped_after", [1, 7, 8, 13])
def test_a_training_goes_on_from_its_checkpoint_bit_for_bit(stopped_after: int) -> None:
    """In the middle of an epoch or between two: parameters, averages, optimiser, figures."""
    plan = TrainingPlan(seed=1, epochs=2, batch_size=64, learning_rate=1e-3)
    whole, first, second = training(plan), training(plan), training(plan)
    told = steps(whole)
    before = steps(first, stopped_after)
    second.load(first.save())
    assert [*before, *steps(second)] == told
    assert len(told) == 16
    assert second.save() == whole.save()


def test_a_stop_within_a_step_or_a_measurement_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """With so few positions at once that a step has many parts."""
    monkeypatch.setattr("ringrift_core.nn.training.PART", 8 * 512)
    run = training(TrainingPlan(seed=1, epochs=2, batch_size=64, learning_rate=1e-3))
    twin = training(TrainingPlan(seed=1, epochs=2, batch_size=64, learning_rate=1e-3))

    def stop_at(call: int) -> Callable[[], None]:
        calls = iter(range(1, 100))

        def pause() -> None:
            if next(calls) == call:
                raise NotNowError("stopped")

        return pause

    for step in range(8):
        before = run.save()
        with pytest.raises(NotNowError):
            run.step(stop_at(step + 1))
        assert run.save() == before
        run.step(go_on)
    before = run.save()
    with pytest.raises(NotNowError):
        run.measure(stop_at(3))
    assert run.save() == before
    run.measure(go_on)
    steps(twin, 8)
    assert run.save() == twin.save()


def test_what_is_kept_are_averaged_parameters() -> None:
    run = training(TrainingPlan(seed=1, epochs=1, batch_size=64, learning_rate=1e-2))
    begun = {name: tensor.clone() for name, tensor in run.network.state_dict().items()}
    steps(run)
    for name, tensor in run.network.state_dict().items():
        way = (run.best[name] - begun[name]).norm() / (tensor - begun[name]).norm()
        assert 0.1 < way < 1.2 or "ends" in name or "turns" in name, name
    assert any(not torch.equal(tensor, run.best[name]) for name, tensor in run.network.state_dict().items())


def test_the_learning_rate_rises_and_then_falls_to_a_twentieth() -> None:
    run = training(TrainingPlan(seed=1, epochs=10, batch_size=16, learning_rate=1e-3), rows=160)
    rates = [figures.learning_rate for figures in steps(run)]
    top = rates.index(max(rates))
    assert rates[top] == pytest.approx(1e-3)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert 0 < top < 0.1 * run.most_steps
    assert rates[top:] == sorted(rates[top:], reverse=True)
    if len(rates) == run.most_steps:
        assert rates[-1] < 0.06e-3


def test_the_learning_rate_is_less_for_wide_networks_and_small_batches(desk: Desk) -> None:
    def rate(size: NetworkSize, batch_size: int) -> float:
        parameters = TrainParameters(
            **desk.here, iteration=1, dataset=exported_by_nobody, size=size, batch_size=batch_size
        )
        return start_of(parameters, desk.run).learning_rate

    exported_by_nobody = Artifact(uri="objects/none.json", sha256="0" * 64, bytes=1)
    assert [rate(size, 256) for size in NetworkSize] == pytest.approx([0.01, 0.01, 0.005, 0.0025])
    assert [rate(NetworkSize.SMALL, batch) for batch in (16, 64, 1024)] == pytest.approx([0.0025, 0.005, 0.01])


def test_a_gradient_beyond_all_that_were_ends_the_training() -> None:
    run = training(TrainingPlan(seed=1, epochs=20, batch_size=64, learning_rate=1e-3))
    steps(run, 60)
    run._progress.gradient /= 10**6
    with pytest.raises(DivergedError, match="training diverged in epoch 8, step 61: gradient "):
        run.step(go_on)


def test_heads_for_training_alone_learn_what_came_of_games_and_skip_what_is_unknown() -> None:
    judge = _engine.Judge.linear(_engine.heuristic_weights("baseline"))
    player = _engine.Player.descent(judge, 200, inner=2)
    games = _engine.play_games("square8", 2, [[player]], seed=1, games=24, opening_plies=4)
    rows = _engine.encode_rows(
        "square8", 2, [(game.game_id, game.moves, game.searches, None) for game in games], trees=True
    )
    positions = positions_of(Board.SQUARE8, 2, rows)
    torch.manual_seed(1)
    plan = TrainingPlan(seed=1, epochs=8, batch_size=64, learning_rate=5e-3)
    network = RingRiftNetwork(NetworkShape.of(Board.SQUARE8, 2, 1, 8))
    run = Training(network, plan, positions, positions, torch.device("cpu"))
    told = [figures.losses for figures in steps(run)]
    for head in WEIGHTS:
        first, last = (sum(losses[head] for losses in part) for part in (told[:5], told[-5:]))
        assert last < first, head
    network.load_state_dict(run.best)
    whole = positions.batch(np.arange(len(positions)), Aim(), torch.device("cpu"))
    ended, best = ~whole.eliminations[:, 0].isnan(), min(run.figures, key=lambda figures: figures.held_out_loss)
    assert 0 < ended.sum() < len(whole)
    with torch.no_grad():
        wanted = losses(network.say_all(whole.planes, whole.globals), whole)
    for head in AUXILIARY:
        assert best.held_out_auxiliary[head] == pytest.approx(float(wanted[head][ended].mean()), rel=1e-3), head
    batch = positions.batch(np.flatnonzero(rows["tree_moves"])[:9], Aim(), torch.device("cpu"))
    said = network.say_all(batch.planes, batch.globals)
    by_head = losses(said, batch)
    assert {head for head, loss in by_head.items() if loss.any()} == {"value"}
    total_loss(by_head).sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in network.parameters())


def test_a_training_sees_each_new_position_so_many_times_at_most() -> None:
    run = training(TrainingPlan(seed=1, epochs=50, batch_size=64, learning_rate=1e-3, most_seen=700))
    run_all(run)
    assert len(run.figures) == 2, "512 positions, then 188"


@pytest.mark.parametrize(("modes", "teaches"), [("random-only", False), ("random-only,heuristic-only", True)])
def test_games_of_nothing_but_random_moves_teach_nothing(modes: str, teaches: bool, desk: Desk) -> None:
    desk.selfplay(games=12, engine_modes=modes)
    desk.merge()
    dataset = desk.export().outputs["dataset"]
    if teaches:
        desk.train(dataset=dataset, epochs=1)
        return
    with pytest.raises(WrongInputError, match="--dataset: nothing to learn from: no policy, no outcome"):
        desk.train(dataset=dataset, epochs=1)


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
    assert card.threads == 1
    assert result.answer(TrainResult).onnx_difference < 1e-4
    verdict = desk.evaluate(
        track=Track.NETWORK, candidate=result.outputs["candidate"], gate=GateKind.FIXED, games=4
    ).verdict
    assert verdict is not None
    assert verdict.champion == "baseline"
    assert verdict.decision in (Decision.PROMOTE, Decision.REJECT)
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=result.outputs["candidate"])
    resumed = desk.train(2, dataset=dataset, seed=2, epochs=1, batch_size=64, start_from="1", surprise=0.5)
    assert ModelCard.load(desk.archive, resumed.outputs["candidate"]).parent == 1
    played = desk.selfplay(2, seed=2, games=4, network_version=1, engine_modes="network")
    assert 0.1 < share_of_policies(desk, played) < 0.4, "of a quarter of the decisions"
    both = desk.selfplay(3, seed=3, games=8, network_version=1, engine_modes="network-and-minimax")
    games = read_games(desk.archive.get_file(both.outputs["games"], desk.run.folder))
    assert {name for game in games for name in game.seats} == {"network", "minimax"}


def share_of_policies(desk: Desk, played: StageResult) -> float:
    """Of the decisions that were searched."""
    games = read_games(desk.archive.get_file(played.outputs["games"], desk.run.folder))
    searched = [search for game in games for search in _engine.searches_from_bytes(game.searches, 2)]
    return sum(bool(search.policy) for search in searched) / len(searched)


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
def test_a_stopped_training_goes_on_to_the_same_candidate(desk: Desk, tmp_path: Path, fraction: float) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    whole = train(other, exported(other))
    dataset = exported(desk)

    desk.stop_when(lambda done: done > fraction)
    with pytest.raises(NotNowError):
        train(desk, dataset)
    assert all(desk.layouts()), "so that no other version takes it for its own"
    assert len(desk.layouts()) == 1
    desk.go_on()
    result = train(desk, dataset, attempt=2)
    assert any(line.startswith("going on after step ") for line in desk.report.lines)
    assert result.outputs["weights"].sha256 == whole.outputs["weights"].sha256
    assert result.result == whole.result
    assert not [key for key in desk.archive.store.keys("") if ".checkpoint" in key]


def test_three_checkpoints_are_kept_and_a_damaged_one_is_passed_over(desk: Desk) -> None:
    dataset = exported(desk)
    desk.stop_when(lambda _: sum(line.startswith("epoch ") for line in desk.report.lines) == 4)
    with pytest.raises(NotNowError):
        train(desk, dataset, epochs=9)
    found = desk.archive.store.read(desk.archive.key("tasks/i0001/train.checkpoint.json"))
    assert found is not None
    pointer = json.loads(found.content)
    kept = [pointer["state"], *pointer["older"]]
    assert {name for name in desk.objects() if name.endswith(".safetensors")} == {
        each["uri"].rpartition("/")[2] for each in kept
    }
    assert len(kept) == 3
    desk.archive.store.put(desk.archive.key("objects/" + kept[0]["uri"].rpartition("/")[2]), b"damaged")
    desk.go_on()
    train(desk, dataset, epochs=9, attempt=2)
    assert "going on after step" in "".join(desk.report.lines)


MOST_SECONDS_TO_STOP = 10
"""From SIGTERM to a checkpoint and the exit: what a Pod whose node is taken back may count on."""


def test_a_process_that_is_told_to_stop_saves_where_it_is_and_goes_on_from_there(desk: Desk, tmp_path: Path) -> None:
    """In the middle of an epoch of a long training."""
    result = tmp_path / "result.json"
    parameters = TrainParameters(**desk.here, iteration=1, seed=1, dataset=exported(desk, 60), epochs=50, batch_size=8)
    command = [*STAGE_PROGRAM, *to_arguments(parameters), "--result", str(result)]
    for attempt in (1, 2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = [json.loads(process.stdout.readline())]
        while not said[-1]["message"].startswith("epoch "):
            said.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        _, failure = process.communicate(timeout=patience.SECONDS)
        assert process.returncode == ExitCode.NOT_NOW, failure
        assert time.monotonic() - told < MOST_SECONDS_TO_STOP
        assert any("going on after step" in line["message"] for line in said) == (attempt == 2)


def test_a_network_starts_from_another_boards_champion(desk: Desk, tmp_path: Path) -> None:
    """With all that it has learnt, whatever the size of the board."""
    candidate = train(desk, exported(desk), size=NetworkSize.TINY, epochs=1).outputs["candidate"]
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=candidate)
    large = Desk(desk.archive.store, tmp_path / "large", Board.SQUARE19)
    dataset = exported(large, 4)
    result = train(large, dataset, start_from="square8@1", epochs=1)
    card = ModelCard.load(large.archive, result.outputs["candidate"])
    assert (card.started_from, card.parent, card.blocks, card.channels) == ("square8@1", 0, *SIZES[NetworkSize.TINY])
    parameters = TrainParameters(**large.here, iteration=2, dataset=dataset, start_from="square8@1")
    start = start_of(parameters, large.run)
    assert start.learning_rate == pytest.approx(0.005)
    begun = start.network.state_dict()
    small = ModelCard.load(desk.archive, candidate)
    learnt = load_file(desk.archive.get_file(small.weights, tmp_path))
    assert begun.keys() == learnt.keys()
    assert all(torch.equal(begun[name], tensor) for name, tensor in learnt.items())

    hexes = Desk(desk.archive.store, tmp_path / "hex", Board.HEX8)
    with pytest.raises(WrongInputError, match="--start-from square8@1: what square8 has learnt does not fit hex8"):
        start_of(TrainParameters(**hexes.here, iteration=1, dataset=dataset, start_from="square8@1"), hexes.run)
    with pytest.raises(WrongInputError, match="network version 7: never a champion of square8-2p"):
        train(large, dataset, iteration=3, start_from="square8@7")


def test_a_champion_of_another_size_or_an_earlier_kind_is_not_continued(desk: Desk) -> None:
    dataset = exported(desk)
    candidate = train(desk, dataset, size=NetworkSize.TINY, epochs=1).outputs["candidate"]
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=candidate)
    parameters = TrainParameters(**desk.here, iteration=2, dataset=dataset, start_from="1")
    assert start_of(parameters, desk.run).learning_rate == pytest.approx(0.0025)
    larger = desk.train(2, dataset=dataset, start_from="1", size=NetworkSize.SMALL, epochs=1)
    card = ModelCard.load(desk.archive, larger.outputs["candidate"])
    assert (card.blocks, card.channels) == SIZES[NetworkSize.SMALL]
    assert any("which --size small does not continue: starts anew" in line for line in desk.report.lines)
    earlier = changed(ModelCard.load(desk.archive, candidate), format=1).save(desk.archive)
    desk.promote(track=Track.NETWORK, iteration=2, expected_version=1, candidate=earlier)
    desk.train(3, dataset=dataset, start_from="2", epochs=1)
    assert any("--start-from 2: trained by an earlier version" in line for line in desk.report.lines)


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
