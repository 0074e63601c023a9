"""Heuristic weights as an artifact: JSON with every weight under the name of its feature."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field

from ringrift_core import _engine
from ringrift_core.artifact import ConfigurationArtifact
from ringrift_core.contract import Board, InitialWeights

__all__ = ["FEATURE_NAMES", "HeuristicWeights"]

FEATURE_NAMES = tuple(name for name, _ in _engine.HEURISTIC_FEATURES)


class HeuristicWeights(ConfigurationArtifact):
    """Weights of the linear evaluation for one configuration."""

    KIND = "heuristic weights"

    format: int = Field(default=1, ge=1, le=1)
    weights: dict[str, float]

    @classmethod
    def of_setting(cls, setting: InitialWeights, board: Board, players: int) -> Self:
        """The documented setting `baseline` or `material`."""
        return cls.of_vector(_engine.heuristic_weights(setting.value), board, players)

    @classmethod
    def of_vector(cls, vector: list[float], board: Board, players: int) -> Self:
        """Weights in the engine's order of features."""
        return cls(board=board, players=players, weights=dict(zip(FEATURE_NAMES, vector, strict=True)))

    def fault(self) -> str | None:
        if set(self.weights) != set(FEATURE_NAMES):
            differing = ", ".join(sorted(set(self.weights) ^ set(FEATURE_NAMES)))
            return f"for other features than this engine's: {differing}"
        unbounded = [name for name, weight in self.weights.items() if not math.isfinite(weight)]
        return f"with a number that is not finite: {', '.join(unbounded)}" if unbounded else None

    @property
    def vector(self) -> list[float]:
        """In the engine's order of features."""
        return [self.weights[name] for name in FEATURE_NAMES]
