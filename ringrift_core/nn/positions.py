"""A dataset in memory, split by game: no position of a held-out game is ever trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.stage import Run

__all__ = ["HELD_OUT_SHARE", "Positions", "load_positions"]

HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Positions:
    """planes float16 [rows, C, H, W], globals float32 [rows, G], values float32 [rows, players]."""

    planes: Tensor
    globals: Tensor
    values: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, chosen: Tensor, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """The chosen rows as float32 on a device."""
        planes, features, values = self.planes[chosen], self.globals[chosen], self.values[chosen]
        return planes.to(device).float(), features.to(device), values.to(device)


def load_positions(run: Run, dataset: DatasetManifest) -> tuple[Positions, Positions]:
    """The positions to train on and those held out."""
    columns: dict[str, list[np.ndarray]] = {"planes": [], "globals": [], "values": [], "games": []}
    for shard in dataset.shards:
        with np.load(run.archive.get_file(shard.artifact, run.folder)) as arrays:
            for name, column in columns.items():
                column.append(arrays[name])
    planes, features, values, games = (np.concatenate(column) for column in columns.values())
    # A game's id is a SHA-256: a hash of nothing else is needed to draw a tenth of the games.
    held_out = games < np.uint64(HELD_OUT_SHARE * 2**64)
    if held_out.all() or not held_out.any():
        # Too few games for the draw: hold out one whole game.
        held_out = games == games.min() if len(np.unique(games)) > 1 else np.zeros(len(games), dtype=bool)

    def part(rows: np.ndarray) -> Positions:
        return Positions(*(torch.from_numpy(column[rows]) for column in (planes, features, values)))

    return part(~held_out), part(held_out)
