"""What a task keeps free that needs more than one place at once, while it is its turn and it cannot start yet.

A task of several processes takes several places of one slot at once. If whoever needs one place took each that is
freed, it would never start; so the one whose turn it is reserves the slot until enough of it is free, and nobody
behind it is served there. It does so wherever it is its turn: a place that stands empty costs less than a task that
waits for the slowest.

Self-play and a pool's slots for the cool-down exclude each other: in effect each needs all places of the other. While
self-play waits for a pool, nothing begins in its cool-down whose turn comes later; once self-play has ended there, the
cool-down is due, and no new self-play begins until a task that waits for it has. What runs in other slots, or beside
them in a slot that self-play waits for, goes on.
"""

from __future__ import annotations

from ringrift_operator.domain.fairness import Lane


class Reservations:
    """What waiting tasks keep free, while one round of placement runs from the longest due to the latest."""

    def __init__(self) -> None:
        self._slots: set[tuple[str, str]] = set()
        self._from_selfplay: set[str] = set()
        self._from_cooldown: set[str] = set()

    def reserve_slot(self, lane: Lane) -> None:
        """Until enough of the slot is free for the task whose turn it is."""
        self._slots.add((lane.pool, lane.slot))

    def reserve_pool(self, lane: Lane) -> None:
        """Of a pool with a cool-down: for the task of self-play, or of the cool-down, whose turn it is."""
        (self._from_cooldown if lane.is_selfplay else self._from_selfplay).add(lane.pool)

    def keep_slot(self, lane: Lane) -> bool:
        """Whether somebody's reservation keeps a slot."""
        return (lane.pool, lane.slot) in self._slots

    def keep_from_selfplay(self, pool: str) -> bool:
        return pool in self._from_selfplay

    def keep_from_cooldown(self, pool: str) -> bool:
        return pool in self._from_cooldown
