"""Only the operator retries: three attempts, and 'not now' as often as it takes, each after a pause."""

from __future__ import annotations

from datetime import datetime, timedelta

from ringrift_operator.api.pipeline_status import StagePhase, TaskStatus
from ringrift_operator.domain.outcomes import Outcome, OutcomeKind

ATTEMPTS = 3
DEGRADED_AFTER_DELAYS = 3
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=10)


def pause(times: int) -> timedelta:
    """Pause after the `times`-th time (from 1): 10 s, doubling to 10 min."""
    return min(FIRST_PAUSE * (1 << min(times - 1, 10)), LONGEST_PAUSE)


def after(task: TaskStatus, outcome: Outcome, exit_code: int | None, now: datetime) -> TaskStatus:
    """The task once its newest try has ended with `outcome`."""
    ended = task.model_copy(update={"exit_code": exit_code, "message": outcome.message[:512], "progress_at": None})
    match outcome.kind:
        case OutcomeKind.DONE:
            return ended.model_copy(
                update={
                    "phase": StagePhase.SUCCEEDED,
                    "finished_at": now,
                    "progress": 0.0,
                    "not_before": None,
                    "waiting_since": None,
                }
            )
        case OutcomeKind.HOPELESS:
            return _given_up(ended, now)
        case OutcomeKind.NOT_NOW:
            delays = task.delays + 1
            return _again(ended, {"delays": delays}, now + pause(delays))
        case OutcomeKind.FAILED:
            failures = task.failures + 1
            tried = ended.model_copy(update={"failures": failures, "delays": 0})
            return _given_up(tried, now) if failures >= ATTEMPTS else _again(tried, {}, now + pause(failures))


def revived(task: TaskStatus) -> TaskStatus:
    """A task that was given up, to be tried afresh because someone asked for it or changed the spec."""
    return _again(task, {"failures": 0, "delays": 0, "finished_at": None}, None)


def _given_up(task: TaskStatus, now: datetime) -> TaskStatus:
    return task.model_copy(update={"phase": StagePhase.FAILED, "finished_at": now, "not_before": None})


def _again(task: TaskStatus, changes: dict[str, object], not_before: datetime | None) -> TaskStatus:
    return task.model_copy(
        update={
            **changes,
            "phase": StagePhase.PENDING,
            "attempt": task.attempt + 1,
            "not_before": not_before,
            "waiting_since": None,
        }
    )
