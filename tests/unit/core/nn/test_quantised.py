from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from ringrift_core import _engine
from ringrift_core.contract import Board, TrainResult
from ringrift_core.nn import quantised
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.onnx import export_onnx
from ringrift_core.nn.positions import OUTCOMES, Batch, Positions
from ringrift_core.nn.quantised import differences, quantise
from ringrift_core.nn.random_positions import random_positions
from ringrift_core.players.cards import ModelCard
from tests.unit.core.desk import Desk
from tests.unit.core.nn.rows import positions_of
from tests.unit.core.nn.test_train_stage import exported

CONFIGURATIONS = [(Board.SQUARE8, 2), (Board.HEX8, 3)]


def network(board: Board, players: int, seed: int = 3) -> RingRiftNetwork:
    """One that has something to say."""
    torch.manual_seed(seed)
    made = RingRiftNetwork(NetworkShape.of(board, players, 2, 8))
    with torch.no_grad():
        for head in (made.values, made.policy_planes, made.policy_globals):
            head.weight.mul_(30)
    return made


def searched(board: Board, players: int) -> Batch:
    """Positions of games with policies."""
    player = _engine.Player.minimax(_engine.Judge.linear(_engine.heuristic_weights("baseline")), nodes=50)
    games = _engine.play_games(board.value, players, [[player]], seed=2, games=4, opening_plies=4)
    sources = [(game.game_id, game.moves, game.searches, None) for game in games]
    positions: Positions = positions_of(board, players, _engine.encode_rows(board.value, players, sources, seed=1))
    return positions.batch(np.arange(len(positions)), OUTCOMES, torch.device("cpu"))


def both(board: Board, players: int, folder: Path, seed: int = 3) -> tuple[Path, Path]:
    """The files of a network in floats and in integers."""
    files = folder / f"floats-{seed}.onnx", folder / f"quantised-{seed}.onnx"
    export_onnx(network(board, players, seed), files[0])
    quantise(files[0], *random_positions(board, players, 200), files[1])
    return files


def with_rows_without_a_policy(batch: Batch) -> Batch:
    """Twice the positions, the second time as decisions that no search left a policy of."""
    doubled = {each.name: torch.cat([getattr(batch, each.name)] * 2) for each in fields(Batch)}
    for name in ("legal", "shares"):
        doubled[name][len(batch) :] = 0
    return Batch(**doubled)


@pytest.mark.parametrize(("board", "players"), CONFIGURATIONS)
def test_integers_say_nearly_what_floats_say(board: Board, players: int, tmp_path: Path) -> None:
    floats, integers = both(board, players, tmp_path)
    batch = searched(board, players)
    assert batch.legal.sum(dim=1).float().mean() > 5
    found = differences(floats, integers, batch)
    assert found.are_small
    assert found.value > 0
    assert found.policy > 0
    assert differences(floats, floats, batch) == quantised.Differences(0, 0)
    more = with_rows_without_a_policy(batch)
    assert differences(floats, integers, more).policy == pytest.approx(found.policy, rel=1e-3)
    other, _ = both(board, players, tmp_path, seed=4)
    assert not differences(floats, other, batch).are_small, "a network is told from another one"


@pytest.mark.parametrize(("board", "players"), CONFIGURATIONS)
def test_all_convolutions_are_of_integers(board: Board, players: int, tmp_path: Path) -> None:
    _, integers = both(board, players, tmp_path)
    graph = onnx.load(integers).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 1 + 2 * 2 + 1
    assert {makers.get(name) for node in convolutions for name in node.input} == {"DequantizeLinear"}
    weights = [
        onnx.numpy_helper.to_array(one)
        for one in graph.initializer
        if len(one.dims) == 4 and one.data_type == onnx.TensorProto.INT8
    ]
    assert len(weights) == len(convolutions)
    for numbers in weights:
        assert 60 < np.abs(numbers).max() <= 64, "seven bits: two products fit into 16"


def test_the_same_network_makes_the_same_file(tmp_path: Path) -> None:
    floats, integers = both(Board.HEX8, 2, tmp_path)
    quantise(floats, *random_positions(Board.HEX8, 2, 200), tmp_path / "again.onnx")
    assert integers.read_bytes() == (tmp_path / "again.onnx").read_bytes()
    assert str(tmp_path).encode() not in integers.read_bytes()


def test_a_candidate_is_in_integers_unless_these_say_something_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(iteration: int) -> tuple[TrainResult, set[str]]:
        result = desk.train(iteration, dataset=dataset, seed=1, epochs=1, batch_size=64)
        card = ModelCard.load(desk.archive, result.outputs["candidate"])
        model = onnx.load(desk.archive.get_file(card.onnx, desk.run.folder))
        return result.answer(TrainResult), {node.op_type for node in model.graph.node}

    dataset = exported(desk)
    answer, operations = trained(1)
    assert "DequantizeLinear" in operations
    assert 0 < answer.quantised_value_difference < quantised.VALUE_TOLERANCE
    assert 0 < answer.quantised_policy_divergence < quantised.POLICY_TOLERANCE
    monkeypatch.setattr(quantised, "VALUE_TOLERANCE", answer.quantised_value_difference / 100)
    assert not any("stays in floats" in line for line in desk.report.lines)
    answer, operations = trained(2)
    assert "DequantizeLinear" not in operations
    assert answer.quantised_value_difference > 0
    assert any("it stays in floats" in line for line in desk.report.lines)
