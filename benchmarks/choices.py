"""Where somebody had a choice in a recorded game."""

from __future__ import annotations

from collections.abc import Iterator

from ringrift_core import _engine
from ringrift_core.contract import Board

__all__ = ["choices"]


def choices(board: Board, players: int, record: _engine.GameRecord) -> Iterator[_engine.Position]:
    """The position before each decision, one after the other."""
    position = _engine.Position(board.value, players)
    for move in _engine.notation(board.value, players, record.moves):
        if len(position.legal_moves()) > 1:
            yield position.copy()
        position.play(move)
