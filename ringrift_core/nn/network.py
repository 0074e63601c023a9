"""A small residual network with global pooling: a value for every seat, and a number for every policy key.

Residual blocks as in K. He et al., "Identity Mappings in Deep Residual Networks" (2016); global pooling as in D. J. Wu,
"Accelerating Self-Play Learning in Go" (2019), so that one block sees the whole board; GroupNorm (Y. Wu and K. He,
2018), which does not depend on the batch, so that training, ONNX and any batch size agree.

Hexagonal boards lie in square arrays: a cell's neighbours are six of the eight around it, so the two kernel taps of
the other two are zero, and cells outside the hexagon are masked after every convolution and left out of every pooling.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.players.cards import ModelCard

__all__ = ["NetworkShape", "RingRiftNetwork", "board_mask"]

HEXAGONAL_BOARDS = frozenset({Board.HEX8, Board.HEXAGONAL})


@dataclass(frozen=True)
class NetworkShape:
    """What fixes a network's parameters."""

    board: Board
    players: int
    planes: int
    side: int
    globals: int
    policy: int
    blocks: int
    channels: int

    @classmethod
    def of(cls, board: Board, players: int, blocks: int = 4, channels: int = 32) -> Self:
        """The shape by which this engine encodes a configuration."""
        planes, side, _, features = _engine.encoding_shape(board.value, players)
        return cls(board, players, planes, side, features, _engine.policy_size(board.value, players), blocks, channels)


def board_mask(board: Board, side: int) -> Tensor:
    """[1, 1, side, side]: 1 on real cells, 0 outside a hexagon."""
    if board not in HEXAGONAL_BOARDS:
        return torch.ones(1, 1, side, side)
    radius = side // 2
    axis = torch.arange(side) - radius
    return ((axis[:, None] + axis[None, :]).abs() <= radius).float()[None, None]


class RingRiftNetwork(nn.Module):
    """planes [B, C, side, side] and globals [B, G] to logits [B, players] of winning, column 0 the player to move, and
    to a number for each policy key [B, policy]: a move's logit is the sum of those of its keys (docs/encoding.md)."""

    mask: Tensor

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mask", board_mask(shape.board, shape.side), persistent=False)
        hexagonal = shape.board in HEXAGONAL_BOARDS
        self.stem = _BoardConvolution(shape.planes, shape.channels, hexagonal)
        self.stem_globals = nn.Linear(shape.globals, shape.channels)
        self.blocks = nn.ModuleList(_Block(shape.channels, hexagonal) for _ in range(shape.blocks))
        self.norm = _norm(shape.channels)
        self.hidden = nn.Linear(2 * shape.channels + shape.globals, 2 * shape.channels)
        self.values = nn.Linear(2 * shape.channels, shape.players)
        policy_planes, global_keys = divmod(shape.policy, shape.side**2)
        self.policy_shift = nn.Linear(2 * shape.channels, shape.channels)
        self.policy_planes = nn.Conv2d(shape.channels, policy_planes, 1)
        self.policy_globals = nn.Linear(2 * shape.channels, global_keys)

    @classmethod
    def of_card(cls, card: ModelCard, weights: Path) -> Self:
        """The network that a model card describes, with the parameters of its safetensors file."""
        network = cls(NetworkShape.of(card.board, card.players, card.blocks, card.channels))
        network.load_state_dict(load_file(weights))
        return network

    def forward(self, planes: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        trunk = self.stem(planes, self.mask) + self.stem_globals(features)[:, :, None, None] * self.mask
        for block in self.blocks:
            trunk = block(trunk, self.mask)
        board = functional.relu(self.norm(trunk))
        hidden = functional.relu(self.hidden(torch.cat([_pool(board, self.mask), features], dim=1)))
        board = functional.relu(board + self.policy_shift(hidden)[:, :, None, None])
        places = (self.policy_planes(board) * self.mask).flatten(1)
        return self.values(hidden), torch.cat([places, self.policy_globals(hidden)], dim=1)


class _Block(nn.Module):
    """Two convolutions; the mean and maximum over the board of the first one's output shift the second one's input."""

    def __init__(self, channels: int, hexagonal: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = _norm(channels), _norm(channels)
        self.convolution1 = _BoardConvolution(channels, channels, hexagonal)
        self.convolution2 = _BoardConvolution(channels, channels, hexagonal)
        self.pooled = nn.Linear(2 * channels, channels)

    def forward(self, trunk: Tensor, mask: Tensor) -> Tensor:
        inner = self.convolution1(functional.relu(self.norm1(trunk)), mask)
        inner = inner + self.pooled(_pool(inner, mask))[:, :, None, None] * mask
        changed: Tensor = trunk + self.convolution2(functional.relu(self.norm2(inner)), mask)
        return changed


class _BoardConvolution(nn.Conv2d):
    """A 3 x 3 convolution over the board's neighbours, masked to its real cells."""

    taps: Tensor

    def __init__(self, inputs: int, outputs: int, hexagonal: bool) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        taps = torch.ones(1, 1, 3, 3)
        if hexagonal:
            # With z = -x - y the six neighbours are (0, +-1), (+-1, 0), (1, -1), (-1, 1): (1, 1) and (-1, -1) are none.
            taps[0, 0, 0, 0] = taps[0, 0, 2, 2] = 0
        self.register_buffer("taps", taps, persistent=False)

    def forward(self, board: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        return functional.conv2d(board, self.weight * self.taps, self.bias, padding=1) * mask


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(4, channels)


def _pool(board: Tensor, mask: Tensor) -> Tensor:
    """[B, C, H, W] to [B, 2 C]: mean and maximum over real cells."""
    board = board * mask
    mean = board.sum(dim=(2, 3)) / mask.sum()
    highest = (board - 1e4 * (1 - mask)).amax(dim=(2, 3))
    return torch.cat([mean, highest], dim=1)
