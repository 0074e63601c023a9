"""Words and figures that the views share."""

from __future__ import annotations

from datetime import timedelta

from ringrift_core.contract import Decision, Progress
from ringrift_operator.api.pipeline_status import ConfigurationStatus, TaskStatus, WinRate
from ringrift_operator.domain.starting import iteration_limit
from ringrift_operator.local.reconcile import Local


def rate(found: WinRate) -> str:
    """`0.612 (0.550 to 0.670), 74 games`."""
    return f"{found.win_rate:.3f} ({found.low:.3f} to {found.high:.3f}), {found.games} games"


def duration(time: timedelta) -> str:
    """`45 s`, `3 min 12 s`, `2 h 5 min`."""
    seconds = max(0, int(time.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def iterations(local: Local, configuration: ConfigurationStatus) -> str:
    """`iteration 2 of 5`, or how many are complete."""
    limit = iteration_limit(local.pipeline.spec, configuration.name)
    number = configuration.iteration + (1 if configuration.frozen is not None else 0)
    if configuration.frozen is None and (limit is None or configuration.iteration < limit):
        return f"{configuration.iteration} iterations complete"
    return f"iteration {number}" + (f" of {limit}" if limit is not None else "")


def pace(progress: Progress) -> str:
    """`112/150 games  38.1 games/s`, what a running stage says of itself."""
    speed = f"{progress.rate:,.1f} {progress.unit}" if progress.rate is not None else ""
    return "  ".join(part for part in (progress.message, speed) if part)


def judgement(task: TaskStatus) -> str:
    """What a gate found: decision and figures."""
    verdict = task.verdict
    if verdict is None:
        return ""
    words = {
        Decision.PROMOTE: "accepted",
        Decision.REJECT: "rejected",
        Decision.REGRESSED: "regressed",
        Decision.KEEP: "holds",
    }
    figures = f"{verdict.win_rate:.3f} ({verdict.low:.3f} to {verdict.high:.3f}), {verdict.games} games"
    return f"{words[verdict.decision]}: {figures}"
