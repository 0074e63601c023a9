"""In which order, and how often, a training sees its positions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["epoch_order", "sampling_weights"]


def sampling_weights(surprise: NDArray[Any], share: float) -> NDArray[np.float64]:
    """How often each position is seen in an epoch, on average: once, but for `share` of all, which go where a policy
    target was most surprising (D. J. Wu's policy surprise weighting, KataGo 2020).

    `surprise` [rows]: the divergence of a position's policy target from what was expected of it; NaN where it has none,
    and such a position counts as one of average surprise.
    """
    mean = np.nanmean(surprise) if not np.isnan(surprise).all() else 0.0
    if mean <= 0:
        return np.ones(len(surprise))
    weights: NDArray[np.float64] = 1 - share + share * np.nan_to_num(surprise, nan=mean) / mean
    return weights


def epoch_order(rows: int, weights: NDArray[np.float64] | None, seed: int, epoch: int) -> NDArray[np.int64]:
    """Places of the positions of an epoch, [rows]: all of them once, or each as often as its weight says, rounded up or
    down so that they are `rows` in all; shuffled."""
    random = np.random.default_rng((seed, epoch))
    if weights is None:
        return random.permutation(rows)
    # Systematic sampling: one draw decides all roundings.
    bounds = np.cumsum(weights)
    drawn = np.searchsorted(bounds, (np.arange(rows) + random.random()) * bounds[-1] / rows, side="right")
    return random.permutation(np.minimum(drawn, rows - 1))
