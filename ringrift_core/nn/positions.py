"""A dataset in memory, split by game: no position of a held-out game is ever trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.stage import Run

__all__ = ["HELD_OUT_SHARE", "SEARCH_SHARE", "Batch", "Policies", "Positions", "load_positions"]

HELD_OUT_SHARE = 0.1
SEARCH_SHARE = 0.7
"""What a search's values count in the target beside the outcome, where a row has them (training.md)."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Batch:
    """Rows as a network takes them; `moves` is the largest number of legal moves, 0 where no row has a policy."""

    planes: Tensor
    """float32 [rows, C, H, W]"""
    globals: Tensor
    """float32 [rows, G]"""
    targets: Tensor
    """float32 [rows, players]: search values and outcome mixed."""
    outcomes: Tensor
    """float32 [rows, players]"""
    keys: Tensor
    """int64 [rows, moves, keys of a move]; places without a key hold the size of the policy output."""
    legal: Tensor
    """bool [rows, moves]: false beyond a row's legal moves."""
    shares: Tensor
    """float32 [rows, moves]: the policy target."""


@dataclass(frozen=True)
class Policies:
    """The policy targets of rows: their legal moves one after the other, and the keys of those likewise."""

    legal: Array
    """[rows]: number of legal moves, 0 for a row without a policy."""
    shares: Array
    key_counts: Array
    keys: Array

    @classmethod
    def none(cls, rows: int) -> Policies:
        """No policy for any row."""
        return cls(np.zeros(rows, np.uint32), np.zeros(0, np.float16), np.zeros(0, np.uint8), np.zeros(0, np.uint16))

    @cached_property
    def _first_move(self) -> Array:
        return _starts(self.legal)

    @cached_property
    def _first_key(self) -> Array:
        return _starts(self.key_counts)

    def part(self, rows: Array) -> Policies:
        """Those of the rows where `rows` [rows] is true."""
        moves = np.repeat(rows, self.legal)
        return Policies(
            self.legal[rows],
            self.shares[moves],
            self.key_counts[moves],
            self.keys[np.repeat(moves, self.key_counts)],
        )

    def padded(self, rows: Array, no_key: int) -> tuple[Array, Array, Array]:
        """Keys [rows, moves, keys], legal [rows, moves] and shares [rows, moves] of the chosen rows."""
        legal, moves = _ranges(self._first_move, self.legal, rows)
        has_key, keys = _ranges(self._first_key, self.key_counts, moves)
        has_key &= legal[..., None]
        padded_keys = np.where(has_key, _take(self.keys, keys).astype(np.int64), no_key)
        return padded_keys, legal, np.where(legal, _take(self.shares, moves), np.float16(0)).astype(np.float32)


def _starts(lengths: Array) -> Array:
    starts: Array = np.cumsum(lengths, dtype=np.int64) - lengths
    return starts


def _ranges(starts: Array, lengths: Array, chosen: Array) -> tuple[Array, Array]:
    """The indices of ranges side by side [..., longest], and which of them lie inside their range."""
    wanted = _take(lengths, chosen).astype(np.int64)
    steps = np.arange(wanted.max(initial=0))
    return steps < wanted[..., None], _take(starts, chosen)[..., None] + steps


def _take(array: Array, indices: Array) -> Array:
    """Elements, any where an index lies beyond the end."""
    if len(array) == 0:
        return np.zeros(indices.shape, array.dtype)
    taken: Array = array[np.minimum(indices, len(array) - 1)]
    return taken


@dataclass(frozen=True)
class Positions:
    """Rows of a dataset: planes packed as in its files, uint8 [rows, bytes]."""

    board: Board
    players: int
    planes: Array
    globals: Array
    outcomes: Array
    values: Array
    """float16 [rows, players]: NaN where no search gave any."""
    policies: Policies

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def uniform_loss(self) -> float:
        """The mean loss of a network that finds every seat and every move equally likely."""
        moves = np.maximum(self.policies.legal, 1).astype(np.float64)
        return float(np.log(self.players) + np.log(moves).mean())

    def rows(self, chosen: Tensor, device: torch.device) -> Batch:
        """The chosen rows on a device."""
        rows = chosen.numpy()
        outcomes = self.outcomes[rows].astype(np.float32)
        values = self.values[rows].astype(np.float32)
        targets = np.where(np.isnan(values), outcomes, SEARCH_SHARE * values + (1 - SEARCH_SHARE) * outcomes)
        no_key = _engine.policy_size(self.board.value, self.players)
        columns = (
            _engine.unpack_planes(self.board.value, self.players, self.planes[rows]),
            self.globals[rows].astype(np.float32),
            targets,
            outcomes,
            *self.policies.padded(rows, no_key),
        )
        return Batch(*(torch.from_numpy(column).to(device) for column in columns))


_COLUMNS = ("planes", "globals", "outcomes", "values", "games", "legal", "shares", "key_counts", "keys")


def load_positions(run: Run, dataset: DatasetManifest) -> tuple[Positions, Positions]:
    """The positions to train on and those held out."""
    parts: dict[str, list[Array]] = {name: [] for name in _COLUMNS}
    for shard in dataset.shards:
        with np.load(run.archive.get_file(shard.artifact, run.folder)) as arrays:
            for name, column in parts.items():
                column.append(arrays[name])
    columns = {name: np.concatenate(column) for name, column in parts.items()}
    games = columns["games"]
    # A game's id is a SHA-256: a hash of nothing else is needed to draw a tenth of the games.
    held_out = games < np.uint64(HELD_OUT_SHARE * 2**64)
    if held_out.all() or not held_out.any():
        # Too few games for the draw: hold out one whole game.
        held_out = games == games.min() if len(np.unique(games)) > 1 else np.zeros(len(games), dtype=bool)
    policies = Policies(*(columns[name] for name in ("legal", "shares", "key_counts", "keys")))

    def part(rows: Array) -> Positions:
        planes, features, outcomes, values = (
            columns[name][rows] for name in ("planes", "globals", "outcomes", "values")
        )
        return Positions(dataset.board, dataset.players, planes, features, outcomes, values, policies.part(rows))

    return part(~held_out), part(held_out)
