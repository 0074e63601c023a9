"""A dataset's rows on this machine: one file of which any row is read at once, so that memory does not grow with it."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.dataset.shards import Columns

__all__ = ["COLUMNS", "RowFile"]

COLUMNS = (
    "planes",
    "globals",
    "outcomes",
    "values",
    "eliminations",
    "territories",
    "owners",
    "reasons",
    "turns_left",
    "unsearched",
    "symmetric",
    "legal",
    "shares",
    "key_counts",
    "keys",
)
"""What a training reads of a row, beside the game that it is of."""


class RowFile:
    """Rows of one configuration, in a file that is gone with this object. Beside it, 20 bytes a row are in memory."""

    def __init__(
        self,
        board: Board,
        players: int,
        ends: NDArray[np.int64],
        games: NDArray[np.uint64],
        legal: NDArray[np.uint32],
        descriptor: int,
    ) -> None:
        self.board, self.players = board, players
        self.ends = ends
        """[rows]: where in the file each row ends."""
        self.games = games
        """[rows]: first 64 bits of the game's id."""
        self.legal = legal
        """[rows]: number of legal moves, 0 for a row without a policy."""
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)

    @classmethod
    def write(cls, folder: Path, board: Board, players: int, parts: Iterable[Columns]) -> RowFile:
        """Rows of `_engine.encode_rows`, part after part, of which no two need to be in memory together.

        The file has no name: a process that is killed leaves nothing in the folder.
        """
        lengths, games, legal = [], [], []
        with tempfile.TemporaryFile(dir=folder) as file:
            for part in parts:
                records, sizes = _engine.pack_rows(board.value, players, {name: part[name] for name in COLUMNS})
                file.write(records)
                lengths.append(sizes)
                games.append(part["games"])
                legal.append(part["legal"])
            file.flush()
            descriptor = os.dup(file.fileno())
        ends = np.cumsum(np.concatenate(lengths), dtype=np.int64)
        return cls(board, players, ends, np.concatenate(games), np.concatenate(legal), descriptor)

    def __len__(self) -> int:
        return len(self.ends)

    def read(self, rows: NDArray[np.int64], symmetries: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """The rows of these numbers as `_engine.unpack_rows` gives them, each as seen through a symmetry."""
        ends = self.ends[rows]
        starts = np.where(rows > 0, self.ends[rows - 1], 0)
        places = zip(starts.tolist(), ends.tolist(), strict=True)
        records = [os.pread(self._descriptor, end - start, start) for start, end in places]
        return _engine.unpack_rows(self.board.value, self.players, records, symmetries)
