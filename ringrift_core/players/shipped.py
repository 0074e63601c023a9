"""The files that come with the package, for judges that no store has."""

from __future__ import annotations

from pathlib import Path

from ringrift_core.contract import Board, configuration_name
from ringrift_core.players.specification import JudgeKind

__all__ = ["SHIPPED", "shipped_name"]

SHIPPED = Path(__file__).parent / "shipped"
"""The folder of them."""

_ENDINGS = {
    JudgeKind.WEIGHTS: "json",
    JudgeKind.MLP: "safetensors",
    JudgeKind.NNUE: "safetensors",
    JudgeKind.NETWORK: "onnx",
}


def shipped_name(kind: JudgeKind, board: Board, players: int) -> str:
    """`network-square8-2p.onnx`."""
    return f"{kind}-{configuration_name(board, players)}.{_ENDINGS[kind]}"
