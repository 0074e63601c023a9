"""Heuristic weights as an artifact: JSON with every weight under the name of its feature."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field

from ringrift_core import _engine
from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.contract import Artifact, Board, Contract, InitialWeights
from ringrift_core.errors import StoreRefusedError

__all__ = ["FEATURE_NAMES", "HeuristicWeights"]

FEATURE_NAMES = tuple(name for name, _ in _engine.HEURISTIC_FEATURES)


class HeuristicWeights(Contract):
    """Weights of the linear evaluation for one configuration."""

    format: int = Field(default=1, ge=1, le=1)
    board: Board
    players: int
    weights: dict[str, float]

    @classmethod
    def of_setting(cls, setting: InitialWeights, board: Board, players: int) -> Self:
        """The documented setting `baseline` or `material`."""
        return cls.of_vector(_engine.heuristic_weights(setting.value), board, players)

    @classmethod
    def of_vector(cls, vector: list[float], board: Board, players: int) -> Self:
        """Weights in the engine's order of features."""
        return cls(board=board, players=players, weights=dict(zip(FEATURE_NAMES, vector, strict=True)))

    @classmethod
    def load(cls, archive: Archive, artifact: Artifact) -> Self:
        """Weights from the store; StoreRefusedError when they are not this engine's or another configuration's."""
        weights = from_stored_json(cls, archive.get_bytes(artifact), artifact.uri, "heuristic weights")
        if set(weights.weights) != set(FEATURE_NAMES):
            differing = ", ".join(sorted(set(weights.weights) ^ set(FEATURE_NAMES)))
            raise StoreRefusedError(f"{artifact.uri}: weights for other features than this engine's: {differing}")
        if not all(math.isfinite(weight) for weight in weights.weights.values()):
            raise StoreRefusedError(f"{artifact.uri}: a weight is not a finite number")
        if f"{weights.board}-{weights.players}p" != archive.configuration:
            made_for = f"{weights.board}-{weights.players}p"
            raise StoreRefusedError(f"{artifact.uri}: weights for {made_for}, not {archive.configuration}")
        return weights

    def save(self, archive: Archive) -> Artifact:
        """Stores the weights."""
        return archive.put_model(self)

    @property
    def vector(self) -> list[float]:
        """In the engine's order of features."""
        return [self.weights[name] for name in FEATURE_NAMES]
