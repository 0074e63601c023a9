"""How good a network is where a search needs it: does it tell the moves of a position apart as a search did?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ringrift_core._engine import Judge, Player, Position, heuristic_weights
from ringrift_core.nnue.network import Calibration
from ringrift_core.nnue.positions import Siblings
from ringrift_core.nnue.training import softmax

__all__ = ["SiblingFigures", "agreement", "calibrated", "compare_siblings", "fitted_scale", "unit_of_siblings"]

MOST_POSITIONS = 1000

HAND_SET_TEMPERATURE, HAND_SET_LEAF_SCALE, HAND_SET_LEAF_TEMPERATURE = 0.6, 2.0, 0.4
"""Those of the linear heuristic, in its own unit (docs/players.md)."""


@dataclass(frozen=True)
class SiblingFigures:
    """Means over positions. `spearman`: rank correlation of the values after each move, the turn completed, with the
    shares that the search gave the moves; `top`: share of positions in which both like the same move best."""

    positions: int
    spearman: float
    top: float


def compare_siblings(judge: Judge, siblings: Siblings) -> SiblingFigures:
    """The figures of a judge that answers at once; all 0 where no search told moves apart."""
    player = Player.one_ply(judge)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for state, shares in list(zip(siblings.states, siblings.shares, strict=True))[:MOST_POSITIONS]:
        position = Position.from_bytes(state)
        own = dict(player.choose(position, 0).policy)
        # A move that is all but impossible has no share.
        found.append((np.array([own.get(move, 0.0) for move in position.legal_moves()]), shares))
    return agreement(found)


def agreement(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> SiblingFigures:
    """The figures of what two judges say of each position's moves, but where either says one thing of all."""
    correlations: list[float] = []
    hits = 0
    for one, other in pairs:
        if np.ptp(one) == 0 or np.ptp(other) == 0:
            continue
        correlations.append(float(np.corrcoef(ranks(one), ranks(other))[0, 1]))
        hits += int(one.argmax() == other.argmax())
    count = len(correlations)
    return SiblingFigures(count, float(np.mean(correlations)) if count else 0.0, hits / max(1, count))


def ranks(numbers: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal numbers sharing the mean of theirs."""
    _, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: np.ndarray = (last - (counts + 1) / 2)[places]
    return mean


def fitted_scale(logits: np.ndarray, targets: np.ndarray) -> float:
    """The scale of a softmax over seats with the least log loss: 1 for a network that is as sure as it may be."""
    scales = np.exp(np.linspace(np.log(0.25), np.log(8), 101))
    losses = [float(-(targets * np.log(np.maximum(softmax(logits / scale), 1e-12))).sum(1).mean()) for scale in scales]
    return float(scales[int(np.argmin(losses))])


def unit_of_siblings(judge: Judge, temperature: float, board: str, players: int, states: Sequence[bytes]) -> float:
    """How far a judge's values of a position's moves lie apart, for one step of the hand-set heuristic's (the median of
    their standard deviations' quotients); 0.1, some logit, where no search told moves apart."""
    hand_set = Judge.linear(heuristic_weights("baseline"))
    other = hand_set.calibration(board, players)[1]
    quotients = []
    for state in states[:MOST_POSITIONS]:
        position = Position.from_bytes(state)
        own = _spread(judge, temperature, position)
        theirs = _spread(hand_set, other, position)
        if own > 0 and theirs > 0:
            quotients.append(own / theirs)
    return float(np.median(quotients)) if quotients else 0.1


def _spread(judge: Judge, temperature: float, position: Position) -> float:
    """Standard deviation of the worth of the moves that are neither won nor lost."""
    shares = np.array([share for _, share in Player.one_ply(judge).choose(position, 0).policy])
    worths = temperature * np.log(shares[shares > 0])
    return float(worths.std())


def calibrated(scale: float, unit: float) -> Calibration:
    """The heuristic's settings of search, carried over to a judge one of whose steps is so many of the heuristic's."""
    return Calibration(
        scale=scale,
        temperature=HAND_SET_TEMPERATURE * unit,
        leaf_scale=HAND_SET_LEAF_SCALE * unit,
        leaf_temperature=HAND_SET_LEAF_TEMPERATURE * unit,
        noise_unit=unit,
    )
