"""The count at which a search takes a wanted time."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CLOSE", "PILOTS", "count_that_takes"]

PILOTS = 5
"""Measurements, at most, by which a count is found,"""
CLOSE = 0.02
"""but for so much of the wanted time."""
LEAST_RATIO = 0.01
"""So a pilot too short for the clock raises the next count by a hundred times at most."""


def count_that_takes(time_ratio: Callable[[int], float], first: int) -> tuple[int, float]:
    """The count of a search that takes a wanted time, by pilots from the first on, and what it took as a share of that:
    the pilot that came closest. `time_ratio` measures the share of a count."""
    count, ratio = first, 1.0
    piloted = []
    for _ in range(PILOTS):
        count = max(1, round(count / max(LEAST_RATIO, ratio)))
        ratio = time_ratio(count)
        piloted.append((count, ratio))
        if abs(ratio - 1) < CLOSE:
            break
    return min(piloted, key=lambda pilot: abs(pilot[1] - 1))
