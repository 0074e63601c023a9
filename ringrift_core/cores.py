"""How many cores this process may use: the limit of its container counts, not the size of the machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["available_cores"]

_CGROUPS = Path("/sys/fs/cgroup")


def available_cores(cgroups: Path = _CGROUPS) -> int:
    """The smaller of the scheduler's affinity and the CPU quota of the control group (version 2 or 1), at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroups)
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def _quota(cgroups: Path) -> float | None:
    """CPUs that the quota allows; None without one."""
    try:
        limit, period = (cgroups / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroups / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroups / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if limit in ("max", "-1"):
        return None
    return int(limit) / int(period)
