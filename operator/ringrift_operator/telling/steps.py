"""What the steps of an iteration wait for, how far they are, and what came of them. A step may have several tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ringrift_core.contract import (
    Decision,
    EvidenceResult,
    MergeResult,
    PointerResult,
    Progress,
    SelfplayResult,
    Stage,
    Verdict,
)
from ringrift_operator.api.pipeline_status import StagePhase, TaskStatus
from ringrift_operator.domain.results import added_up
from ringrift_operator.domain.tracks import figures
from ringrift_operator.telling.words import counted, duration

_JUDGEMENTS = {
    Decision.PROMOTE: "accepted",
    Decision.REJECT: "rejected",
    Decision.REGRESSED: "regressed",
    Decision.KEEP: "holds",
}


def waiting(task: TaskStatus, now: datetime) -> str:
    """Why a task that has not begun has not."""
    if task.not_before is not None and task.not_before > now:
        why = f" after: {task.message}" if task.message else ""
        return f"at {task.not_before.astimezone():%H:%M:%S}{why}"
    return "waits for a slot" if task.waiting_since is not None else ""


def fraction(tasks: Sequence[TaskStatus], live: Sequence[Progress]) -> float:
    """How much of a step is done, 0 to 1, by what its running tasks tell."""
    done = sum(1.0 for task in tasks if task.phase == StagePhase.SUCCEEDED)
    return (done + sum(each.progress for each in live)) / len(tasks)


def took(tasks: Sequence[TaskStatus], now: datetime) -> str:
    """From the start of the first to the end of the last, or to now; empty before."""
    started = min((task.started_at for task in tasks if task.started_at is not None), default=None)
    if started is None:
        return ""
    finished = [task.finished_at for task in tasks]
    last = now if None in finished else max(time for time in finished if time is not None)
    return duration(last - started)


def outcome(tasks: Sequence[TaskStatus]) -> str:
    """What came of a step: its verdict, its games, or its own words."""
    first = tasks[0]
    if first.verdict is not None:
        return judgement(first.verdict)
    match added_up(task.result for task in tasks):
        case PointerResult() if first.phase == StagePhase.SKIPPED:
            return first.message
        case EvidenceResult() as undecided if undecided.refused:
            return undecided.refused
        case SelfplayResult() as played:
            return f"{counted(played.games, 'game')}, {played.cut_games} cut by the move limit"
        case MergeResult() as merged:
            return f"{counted(merged.games, 'game')} in all, {merged.new_games:,} new"
        case PointerResult() as moved if first.stage == Stage.PROMOTE:
            return f"version {moved.version} is champion"
        case _:
            return next((task.message for task in tasks if task.message), "")


def judgement(verdict: Verdict) -> str:
    """What a gate found: decision and figures."""
    return f"{_JUDGEMENTS[verdict.decision]}: {figures(verdict)}"
