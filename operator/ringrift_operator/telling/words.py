"""Figures as text."""

from __future__ import annotations

from datetime import timedelta

from ringrift_core.contract import Progress, Verdict
from ringrift_operator.api.pipeline_status import WinRate


def rate(found: WinRate) -> str:
    """`0.612 (0.550 to 0.670) over 74 games`."""
    return f"{interval(found)} over {counted(found.games, 'game')}"


def interval(found: WinRate | Verdict, digits: int = 3) -> str:
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


def pace(progress: Progress) -> str:
    """`112/150 games  38.1 games/s`, what a running stage says of itself."""
    speed = f"{progress.rate:,.1f} {progress.unit}" if progress.rate is not None else ""
    return "  ".join(part for part in (progress.message, speed) if part)
