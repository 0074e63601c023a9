"""Which games a dataset is drawn from: the newest ones, in a window that grows more slowly than the games do.

All games up to a thousand; beyond, 1000 (games / 1000)^0.65, as in KataGo's training (D. J. Wu, "Accelerating Self-Play
Learning in Go", 2019, appendix C): old games come from weaker players, but a small window overfits. What the newest
iteration played is never left out: nobody has learned from it yet, and of a bootstrap no game is older than another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ringrift_core.replay.manifest import Segment

__all__ = ["EXPONENT", "FULL_UP_TO", "SegmentPart", "choose", "window_size"]

FULL_UP_TO = 1000
EXPONENT = 0.65


@dataclass(frozen=True)
class SegmentPart:
    """The newest `games` of a segment."""

    segment: Segment
    games: int


def window_size(games: int) -> int:
    """How many of `games` recorded games the window holds."""
    if games <= FULL_UP_TO:
        return games
    return round(FULL_UP_TO * math.pow(games / FULL_UP_TO, EXPONENT))


def choose(segments: Sequence[Segment], newest: int = 0) -> list[SegmentPart]:
    """The parts of segments inside the window, the newest first; `newest` games, or 0 for the window's own size."""
    games = sum(segment.games for segment in segments)
    left = min(newest, games) if newest else max(window_size(games), _of_newest_iteration(segments))
    parts = []
    for segment in reversed(segments):
        taken = min(left, segment.games)
        if taken:
            parts.append(SegmentPart(segment, taken))
        left -= taken
    return parts


def _of_newest_iteration(segments: Sequence[Segment]) -> int:
    return sum(segment.games for segment in segments if segment.iteration == segments[-1].iteration)
