"""Rows that an NNUE is trained on: the inputs of exact states, split by game."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.positions import Aim, value_targets
from ringrift_core.stage import Run

__all__ = [
    "Batch",
    "Loader",
    "Positions",
    "Siblings",
    "exact_columns",
    "held_out_games",
    "load_positions",
    "targets_of",
    "told_apart",
]

HELD_OUT_SHARE = 0.1
"""Share of the games that are never trained on."""

_HELD_OUT_BELOW = np.uint64(HELD_OUT_SHARE * 2**64)

Array = NDArray[Any]


@dataclass(frozen=True)
class Batch:
    """Rows side by side, their inputs one after the other."""

    numbers: Tensor
    """int64 [sum of counts]: as `_engine.nnue_rows` has them, and so the next ones."""
    owners: Tensor
    """int64 [sum of counts]"""
    starts: Tensor
    """int64 [rows]: where the inputs of each begin."""
    turns: Tensor
    """float32 [rows, players, inputs of a turn]"""
    heads: Tensor
    """int64 [rows]: the mover's head."""
    targets: Tensor
    """float32 [rows, players]: the win probability of each seat, the mover first."""


@dataclass(frozen=True)
class Siblings:
    """Positions in which a search has told the moves apart."""

    states: tuple[bytes, ...]
    """Exact states."""
    shares: tuple[Array, ...]
    """float32 [legal moves] of each: what the search gave them."""


@dataclass(frozen=True)
class Positions:
    """Rows of one configuration."""

    board: Board
    players: int
    counts: Array
    """[rows]: number of inputs of each."""
    numbers: Array
    """uint16 [sum of counts], row after row."""
    owners: Array
    """uint8 [sum of counts]"""
    turns: Array
    """bool [rows, players, inputs of a turn]"""
    heads: Array
    """[rows]"""
    symmetric: Array
    """bool [rows]: whether a row may be seen through the symmetries of the board."""
    targets: Array
    """float32 [rows, players]"""

    @classmethod
    def of_states(cls, board: Board, players: int, lengths: Array, states: Array, targets: Array) -> Self:
        """Rows of exact states, `lengths` bytes each, one after the other; RulesError for other bytes."""
        rows = _engine.nnue_rows(board.value, players, lengths, states)
        return cls(board, players, **rows, targets=targets.astype(np.float32))

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def together(cls, parts: Sequence[Positions]) -> Self:
        """The rows of all parts, at least one, in their order."""
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
        return cls(parts[0].board, parts[0].players, **columns)

    def part(self, rows: Array) -> Positions:
        """Those where `rows` [rows] is true."""
        of_inputs = np.repeat(rows, self.counts)
        kept = {name: of_inputs if name in _OF_INPUTS else rows for name in _COLUMNS}
        return Positions(self.board, self.players, **{name: getattr(self, name)[kept[name]] for name in _COLUMNS})


_OF_INPUTS = ("numbers", "owners")
_COLUMNS = ("counts", *_OF_INPUTS, "turns", "heads", "symmetric", "targets")


class Loader:
    """Draws batches of positions, each row through a random symmetry where it has any. All lie on the device."""

    def __init__(self, positions: Positions, device: torch.device) -> None:
        self._players, self._counts = positions.players, positions.counts
        images = _engine.nnue_symmetries(positions.board.value, positions.players)
        starts = np.cumsum(positions.counts, dtype=np.int64) - positions.counts
        # No number reaches 2^15, and of uint16 torch knows little.
        columns = (positions.numbers.view(np.int16), positions.owners, starts, positions.counts.astype(np.int64))
        self._numbers, self._owners, self._starts, self._lengths = (_tensor(column, device) for column in columns)
        columns = (positions.turns, positions.heads, positions.symmetric, positions.targets)
        self._turns, self._heads, self._symmetric, self._targets = (_tensor(column, device) for column in columns)
        self._images = _tensor(images.view(np.int16), device)
        """[symmetries, inputs of a seat]"""

    def batch(self, rows: Array, generator: np.random.Generator | None) -> Batch:
        """Some rows; None takes them as they are."""
        device, total = self._starts.device, int(self._counts[rows].sum(dtype=np.int64))
        chosen = _tensor(rows, device)
        lengths = self._lengths[chosen]
        starts = lengths.cumsum(0) - lengths
        places = torch.repeat_interleave(self._starts[chosen] - starts, lengths, output_size=total)
        places += torch.arange(total, device=device)
        numbers = self._numbers[places].long()
        if generator is not None:
            drawn = _tensor(generator.integers(len(self._images), size=len(rows)), device) * self._symmetric[chosen]
            numbers = self._images[torch.repeat_interleave(drawn, lengths, output_size=total), numbers].long()
        return Batch(
            numbers=numbers,
            owners=self._owners[places].long(),
            starts=starts,
            turns=self._turns[chosen].float(),
            heads=self._heads[chosen].long(),
            targets=self._targets[chosen],
        )


def _tensor(array: Array, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def targets_of(columns: dict[str, Array], aim: Aim) -> tuple[Array, Array]:
    """float32 [rows kept, players], each adding up to 1, of a dataset's columns; and bool [rows], which are kept: those
    that have anything to learn (`value_targets`)."""
    targets = value_targets(columns["outcomes"], columns["values"], columns["unsearched"], aim)
    total = targets.sum(axis=1, keepdims=True)
    kept: Array = total[:, 0] > 0
    return targets[kept] / total[kept], kept


def held_out_games(games: Array) -> Array:
    """bool [rows]: those of a tenth of the games; of one whole game where that draw leaves nothing on either side."""
    # A game's id is a SHA-256: a hash of nothing else is needed to draw.
    held_out: Array = games < _HELD_OUT_BELOW
    if held_out.all() or not held_out.any():
        held_out = games == games.min() if len(np.unique(games)) > 1 else np.zeros(len(games), dtype=bool)
    return held_out


def exact_columns(run: Run, dataset: DatasetManifest, names: Iterable[str]) -> Iterator[dict[str, Array]]:
    """Columns of the dataset with its exact states, shard after shard; WrongInputError where it has none of these."""
    if not dataset.exact_states:
        raise WrongInputError(
            "--dataset: it has no exact states, from which inputs are made: export with --exact-state"
        )
    wanted = (*names, "state_lengths", "states")
    for shard in dataset.shards:
        run.pause_point()
        with np.load(run.archive.get_file(shard.artifact, run.folder)) as arrays:
            yield {name: arrays[name] for name in wanted}


def load_positions(run: Run, dataset: DatasetManifest, aim: Aim) -> tuple[Positions, Positions, Siblings]:
    """The positions to train on, those held out, and of these the ones in which moves are told apart."""
    parts: list[tuple[Positions, Array]] = []
    siblings = Siblings((), ())
    names = ("games", "outcomes", "values", "unsearched", "legal", "shares", "symmetries")
    for columns in exact_columns(run, dataset, names):
        targets, kept = targets_of(columns, aim)
        own = told_apart(columns, columns["games"] < _HELD_OUT_BELOW)
        siblings = Siblings(siblings.states + own.states, siblings.shares + own.shares)
        lengths, states = columns["state_lengths"], columns["states"]
        states = states[np.repeat(kept, lengths)]
        positions = Positions.of_states(dataset.board, dataset.players, lengths[kept], states, targets)
        parts.append((positions, columns["games"][kept]))
    if not sum(len(positions) for positions, _ in parts):
        raise WrongInputError("--dataset: nothing to learn from: no outcome without a random move after it, no values")
    everything = Positions.together([positions for positions, _ in parts])
    held_out = held_out_games(np.concatenate([games for _, games in parts]))
    return everything.part(~held_out), everything.part(held_out), siblings


MOST_SIBLINGS = 500
"""Positions of a shard at which moves are compared: each takes as long as a decision of one ply."""


def told_apart(columns: dict[str, Array], held_out: Array) -> Siblings:
    """Held-out decisions with a policy, as they are: through a symmetry their moves are in another order."""
    legal, lengths = columns["legal"], columns["state_lengths"].astype(np.int64)
    rows = np.flatnonzero(held_out & (legal > 2) & (columns["symmetries"] == 0))[:MOST_SIBLINGS]
    first_state, first_share = np.cumsum(lengths) - lengths, np.cumsum(legal, dtype=np.int64) - legal
    states = [columns["states"][first_state[row] : first_state[row] + lengths[row]].tobytes() for row in rows]
    shares = [columns["shares"][first_share[row] : first_share[row] + legal[row]].astype(np.float32) for row in rows]
    return Siblings(tuple(states), tuple(shares))
