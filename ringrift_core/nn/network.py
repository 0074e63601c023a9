"""A small residual network with global pooling: a value for every seat, and a number for every policy key.

Residual blocks as in K. He et al., "Identity Mappings in Deep Residual Networks" (2016); global pooling as in D. J. Wu,
"Accelerating Self-Play Learning in Go" (2019), so that one block sees the whole board. There is no normalisation: what
goes into a block is scaled by a fixed number, 1 / sqrt(blocks before it + 1), since each adds about as much variance as
there was at first (KataGo's fixed scaling, after H. Zhang et al., "Fixup Initialization", 2019). So a row depends on no
other, training, averaged parameters and inference agree, and a constant factor costs nothing once it is in the weights.

Hexagonal boards lie in square arrays: a cell's neighbours are six of the eight around it, so the two kernel taps of
the other two are zero, and cells outside the hexagon are masked after every convolution and left out of every pooling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ringrift_core import _engine
from ringrift_core.contract import Board, NetworkSize
from ringrift_core.errors import WrongInputError
from ringrift_core.players.cards import ModelCard

__all__ = ["REASONS", "SIZES", "NetworkShape", "RingRiftNetwork", "Said", "board_mask"]

HEXAGONAL_BOARDS = frozenset({Board.HEX8, Board.HEXAGONAL})

SIZES: dict[NetworkSize, tuple[int, int]] = {
    NetworkSize.TINY: (2, 16),
    NetworkSize.SMALL: (4, 32),
    NetworkSize.MEDIUM: (6, 64),
    NetworkSize.LARGE: (10, 128),
}
"""Blocks and channels."""

REASONS = 6
"""Why a game may end, and 0 for one that was cut (docs/encoding.md, Rows)."""


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

    @classmethod
    def of_size(cls, board: Board, players: int, size: NetworkSize) -> Self:
        """Likewise, of a size that has a name."""
        return cls.of(board, players, *SIZES[size])


class Said(NamedTuple):
    """All that a network says of B positions; what stands below the policy is for training alone."""

    values: Tensor
    """[B, players]: logits of winning, column 0 the player to move."""
    policy: Tensor
    """[B, policy]: a number for each key."""
    ends: Tensor
    """[B, 2, players]: rings eliminated and territory at the end of the game, as shares of those that win."""
    owners: Tensor
    """[B, players + 1, side, side]: logits of whose territory a cell will be; the last one is nobody's."""
    reasons: Tensor
    """[B, REASONS]: logits of why the game will end."""
    turns: Tensor
    """[B]: the logarithm of 1 + the turns that are left."""


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

    mask: Tensor | None

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        hexagonal, channels = shape.board in HEXAGONAL_BOARDS, shape.channels
        self.register_buffer("mask", board_mask(shape.board, shape.side) if hexagonal else None, persistent=False)
        self.stem = _BoardConvolution(shape.planes, channels, hexagonal)
        self.stem_globals = nn.Linear(shape.globals, channels)
        self.blocks = nn.ModuleList(_Block(channels, hexagonal, number) for number in range(shape.blocks))
        self.scale = 1 / math.sqrt(shape.blocks + 1)
        self.hidden = nn.Linear(2 * channels + shape.globals, 2 * channels)
        self.values = _saying_little(nn.Linear(2 * channels, shape.players))
        policy_planes, global_keys = divmod(shape.policy, shape.side**2)
        self.policy_shift = nn.Linear(2 * channels, channels)
        self.policy_planes = _saying_little(nn.Conv2d(channels, policy_planes, 1))
        self.policy_globals = _saying_little(nn.Linear(2 * channels, global_keys))
        self.ends = _saying_little(nn.Linear(2 * channels, 2 * shape.players))
        self.owners = _saying_little(nn.Conv2d(channels, shape.players + 1, 1))
        self.reasons = _saying_little(nn.Linear(2 * channels, REASONS))
        self.turns = _saying_little(nn.Linear(2 * channels, 1))

    @classmethod
    def of_card(cls, card: ModelCard, weights: Path) -> Self:
        """The network that a model card describes, with the parameters of its safetensors file; WrongInputError for one
        of an earlier kind, of which the ONNX file alone can be used."""
        if not card.has_parameters:
            raise WrongInputError(
                "the network was trained by an earlier version, whose parameters do not fit: it plays by ONNX on the "
                "CPU, and the next one is trained anew"
            )
        network = cls(NetworkShape.of(card.board, card.players, card.blocks, card.channels))
        network.load_state_dict(load_file(weights))
        return network

    def for_board(self, board: Board) -> RingRiftNetwork:
        """The same parameters, of which none depends on how large a board is, on another one; WrongInputError where
        their shapes are of another kind."""
        network = RingRiftNetwork(NetworkShape.of(board, self.shape.players, self.shape.blocks, self.shape.channels))
        try:
            network.load_state_dict(self.state_dict())
        except RuntimeError as error:  # torch's words for shapes that differ
            raise WrongInputError(
                f"what {self.shape.board} has learnt does not fit {board}: parameters go from square8 to square19 and "
                "from hex8 to hexagonal, and back"
            ) from error
        return network

    def forward(self, planes: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        board, hidden = self._trunk(planes, features)
        return self.values(hidden), self._policy(board, hidden)

    def say_all(self, planes: Tensor, features: Tensor) -> Said:
        """What `forward` says, and what is only asked for in training."""
        board, hidden = self._trunk(planes, features)
        ends = self.ends(hidden).unflatten(1, (2, self.shape.players))
        turns = self.turns(hidden).squeeze(1)
        values, policy = self.values(hidden), self._policy(board, hidden)
        return Said(values, policy, ends, self.owners(board), self.reasons(hidden), turns)

    def _trunk(self, planes: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """The board [B, channels, side, side] that places are judged by, and [B, 2 channels] for all of it."""
        trunk = self.stem(planes, self.mask) + _masked(self.stem_globals(features)[:, :, None, None], self.mask)
        for block in self.blocks:
            trunk = block(trunk, self.mask)
        board = functional.relu(trunk) * self.scale
        return board, functional.relu(self.hidden(torch.cat([_pool(board, self.mask), features], dim=1)))

    def _policy(self, board: Tensor, hidden: Tensor) -> Tensor:
        board = functional.relu(board + self.policy_shift(hidden)[:, :, None, None])
        places = _masked(self.policy_planes(board), self.mask).flatten(1)
        return torch.cat([places, self.policy_globals(hidden)], dim=1)


class _Block(nn.Module):
    """Two convolutions; the mean and maximum over the board of the first one's output shift the second one's input."""

    def __init__(self, channels: int, hexagonal: bool, number: int) -> None:
        super().__init__()
        # A positive factor may as well stand behind the ReLU: there it is a factor of the weights.
        self.convolution1 = _BoardConvolution(channels, channels, hexagonal, 1 / math.sqrt(number + 1))
        self.convolution2 = _BoardConvolution(channels, channels, hexagonal)
        self.pooled = nn.Linear(2 * channels, channels)
        # Of unit normals the maximum over a board is between 2 and 3.
        nn.init.normal_(self.pooled.weight, std=math.sqrt(1 / (8 * channels)))
        nn.init.zeros_(self.pooled.bias)

    def forward(self, trunk: Tensor, mask: Tensor | None) -> Tensor:
        inner = self.convolution1(functional.relu(trunk), mask)
        inner = inner + _masked(self.pooled(_pool(inner, mask))[:, :, None, None], mask)
        changed: Tensor = trunk + self.convolution2(functional.relu(inner), mask)
        return changed


class _BoardConvolution(nn.Conv2d):
    """A 3 x 3 convolution over the board's neighbours, masked to its real cells; its input counts `scale` times.

    It begins with as much variance in each output as there was in each input before a ReLU.
    """

    taps: Tensor

    def __init__(self, inputs: int, outputs: int, hexagonal: bool, scale: float = 1.0) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        taps = torch.full((1, 1, 3, 3), scale)
        if hexagonal:
            # With z = -x - y the six neighbours are (0, +-1), (+-1, 0), (1, -1), (-1, 1): (1, 1) and (-1, -1) are none.
            taps[0, 0, 0, 0] = taps[0, 0, 2, 2] = 0
        self.register_buffer("taps", taps, persistent=False)
        nn.init.normal_(self.weight, std=math.sqrt(2 / (inputs * (7 if hexagonal else 9))))
        assert self.bias is not None
        nn.init.zeros_(self.bias)

    def forward(self, board: Tensor, mask: Tensor | None) -> Tensor:  # type: ignore[override]
        return _masked(functional.conv2d(board, self.weight * self.taps, self.bias, padding=1), mask)


def _saying_little(layer: nn.Linear | nn.Conv2d) -> nn.Linear | nn.Conv2d:
    """An output that begins near 0: all seats and moves alike."""
    nn.init.normal_(layer.weight, std=0.1 / math.sqrt(layer.weight[0].numel()))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def _masked(board: Tensor, mask: Tensor | None) -> Tensor:
    """Zero outside the board, where it has an outside."""
    return board if mask is None else board * mask


def _pool(board: Tensor, mask: Tensor | None) -> Tensor:
    """[B, C, H, W] to [B, 2 C]: mean and maximum over real cells."""
    # Of one axis: over two ONNX Runtime sums in an order that depends on the batch, where it has put channels last.
    if mask is None:
        cells = board.flatten(2)
        return torch.cat([cells.mean(dim=2), cells.amax(dim=2)], dim=1)
    board = board * mask
    mean = board.flatten(2).sum(dim=2) / mask.sum()
    highest = (board - 1e4 * (1 - mask)).flatten(2).amax(dim=2)
    return torch.cat([mean, highest], dim=1)
