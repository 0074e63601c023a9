from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.inference import LEAST_CELLS, onnx_network, torch_network
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.onnx import export_onnx
from ringrift_core.nn.quantised import quantise
from ringrift_core.nn.random_positions import random_positions
from tests.unit.core.nn.cards import card


def network(board: Board, players: int, folder: Path, channels: int = 8) -> RingRiftNetwork:
    torch.manual_seed(3)
    made = RingRiftNetwork(NetworkShape.of(board, players, 2, channels))
    save_file(made.state_dict(), folder / "weights.safetensors")
    export_onnx(made, folder / "network.onnx")
    return made


@pytest.mark.parametrize(("board", "players"), [(Board.SQUARE8, 2), (Board.HEX8, 3)])
def test_torch_says_what_onnx_says(board: Board, players: int, tmp_path: Path) -> None:
    network(board, players, tmp_path)
    by_torch = torch_network(card(board, players), tmp_path / "weights.safetensors", "cpu")
    by_onnx = onnx_network(tmp_path / "network.onnx")
    (record,) = _engine.play_games(board.value, players, [[_engine.Player.random()]], seed=1, games=1)
    position = _engine.Position(board.value, players)
    planes, features = [], []
    for move in _engine.notation(board.value, players, record.moves)[:40]:
        plane, feature = _engine.encode_position(position)
        planes.append(plane)
        features.append(feature)
        position.play(move)
    batch = np.stack(planes), np.stack(features)
    values, policy = by_torch.values_and_policy(*batch)
    assert values.dtype == policy.dtype == np.float32
    assert values.sum(axis=1) == pytest.approx(1, abs=1e-5)
    for asked in (by_torch.values(*batch), by_onnx.values(*batch), by_onnx.values_and_policy(*batch)[0]):
        assert asked == pytest.approx(values, abs=1e-4)
    assert by_onnx.values_and_policy(*batch)[1] == pytest.approx(policy, abs=1e-3)
    for said in (values, policy):
        assert said.std(axis=0).max() > 1e-4, "a network that says the same of all positions proves nothing"


def test_a_network_on_torch_plays_games(tmp_path: Path) -> None:
    network(Board.HEX8, 2, tmp_path)
    evaluator = torch_network(card(Board.HEX8, 2), tmp_path / "weights.safetensors", "cpu").values
    player = _engine.Player.one_ply(_engine.Judge.asked(evaluator))
    records = _engine.play_games("hex8", 2, [[player]], seed=1, games=3, opening_plies=4, max_turns=20)
    assert {record.seats for record in records} == {("network", "network")}


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    network(Board.HEX8, 2, tmp_path)
    with pytest.raises(WrongInputError, match="--device cuda: "):
        torch_network(card(Board.HEX8, 2), tmp_path / "weights.safetensors", "cuda")


@pytest.mark.parametrize("cores", [2, 3])
@pytest.mark.parametrize("is_quantised", [False, True])
@pytest.mark.parametrize(("board", "players"), [(Board.SQUARE8, 2), (Board.HEX8, 3)])
def test_a_batch_goes_to_every_core_and_a_row_is_told_the_same(
    cores: int, is_quantised: bool, board: Board, players: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, whatever comes with it and however it is cut."""
    network(board, players, tmp_path, channels=32)
    if is_quantised:
        (tmp_path / "network.onnx").rename(tmp_path / "floats.onnx")
        quantise(tmp_path / "floats.onnx", *random_positions(board, players, 100), tmp_path / "network.onnx")
    alone = onnx_network(tmp_path / "network.onnx").values_and_policy
    monkeypatch.setattr("ringrift_core.nn.inference.available_cores", lambda: cores)
    together = onnx_network(tmp_path / "network.onnx")
    channels, height, width, features = _engine.encoding_shape(board.value, players)
    random = np.random.default_rng(5)
    planes = random.random((70, channels, height, width), dtype=np.float32)
    globals_ = random.random((70, features), dtype=np.float32)
    rows = [alone(planes[row : row + 1], globals_[row : row + 1]) for row in range(70)]
    before = _helpers()
    for count in (1, 2, 15, 16, 17, 23, 24, 70):
        values, policy = together.values_and_policy(planes[:count], globals_[:count])
        assert np.array_equal(values, together.values(planes[:count], globals_[:count]))
        assert np.array_equal(values, np.concatenate([row[0] for row in rows[:count]]))
        assert np.array_equal(policy, np.concatenate([row[1] for row in rows[:count]]))
        if count * height * width < 2 * LEAST_CELLS:
            assert _helpers() == before, "a few positions are not worth another thread"
    assert 0 < len(_helpers() - before) < cores


def _helpers() -> set[int | None]:
    return {thread.ident for thread in threading.enumerate() if thread.name.startswith("onnx")}
