"""The network under training, in float32, and the same in the whole numbers that the engine reads.

Rows are the sum of one of their own and one that all cells share for the same kind of input, which small datasets can
fill; the engine reads the sums. Squared clipped ReLU as in Stockfish's successors of NNUE (Nasu 2018).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from torch import Tensor, nn
from torch.nn import functional

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.nnue.positions import Batch

__all__ = ["Calibration", "Nnue", "whole_numbers"]

ROW_ONE = 255
"""What stands for 1 in rows and biases."""
HEAD_ONE = 64
MOST_HEAD_WEIGHT = 127 / HEAD_ONE
MOST_ROW_WEIGHT = 8.0
"""Far from what could make an accumulator wrap around, at some hundred inputs."""


@dataclass(frozen=True)
class Calibration:
    """What a file says of its values beside the parameters; all in units of a logit."""

    scale: float = 1.0
    temperature: float = 1.0
    leaf_scale: float = 1.0
    leaf_temperature: float = 1.0
    noise_unit: float = 1.0


class Nnue(nn.Module):
    """Positions as their movers see them to logits of winning [rows, players], the mover first."""

    kinds: Tensor
    """int64 [inputs of a seat]: the shared row of each input."""

    def __init__(self, board: Board, players: int) -> None:
        super().__init__()
        self.board, self.players = board, players
        inputs, of_cell, of_turn, width, heads = _engine.nnue_shape(board.value, players)
        self.width, self.heads_of_seat = width, heads // players
        numbers = np.arange(inputs)
        kinds = np.where(numbers < _cells(board) * of_cell, numbers % of_cell, of_cell)
        self.register_buffer("kinds", torch.from_numpy(kinds), persistent=False)
        # An accumulator begins about half way up, where squares have a slope, whatever is on the board.
        self.rows = nn.Parameter(torch.randn(inputs, players, width) * 0.02)
        self.shared = nn.Parameter(torch.randn(of_cell + 1, players, width) * 0.02)
        self.bias = nn.Parameter(0.4 + torch.randn(width) * 0.1)
        self.heads = nn.Parameter(torch.randn(heads, 2, width) / width**0.5)
        self.head_bias = nn.Parameter(torch.zeros(heads))
        self.turn = nn.Parameter(torch.zeros(players, of_turn))

    def sums(self) -> Tensor:
        """[inputs of a seat, players, width]: the rows as the engine reads them, the owner so many seats after the
        perspective."""
        return (self.rows + self.shared[self.kinds]).clamp(-MOST_ROW_WEIGHT, MOST_ROW_WEIGHT)

    def forward(self, batch: Batch) -> Tensor:
        players, width = self.players, self.width
        # All perspectives of an owner and an input side by side: the seat s after the mover sees the owner o as o - s.
        table = torch.stack([self.sums().roll(seat, 1) for seat in range(players)], dim=2)
        inputs = batch.numbers * players + batch.owners
        bag = functional.embedding_bag(inputs, table.reshape(-1, players * width), batch.starts, mode="sum")
        squares = (bag.view(-1, players, width) + self.bias).clamp(0, 1).square()
        others = (squares.sum(1, keepdim=True) - squares) / (players - 1)
        # [rows, seats, own and others, width]
        weights = self.heads.view(players, -1, 2, width)[:, batch.heads].transpose(0, 1)
        biases = self.head_bias.view(players, -1)[:, batch.heads].T
        turn = torch.stack([self.turn.roll(seat, 0) for seat in range(players)])
        of_turn = (batch.turns[:, None] * turn).sum((2, 3))
        return (weights[:, :, 0] * squares + weights[:, :, 1] * others).sum(2) + biases + of_turn

    @torch.no_grad()
    def clip(self) -> None:
        """Keeps the weights of heads within what a whole number of the file can say."""
        self.heads.clamp_(-MOST_HEAD_WEIGHT, MOST_HEAD_WEIGHT)

    def file(self, calibration: Calibration) -> bytes:
        """What the engine reads: safetensors of whole numbers (docs/players.md, NNUE)."""
        texts = {name: repr(float(number)) for name, number in vars(calibration).items()}
        texts |= {"kind": "nnue", "format": "1", "inputs": "1", "board": self.board.value, "players": str(self.players)}
        return _in_order(save_arrays(whole_numbers(self), texts))

    def parameters_file(self) -> bytes:
        """What a later training starts from: safetensors in float32."""
        return save_arrays({name: tensor.detach().cpu().numpy() for name, tensor in self.state_dict().items()})

    def load_parameters(self, content: bytes) -> None:
        """Those of `parameters_file`."""
        self.load_state_dict({name: torch.from_numpy(array) for name, array in load_arrays(content).items()})


@torch.no_grad()
def whole_numbers(network: Nnue) -> dict[str, np.ndarray]:
    """The tensors of the engine's file, rounded to the nearest."""

    def rounded(tensor: Tensor, one: int, kind: type[np.integer]) -> np.ndarray:
        return torch.round(tensor.cpu().double() * one).numpy().astype(kind)

    return {
        "rows": rounded(network.sums(), ROW_ONE, np.int16),
        "bias": rounded(network.bias, ROW_ONE, np.int16),
        "heads": rounded(network.heads, HEAD_ONE, np.int16),
        "head_bias": rounded(network.head_bias, ROW_ONE**2 * HEAD_ONE, np.int32),
        "turn": rounded(network.turn, ROW_ONE**2 * HEAD_ONE, np.int32),
    }


def _in_order(content: bytes) -> bytes:
    """The same file with its header's names in their order: safetensors writes metadata in any, and equal networks have
    to be equal bytes."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def _cells(board: Board) -> int:
    return {Board.SQUARE8: 64, Board.HEX8: 61, Board.SQUARE19: 361, Board.HEXAGONAL: 469}[board]
