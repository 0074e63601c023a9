"""Cards of networks that lie nowhere."""

from __future__ import annotations

from ringrift_core import _engine
from ringrift_core.contract import Artifact, Board
from ringrift_core.players.cards import ModelCard

__all__ = ["card"]

NOWHERE = Artifact(uri="file:///nowhere", sha256="0" * 64, bytes=0)


def card(board: Board, players: int) -> ModelCard:
    return ModelCard(
        board=board,
        players=players,
        encoding=_engine.ENCODING_VERSION,
        blocks=2,
        channels=8,
        weights=NOWHERE,
        onnx=NOWHERE,
        iteration=1,
        parent=0,
        dataset="0" * 64,
        seed=1,
        torch_version="none",
        device="cpu",
        threads=1,
        machine="test",
    )
