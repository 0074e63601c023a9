"""Positions of random games, for whoever needs some and has no dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringrift_core import _engine
from ringrift_core.contract import Board

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["random_positions"]


def random_positions(board: Board, players: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """planes [count, C, H, W] and globals [count, G], the same each time."""
    import numpy as np

    games = _engine.play_games(board.value, players, [[_engine.Player.random()]], seed=1, games=8)
    rows = _engine.encode_rows(board.value, players, [(game.game_id, game.moves, b"", None) for game in games])
    chosen = np.arange(count) * 7 % len(rows["globals"])
    planes = _engine.unpack_planes(board.value, players, rows["planes"][chosen])
    return planes, rows["globals"][chosen].astype(np.float32)
