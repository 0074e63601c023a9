"""Only the operator retries: three attempts, and 'not now' as often as it takes, each after a pause.

A step that the whole iteration needs is never given up for failing: after three attempts it is repeated.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from ringrift_operator.api.pipeline_status import TaskStatus
from ringrift_operator.domain.outcomes import OutcomeKind

ATTEMPTS = 3
DEGRADED_AFTER_DELAYS = 3
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=10)
REFUSED_AGAIN = timedelta(seconds=30)
"""After which what the API server has refused is tried again, if nothing happens until then."""


def pause(times: int) -> timedelta:
    """Pause after the `times`-th time (from 1): 10 s, doubling to 10 min."""
    return min(FIRST_PAUSE * (1 << min(times - 1, 10)), LONGEST_PAUSE)


def after(task: TaskStatus, kind: OutcomeKind, now: datetime, is_repeated: bool = False) -> TaskStatus:
    """The task, whose newest try has ended so; one that `is_repeated` has attempts without end."""
    match kind:
        case OutcomeKind.DONE:
            return task.succeeded(now)
        case OutcomeKind.HOPELESS:
            return task.given_up(now)
        case OutcomeKind.SUPERSEDED:
            return task.skipped(f"superseded: {task.message}", now)
        case OutcomeKind.NOT_NOW:
            return task.delayed(now + pause(task.delays + 1))
        case OutcomeKind.FAILED:
            failed = task.failed()
            if failed.failures < ATTEMPTS:
                return failed.again(now + pause(failed.failures))
            return failed.repeated(now + pause(failed.repeats + 1)) if is_repeated else failed.given_up(now)
        case _:
            assert_never(kind)
