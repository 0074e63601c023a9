"""Rows of datasets, of games played here or of columns made up."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.dataset.rows import RowFile
from ringrift_core.nn.positions import Positions

__all__ = ["file_of", "made_up", "positions_of"]

Columns = dict[str, NDArray[Any]]


def made_up(board: Board, players: int, rows: int) -> Columns:
    """Rows of empty boards, of which nothing is known."""
    *_, features = _engine.encoding_shape(board.value, players)
    (record,) = _engine.play_games(board.value, players, [[_engine.Player.random()]], seed=1, games=1)
    example = _engine.encode_rows(board.value, players, [(record.game_id, record.moves, b"", [0])])
    return {
        **{name: np.repeat(column, rows, axis=0) for name, column in example.items()},
        "planes": np.zeros((rows, example["planes"].shape[1]), np.uint8),
        "globals": np.zeros((rows, features), np.float16),
        "unsearched": np.zeros(rows, np.uint16),
        "games": np.arange(rows, dtype=np.uint64),
    }


def file_of(board: Board, players: int, *parts: Columns) -> RowFile:
    with tempfile.TemporaryDirectory() as folder:
        return RowFile.write(Path(folder), board, players, parts)


def positions_of(board: Board, players: int, *parts: Columns) -> Positions:
    file = file_of(board, players, *parts)
    return Positions(file, np.arange(len(file)))
