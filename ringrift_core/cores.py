"""How many cores this process may use: the limit of its container counts, not the size of the machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

from ringrift_core.control_groups import CGROUPS, MEMBERSHIP, MOUNTS, around, words_of

__all__ = ["available_cores"]


def available_cores(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP, mounts: Path = MOUNTS) -> int:
    """The smallest of the scheduler's affinity (which a cpuset narrows) and the CPU quotas of this process's control
    group and of all above it, a part of a core counted whole; at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    groups = around("cpu", cgroups, membership, mounts)
    quotas = [quota for group in groups if (quota := _quota(group)) is not None]
    return max(1, min([affinity, *map(math.ceil, quotas)]))


def _quota(group: Path) -> float | None:
    """CPUs that the group's quota allows; None without one (`max`, -1)."""
    of_version_1 = (*words_of(group / "cpu.cfs_quota_us"), *words_of(group / "cpu.cfs_period_us"))
    for words in (words_of(group / "cpu.max"), of_version_1):
        match words:
            case [limit, period] if limit.isdecimal() and period.isdecimal() and int(period):
                return int(limit) / int(period)
    return None
