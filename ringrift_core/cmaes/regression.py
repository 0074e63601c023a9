"""Where a search begins: weights by regression on the outcomes of games, seconds instead of generations.

The model is conditional logit (D. McFadden, 1974): a seat wins with a probability in proportion to the exponential of
its weighted features. Its negative log-likelihood is convex, so Newton's method finds the one minimum. Positions of one
game share its outcome, so every game weighs the same, however long it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RIDGE", "fit", "log_loss"]

RIDGE = 1e-3
"""Added to the curvature in every direction: features that never differ have no weight."""

_MOST_STEPS = 50
_CONVERGED = 1e-9


def fit(features: NDArray[np.float32], outcomes: NDArray[np.float32], games: NDArray[np.uint64]) -> list[float]:
    """The most likely weights.

    features [rows, seats, F], outcomes [rows, seats] (shares of a win, which sum to 1), games [rows]: whose a row is.
    ValueError when there is nothing to learn from.
    """
    if len(features) == 0:
        raise ValueError("no positions: nothing to learn from")
    features64, outcomes64 = features.astype(np.float64), outcomes.astype(np.float64)
    share = _shares(games)
    weights = np.zeros(features64.shape[2])
    for _ in range(_MOST_STEPS):
        chances = _chances(features64, weights)
        gradient = np.einsum("r,rs,rsf->f", share, chances - outcomes64, features64) + RIDGE * weights
        expected = np.einsum("rs,rsf->rf", chances, features64)
        apart = features64 - expected[:, None, :]
        weighted = apart * (share[:, None] * chances)[:, :, None]
        curvature = np.einsum("rsf,rsg->fg", weighted, apart) + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if float(np.abs(gradient @ step)) < _CONVERGED:
            break
    return [float(weight) for weight in weights]


def log_loss(
    weights: list[float], features: NDArray[np.float32], outcomes: NDArray[np.float32], games: NDArray[np.uint64]
) -> float:
    """The mean loss over games, in nats; as `fit`."""
    chances = _chances(features.astype(np.float64), np.asarray(weights))
    of_rows = -(outcomes.astype(np.float64) * np.log(np.maximum(chances, 1e-12))).sum(axis=1)
    return float(_shares(games) @ of_rows)


def _shares(games: NDArray[np.uint64]) -> NDArray[np.float64]:
    """What each row weighs: 1 for each game, divided over its rows, 1 in all."""
    _, of_row, counts = np.unique(games, return_inverse=True, return_counts=True)
    share: NDArray[np.float64] = 1.0 / (counts[of_row] * len(counts))
    return share


def _chances(features: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """[rows, seats]: the probability that each seat wins."""
    scores = features @ weights
    scores -= scores.max(axis=1, keepdims=True)
    raised = np.exp(scores)
    chances: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return chances
