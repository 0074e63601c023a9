"""Divides the shards of an iteration's self-play over the slots that are free, by their CPU (api.md, WorkerPool)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ringrift_operator.api.pool import PoolType, Slot
from ringrift_operator.domain.snapshot import PoolObservation

MOST_PARTS = 32
"""Parts of an iteration's self-play; a status takes 64 tasks, the iteration's other steps among them."""


@dataclass(frozen=True, slots=True)
class Room:
    """Free slots of one kind on one pool."""

    pool: PoolObservation
    slot: Slot
    free: int
    cores: Decimal
    """Of one slot."""


@dataclass(frozen=True, slots=True)
class Share:
    """Shards `first` to `last` for `slots` slots of a room."""

    room: Room
    slots: int
    first: int
    last: int


def divided(first: int, last: int, rooms: Sequence[Room], over_all: bool = True) -> list[Share]:
    """Shares of the shards `first` to `last`, in the order of `rooms` (best first).

    One share per Cluster room (an Indexed Job), one per slot of a Runner room (a RemoteTask each). No more slots are
    taken than there are shards, and no more shares made than MOST_PARTS: further slots stay free for others. Without
    `over_all` the shards stay together, as one share of the first room.
    """
    count = last - first + 1
    if not over_all:
        room = rooms[0]
        slots = min(room.free, count) if room.pool.spec.type == PoolType.CLUSTER else 1
        return [Share(room, slots, first, last)]
    takers: list[tuple[Room, int]] = []
    left = count
    for room in rooms:
        parts_left = MOST_PARTS - len(takers)
        if not parts_left:
            break
        taken = min(room.free, left) if room.pool.spec.type == PoolType.CLUSTER else min(room.free, left, parts_left)
        left -= taken
        if room.pool.spec.type == PoolType.CLUSTER:
            takers += [(room, taken)] if taken else []
        else:
            takers += [(room, 1)] * taken
    amounts = _by_weight(count, [room.cores * slots for room, slots in takers])
    shares = []
    for (room, slots), amount in zip(takers, amounts, strict=True):
        if amount:
            shares.append(Share(room, min(slots, amount), first, first + amount - 1))
            first += amount
    return shares


def _by_weight(count: int, weights: Sequence[Decimal]) -> list[int]:
    """`count` in whole parts proportional to `weights`: largest remainders first, the earlier of equals."""
    total = sum(weights, Decimal(0)) or Decimal(1)
    exact = [count * weight / total for weight in weights]
    parts = [int(share) for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_remainder[: count - sum(parts)]:
        parts[index] += 1
    return parts
