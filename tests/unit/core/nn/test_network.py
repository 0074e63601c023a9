from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ringrift_core import _engine
from ringrift_core.contract import Board
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
    assert torch.equal((places != 0).any(dim=0).any(dim=0), network.mask[0, 0].bool())


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


@pytest.mark.parametrize(("board", "players"), [(Board.SQUARE8, 2), (Board.HEX8, 4)])
def test_onnx_says_what_torch_says(tmp_path: Path, board: Board, players: int) -> None:
    network = RingRiftNetwork(shape_of(board, players))
    export_onnx(network, tmp_path / "network.onnx")
    assert largest_difference(network, tmp_path / "network.onnx", *positions(board, players)) < TOLERANCE
