"""The positions of a dataset, split by game: no position of a held-out game is ever trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ringrift_core.contract import Board
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.dataset.rows import COLUMNS, RowFile
from ringrift_core.dataset.shards import Columns
from ringrift_core.stage import Run

__all__ = [
    "HELD_OUT_SHARE",
    "OUTCOMES",
    "SYMMETRIES",
    "Aim",
    "Batch",
    "Positions",
    "load_positions",
    "split",
    "value_targets",
]

HELD_OUT_SHARE = 0.1
_ROWS_TOGETHER = 512
"""Of a look at all rows, one part after the other: their planes come along."""
SYMMETRIES = {Board.SQUARE8: 8, Board.SQUARE19: 8, Board.HEX8: 12, Board.HEXAGONAL: 12}
"""Of each board, the identity among them."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Aim:
    """What values are to learn (docs/training.md, Recipe)."""

    outcome_weight: float = 1.0
    """What the outcome counts beside the values that a search found; a row without those has the outcome alone."""
    clean_outcomes: bool = True
    """Whether outcomes count only where no random move followed."""


OUTCOMES = Aim()
"""The outcomes alone, where no random move followed."""


@dataclass(frozen=True)
class Batch:
    """Rows as a network takes them; `moves` is the largest number of legal moves, 0 where no row has a policy."""

    planes: Tensor
    """float32 [rows, C, H, W]"""
    globals: Tensor
    """float32 [rows, G]"""
    targets: Tensor
    """float32 [rows, players]: of the values; a row sums to what it counts, from 0 to 1."""
    outcomes: Tensor
    """float32 [rows, players]"""
    keys: Tensor
    """int64 [rows, moves, keys of a move]; places without a key hold the size of the policy output."""
    legal: Tensor
    """bool [rows, moves]: false beyond a row's legal moves."""
    shares: Tensor
    """float32 [rows, moves]: the policy target."""
    eliminations: Tensor
    """float32 [rows, players]: at the end of the game, as shares of those that win; NaN where no game went on."""
    territories: Tensor
    """float32 [rows, players]: likewise, as shares of the least territory that wins."""
    owners: Tensor
    """float32 [rows, players, H, W]: each seat's territory at the end."""
    reasons: Tensor
    """int64 [rows]: why the game ended, from 1; 0 when it was cut, or no game went on."""
    turns_left: Tensor
    """float32 [rows]"""

    def __len__(self) -> int:
        return len(self.globals)


def value_targets(outcomes: Array, values: Array, unsearched: Array, aim: Aim) -> Array:
    """Targets of the values, [rows, players] each, of outcomes and of what searches found (NaN where there was none).

    Each row is a sum of the two, as far as they count: an outcome not where random moves were still to come, and
    neither beside a proven value, which is exact. What is left of a row, its sum, is what it counts in the loss.
    """
    searched = ~np.isnan(values[:, :1])
    proven = searched & ((values == 0) | (values == 1)).all(axis=1, keepdims=True)
    counts = (unsearched[:, None] == 0) | (not aim.clean_outcomes)
    of_outcome = np.where(searched, aim.outcome_weight, 1.0) * counts * ~proven
    of_search = np.where(proven, 1.0, np.where(searched, 1 - aim.outcome_weight, 0.0))
    targets: Array = of_outcome * outcomes + of_search * np.nan_to_num(values)
    return targets.astype(np.float32)


@dataclass(frozen=True)
class Positions:
    """Some rows of a dataset."""

    file: RowFile
    rows: NDArray[np.int64]
    """Their numbers in the file."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def board(self) -> Board:
        return self.file.board

    @property
    def uniform_loss(self) -> float:
        """The mean loss of a network that finds every seat and every move equally likely."""
        moves = np.maximum(self.file.legal[self.rows], 1).astype(np.float64)
        return float(np.log(self.file.players) + np.log(moves).mean())

    @property
    def have_policies(self) -> NDArray[np.bool_]:
        """[rows]: which of them have a policy."""
        have: NDArray[np.bool_] = self.file.legal[self.rows] > 0
        return have

    def teach(self, aim: Aim) -> bool:
        """Whether any of them has a policy or values to learn, beside what only shapes a network."""
        if self.have_policies.any():
            return True
        parts = np.array_split(np.arange(len(self)), max(1, len(self) // _ROWS_TOGETHER))
        return any(bool(self.batch(part, aim, torch.device("cpu")).targets.any()) for part in parts)

    def batch(self, chosen: Array, aim: Aim, device: torch.device, symmetries: Array | None = None) -> Batch:
        """The chosen ones, by their places among these rows, on a device; each as seen through a symmetry."""
        seen = np.zeros(len(chosen), np.uint8) if symmetries is None else symmetries.astype(np.uint8)
        found = self.file.read(self.rows[chosen], seen)
        found["targets"] = value_targets(found["outcomes"], found.pop("values"), found.pop("unsearched"), aim)
        return Batch(**{name: torch.from_numpy(column).to(device) for name, column in found.items()})


def load_positions(run: Run, dataset: DatasetManifest) -> tuple[Positions, Positions]:
    """The positions to train on and those held out, in a file of the scratch folder."""
    return split(RowFile.write(run.folder, dataset.board, dataset.players, _parts(run, dataset)))


def split(file: RowFile) -> tuple[Positions, Positions]:
    """The rows to train on, and those of about a tenth of the games."""
    # A game's id is a SHA-256: a hash of nothing else is needed to draw a tenth of the games.
    held_out = file.games < np.uint64(HELD_OUT_SHARE * 2**64)
    if held_out.all() or not held_out.any():
        # Too few games for the draw: hold out one whole game.
        first = file.games.min()
        held_out = file.games == first if (file.games != first).any() else np.zeros(len(file), dtype=bool)
    return Positions(file, np.flatnonzero(~held_out)), Positions(file, np.flatnonzero(held_out))


def _parts(run: Run, dataset: DatasetManifest) -> Iterator[Columns]:
    for number, shard in enumerate(dataset.shards):
        run.pause_point()
        run.report.progress(0.0, f"reading shard {number + 1} of {len(dataset.shards)}")
        with np.load(run.archive.get_file(shard.artifact, run.folder)) as arrays:
            yield {name: arrays[name] for name in (*COLUMNS, "games")}
