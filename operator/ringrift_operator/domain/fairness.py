"""Whose turn it is: at each slot pipelines take turns, and a pipeline gives its turn to the task that waited longest.

A pipeline's turn at a slot is due since it last had one there, or since its oldest task for the slot began to wait,
whichever is later; of the pipelines that wait for the slot, the one whose turn has been due longest goes first. So a
pipeline of twelve configurations has one share of a slot and not twelve, and one that comes anew waits behind all who
wait already. Turns are counted slot by slot: what a pipeline gets where nobody else waits costs it nothing elsewhere.
They outlive a pass as `status.turns`, for as long as a task waits that is older.

The bound. Let a task T fit a slot s, q be the tasks of its pipeline P that wait and are not younger than it (T itself
among them), and W the most pipelines, P among them, that wait for s at once. Then T starts with the (q W)-th completion
at s at the latest, where a task that takes n > 1 places of s at once counts n - 1 more ("the slots it reserves", see
gang.py): T itself, and each that starts at s before it.

Proof. A completion frees a place of s, which is given away at once, to the pipeline whose turn has been due longest
(or kept for the first that needs several places: at most n - 1 completions for each of these). Let d be since when P's
turn is due. A pipeline Q that is served has its next turn due since then, which is later than d, and so has one that
comes anew: each of the W - 1 others is served at most once before P is, while d stands. P serves the oldest that fits
s, which is T or an older one. d moves when P is served at s, or when P's oldest task for s starts elsewhere; either
way an older task than T has started, so there are at most q stretches of one d each, the last of which ends with T.
Each has at most W - 1 services of others and one of P: q W in all, and of P's only those at s take a completion.

It is tight: where W pipelines have q tasks each for one slot, all waiting since the same moment, the last task of the
pipeline whose name comes last takes exactly q W completions (tests/unit/domain/test_fairness.py).

On a pool with slots for the cool-down, self-play and what runs in these exclude each other (gang.py), and self-play
has turns of its own at the slots that it shares with others, so that what fills them meanwhile costs it none: there W
counts a pipeline once for each. Only completions that leave T's way open count, that is, after which nothing of the
other kind runs on the pool or goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from ringrift_operator.api.pipeline_status import MOST_TURNS, SlotTurn
from ringrift_operator.domain.plan import Decision, WantedTask

_INSTANT = timedelta(microseconds=1)
"""The finest that a status tells apart."""


class Lane(NamedTuple):
    """Where pipelines take turns: a slot, of a pool with a cool-down once for self-play and once for the rest."""

    pool: str
    slot: str
    is_selfplay: bool


class Head(NamedTuple):
    """The task to which a pipeline would give its turn at a lane. They compare by whose turn it is."""

    due: datetime
    """Since when the pipeline's turn is due."""
    pipeline: str
    decision: int
    """Which decision's task, by number; likewise the next."""
    task: int


class Turns:
    """Whose turn it is at each lane, while tasks are placed one after the other; local to one call of `place`.

    `lanes` tell which kinds of tasks fit; `may_use` whether a decision's pipeline may use a pool.
    """

    def __init__(
        self,
        decisions: Sequence[Decision],
        lanes: Mapping[Lane, Set[str]],
        may_use: Callable[[Decision, str], bool],
    ) -> None:
        self._decisions, self._kinds, self._may_use = decisions, lanes, may_use
        self._taken: set[tuple[int, int]] = set()
        self._had = {
            (index, Lane(turn.pool, turn.slot, turn.selfplay)): turn.at
            for index, decision in enumerate(decisions)
            for turn in decision.status.turns
        }
        self._heads: dict[Lane, list[Head]] = {}
        self._now = max((*self._had.values(), *(decision.snapshot.now for decision in decisions)), default=datetime.min)

    def first(self, lane: Lane) -> Head | None:
        """Whose turn it is at a lane; None when nobody waits for it any more."""
        if lane not in self._heads:
            self._heads[lane] = [
                head
                for index, decision in enumerate(self._decisions)
                if self._may_use(decision, lane.pool) and (head := self._head(lane, index, 0)) is not None
            ]
            heapify(self._heads[lane])
        heads = self._heads[lane]
        while heads:
            # A pipeline's turn comes later and later, so a head is looked at anew only when it has come to the front.
            _, _, index, task = heads[0]
            head = self._head(lane, index, task)
            if head == heads[0]:
                return head
            if head is None:
                heappop(heads)
            else:
                heapreplace(heads, head)
        return None

    def wanted(self, head: Head) -> WantedTask:
        return self._decisions[head.decision].wanted[head.task]

    def take(self, head: Head, lanes: Iterable[Lane]) -> dict[Lane, SlotTurn]:
        """The task starts at these lanes: its pipeline has its turn there, later than every turn before."""
        self._taken.add((head.decision, head.task))
        self._now += _INSTANT
        for lane in lanes:
            self._had[head.decision, lane] = self._now
        return {
            lane: SlotTurn(pool=lane.pool, slot=lane.slot, selfplay=lane.is_selfplay, at=self._now) for lane in lanes
        }

    def in_order(self, lanes: Iterable[Lane]) -> Iterator[tuple[Lane, Head]]:
        """Lanes with whose turn it is, the longest due first; a lane whose head was not taken does not come again."""
        queue = [(head, lane) for lane in lanes if (head := self.first(lane)) is not None]
        heapify(queue)
        while queue:
            head, lane = queue[0]
            now_first = self.first(lane)
            if now_first == head:
                yield lane, head
                now_first = self.first(lane)
                if now_first == head:  # it found no room
                    now_first = None
            if now_first is None:
                heappop(queue)
            else:
                heapreplace(queue, (now_first, lane))

    def _head(self, lane: Lane, index: int, start: int) -> Head | None:
        """A pipeline's head at a lane; `start` is a task before which none fits any more."""
        decision, kinds = self._decisions[index], self._kinds[lane]
        for task in range(start, len(decision.wanted)):
            wanted = decision.wanted[task]
            if wanted.kind in kinds and (index, task) not in self._taken:
                had = self._had.get((index, lane))
                due = wanted.waiting_since if had is None else max(had, wanted.waiting_since)
                return Head(due, decision.snapshot.name, index, task)
        return None


def turns_kept(
    turns: Iterable[SlotTurn], taken: Iterable[SlotTurn], waiting: Iterable[WantedTask]
) -> tuple[SlotTurn, ...]:
    """What a pipeline is to remember of the turns it has had: those that something older still waits behind."""
    oldest = min((task.waiting_since for task in waiting if not task.handling.facts.is_light), default=None)
    if oldest is None:
        return ()
    by_lane = {(turn.pool, turn.slot, turn.selfplay): turn for turn in (*turns, *taken)}
    kept = sorted((turn for turn in by_lane.values() if turn.at > oldest), key=lambda turn: turn.at)
    return tuple(sorted(kept[-MOST_TURNS:], key=lambda turn: (turn.pool, turn.slot, turn.selfplay)))
