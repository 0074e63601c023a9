"""Words and figures that the views share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ringrift_core.contract import Decision, MergeResult, PointerResult, Progress, SelfplayResult, Stage, Verdict
from ringrift_operator.api.pipeline_status import ConfigurationStatus, TaskStatus, WinRate
from ringrift_operator.domain.results import added_up
from ringrift_operator.domain.starting import iteration_limit
from ringrift_operator.domain.tracks import figures
from ringrift_operator.local.reconcile import Local


def rate(found: WinRate) -> str:
    """`0.612 (0.550 to 0.670) over 74 games`."""
    return f"{interval(found)} over {counted(found.games, 'game')}"


def interval(found: WinRate, digits: int = 3) -> str:
    """`0.612 (0.550 to 0.670)`."""
    return f"{found.win_rate:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def duration(time: timedelta) -> str:
    """`45 s`, `3 min 12 s`, `2 h 5 min`."""
    seconds = max(0, int(time.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds % 60} s"
    return f"{seconds} s" if seconds else "< 1 s"


def counted(number: int, thing: str) -> str:
    """`1 promotion`, `2 promotions`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def iterations(local: Local, configuration: ConfigurationStatus) -> str:
    """`iteration 2 of 5`, or how many are complete."""
    limit = iteration_limit(local.pipeline.spec, configuration.name)
    number = configuration.iteration + (1 if configuration.frozen is not None else 0)
    if configuration.frozen is None and (limit is None or configuration.iteration < limit):
        return f"{counted(configuration.iteration, 'iteration')} complete"
    return f"iteration {number}" + (f" of {limit}" if limit is not None else "")


def pace(progress: Progress) -> str:
    """`112/150 games  38.1 games/s`, what a running stage says of itself."""
    speed = f"{progress.rate:,.1f} {progress.unit}" if progress.rate is not None else ""
    return "  ".join(part for part in (progress.message, speed) if part)


def outcome(tasks: Sequence[TaskStatus]) -> str:
    """What came of a step: its verdict, its games, or its own words."""
    first = tasks[0]
    if first.verdict is not None:
        return judgement(first.verdict)
    match added_up(task.result for task in tasks):
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
    words = {
        Decision.PROMOTE: "accepted",
        Decision.REJECT: "rejected",
        Decision.REGRESSED: "regressed",
        Decision.KEEP: "holds",
    }
    return f"{words[verdict.decision]}: {figures(verdict)}"
