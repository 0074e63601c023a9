"""How many cores this process may use: the limit of its container counts, not the size of the machine."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["available_cores"]

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def available_cores(cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> int:
    """The smallest of the scheduler's affinity and the CPU quotas of this process's control group and of all above it
    (version 2 or 1), at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for group in _groups(cgroups, membership) if (quota := _quota(group)) is not None]
    return max(1, min([affinity, *map(math.ceil, quotas)]))


def _groups(cgroups: Path, membership: Path) -> Iterator[Path]:
    """The folders of this process's groups, and of all above them. A container often sees its own group as the root,
    under a path that leads nowhere there."""
    yield from (cgroups, cgroups / "cpu")
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        # cgroups(7): hierarchy, controllers, path; version 2 names no controllers.
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = cgroups / "cpu" if controllers else cgroups
        group = root / path.lstrip("/")
        while group != root:
            yield group
            group = group.parent


def _quota(group: Path) -> float | None:
    """CPUs that the group's quota allows; None without one."""
    try:
        limit, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (group / "cpu.cfs_quota_us").read_text().strip()
            period = (group / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if limit in ("max", "-1"):
        return None
    return int(limit) / int(period)
