from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import ringrift_core
from ringrift_core import _engine
from ringrift_core.contract import Board, NetworkSize
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork, board_mask
from ringrift_core.nn.onnx import TOLERANCE, export_onnx, largest_difference


def shape_of(board: Board, players: int) -> NetworkShape:
    planes, side, _, features = _engine.encoding_shape(board.value, players)
    policy = _engine.policy_size(board.value, players)
    return NetworkShape(board, players, planes, side, features, policy, blocks=2, channels=8)


def positions(board: Board, players: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Every position of a random game."""
    (record,) = _engine.play_games(board.value, players, [[_engine.Player.random()]], seed=1, games=1)
    rows = _engine.encode_rows(board.value, players, [(record.game_id, record.moves, b"", None)])
    planes = _engine.unpack_planes(board.value, players, rows["planes"])
    return torch.from_numpy(planes), torch.from_numpy(rows["globals"]).float()


@pytest.mark.parametrize("board", [Board.HEX8, Board.HEXAGONAL, Board.SQUARE8])
def test_the_mask_is_the_boards_cells(board: Board) -> None:
    planes, _ = positions(board, 2)
    mask = board_mask(board, planes.shape[-1])[0, 0]
    cells = {Board.HEX8: 61, Board.HEXAGONAL: 469, Board.SQUARE8: 64}[board]
    assert mask.sum() == cells
    seen = planes.amax(dim=(0, 1)) > 0
    assert torch.equal(seen, mask.bool()), "the engine's own plane of real cells says the same"


@pytest.mark.parametrize(("board", "players"), [(Board.SQUARE8, 2), (Board.HEX8, 3)])
def test_a_row_does_not_depend_on_its_batch(board: Board, players: int) -> None:
    network = RingRiftNetwork(shape_of(board, players)).eval()
    planes, features = positions(board, players)
    with torch.no_grad():
        together = network(planes, features)
        singles = zip(*(network(planes[i : i + 1], features[i : i + 1]) for i in range(len(planes))), strict=True)
    assert together[0].shape == (len(planes), players)
    assert together[1].shape == (len(planes), _engine.policy_size(board.value, players))
    for whole, alone in zip(together, singles, strict=True):
        torch.testing.assert_close(whole, torch.cat(alone), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("board", [Board.HEX8, Board.SQUARE8])
def test_policy_planes_are_zero_outside_the_board(board: Board) -> None:
    network = RingRiftNetwork(shape_of(board, 2)).eval()
    planes, features = positions(board, 2)
    with torch.no_grad():
        _, policy = network(planes[:5], features[:5])
    side = network.shape.side
    places = policy[:, : policy.shape[1] // side**2 * side**2].unflatten(1, (-1, side, side))
    assert torch.equal((places != 0).any(dim=0).any(dim=0), board_mask(board, side)[0, 0].bool())


def test_a_hexagons_false_neighbours_do_not_reach_each_other() -> None:
    """One convolution from a single cell: six neighbours and itself, as rules.md's directions say."""
    network = RingRiftNetwork(shape_of(Board.HEX8, 2)).eval()
    board = torch.zeros(1, network.shape.planes, 9, 9)
    board[0, 0, 4, 4] = 1.0
    with torch.no_grad():
        changed = (network.stem(board, network.mask) - network.stem(board * 0, network.mask)).abs().amax(dim=(0, 1)) > 0
    rows, columns = torch.nonzero(changed, as_tuple=True)
    neighbours = {(int(y) - 4, int(x) - 4) for y, x in zip(rows, columns, strict=True)}
    directions = {(0, 1), (-1, 1), (-1, 0)}  # (y, x) of the axes (1, 0), (1, -1), (0, -1)
    assert neighbours == {(0, 0)} | directions | {(-y, -x) for y, x in directions}


@pytest.mark.parametrize("board", [Board.SQUARE8, Board.HEX8])
@pytest.mark.parametrize("size", NetworkSize)
def test_a_new_network_of_any_size_finds_all_alike_and_its_numbers_stay_small(size: NetworkSize, board: Board) -> None:
    """Nothing normalises them: fixed scales keep them from growing block by block."""
    torch.manual_seed(2)
    network = RingRiftNetwork(NetworkShape.of_size(board, 2, size)).eval()
    planes, features = positions(board, 2)
    trunks: list[float] = []
    for block in network.blocks:
        block.register_forward_hook(lambda _, __, trunk: trunks.append(float(trunk.std())))
    with torch.no_grad():
        said = network.say_all(planes, features)
        values, _ = network(planes, features)
    assert torch.softmax(said.values, dim=1).sub(0.5).abs().max() < 0.2
    assert said.policy.std() < 0.5
    assert all(0.1 < trunk < 8 for trunk in trunks), trunks
    assert torch.equal(values, said.values)


@pytest.mark.parametrize(("small", "large"), [(Board.SQUARE8, Board.SQUARE19), (Board.HEX8, Board.HEXAGONAL)])
def test_no_parameter_depends_on_how_large_a_board_is(small: Board, large: Board) -> None:
    here, there = (RingRiftNetwork(NetworkShape.of(board, 3, 2, 8)) for board in (small, large))
    there.load_state_dict(here.state_dict())
    planes, features = positions(large, 3)
    values, policy = there(planes[:2], features[:2])
    assert (values.shape, policy.shape) == ((2, 3), (2, _engine.policy_size(large.value, 3)))


@pytest.mark.parametrize(("board", "players"), [(Board.SQUARE8, 2), (Board.HEX8, 4)])
def test_onnx_says_what_torch_says(tmp_path: Path, board: Board, players: int) -> None:
    network = RingRiftNetwork(shape_of(board, players))
    export_onnx(network, tmp_path / "network.onnx")
    assert largest_difference(network, tmp_path / "network.onnx", *positions(board, players)) < TOLERANCE


EXPORT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.onnx import export_onnx
import ringrift_core, torch
from ringrift_core.contract import Board
assert Path(ringrift_core.__file__).is_relative_to(sys.argv[1])
torch.manual_seed(4)
export_onnx(RingRiftNetwork(NetworkShape.of(Board.HEX8, 2, 2, 8)), Path(sys.argv[2]))
print(hashlib.sha256(Path(sys.argv[2]).read_bytes()).hexdigest())
"""


def test_an_onnx_file_does_not_know_where_it_was_made(tmp_path: Path) -> None:
    """Neither by a name in it, nor by another digest where the package is installed elsewhere."""
    here = Path(ringrift_core.__file__).parent
    shutil.copytree(here, tmp_path / "elsewhere/ringrift_core", ignore=shutil.ignore_patterns("engine", "__pycache__"))
    command = [sys.executable, "-P", "-c", EXPORT, str(tmp_path / "elsewhere"), str(tmp_path / "network.onnx")]
    there = subprocess.run(command, capture_output=True, text=True, check=False)
    assert there.returncode == 0, there.stderr
    torch.manual_seed(4)
    export_onnx(RingRiftNetwork(NetworkShape.of(Board.HEX8, 2, 2, 8)), tmp_path / "here.onnx")
    written = (tmp_path / "here.onnx").read_bytes()
    assert hashlib.sha256(written).hexdigest() == there.stdout.strip()
    for told in (str(here), str(Path(torch.__file__).parent), ".py", "line ", socket.gethostname()):
        assert told.encode() not in written, told
