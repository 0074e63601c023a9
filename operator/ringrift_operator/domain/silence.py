"""How long a machine outside the cluster has been silent, by our own clocks: its own may say what it likes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from ringrift_operator.api.remotetask import ENDED, RemoteTaskStatus, TaskPhase

LOST_SECONDS = 60.0
"""A runner that does not renew a Lease for so long is offline, and a task that nobody renews is lost."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by two clocks."""

    listened: float
    """Seconds in which we could have heard somebody: this clock stands still while the API server is away."""
    clock: datetime
    """To be shown."""

    @classmethod
    def long_ago(cls, clock: datetime) -> Moment:
        """Before we began to listen."""
        return cls(-math.inf, clock)

    def is_past(self, now: Moment) -> bool:
        """Whether it is so long ago that whoever has said nothing since is lost."""
        return now.listened - self.listened > LOST_SECONDS


@dataclass(frozen=True, slots=True)
class Heard:
    """Words, whatever they are, and since when they are the same."""

    words: str
    at: Moment

    def again(self, words: str, now: Moment) -> Heard:
        return self if words == self.words else Heard(words, now)


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """A RemoteTask as we have seen it come along."""

    since: Moment
    """When it was first seen, or claimed, if it has been."""
    told: Heard
    """What it told of its progress."""
    is_claimed: bool = False

    @classmethod
    def first(cls, status: RemoteTaskStatus, now: Moment) -> TaskSeen:
        return cls(now, Heard(_words(status), now), _is_claimed(status))

    def again(self, status: RemoteTaskStatus, now: Moment) -> TaskSeen:
        """With what is new."""
        is_claimed = _is_claimed(status)
        seen = replace(self, since=now, is_claimed=True) if is_claimed and not self.is_claimed else self
        return replace(seen, told=seen.told.again(_words(status), now))

    def is_lost(self, status: RemoteTaskStatus, runner: Moment | None, renewed: Moment | None, now: Moment) -> bool:
        """Whether nobody will end it. `runner` is when its pool's runner was last heard of (None: there is no such
        pool), `renewed` when its own Lease last was (None: not yet)."""
        if status.phase in ENDED:
            return False
        last = renewed if self.is_claimed else runner
        heard = self.since if last is None or last.listened < self.since.listened else last
        return heard.is_past(now)


def _is_claimed(status: RemoteTaskStatus) -> bool:
    return status.phase != TaskPhase.PENDING


def _words(status: RemoteTaskStatus) -> str:
    return f"{status.phase} {status.progress} {status.message}"
