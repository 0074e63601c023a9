"""How much memory this process may take, and whether the kernel has killed for want of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ringrift_core.control_groups import CGROUPS, MEMBERSHIP, MOUNTS, around, words_of

__all__ = ["MemoryLimit", "available_memory", "memory_kills"]

_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
"""Files of a group. Above memory.high nothing is killed, but the kernel slows the group down to a crawl."""
_EVENTS = ("memory.events", "memory.oom_control")


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """Bytes that may be taken, and who says so."""

    size: int
    file: Path | None = None
    """The control group's file that sets it; None: it is all that the machine has."""


def available_memory(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP, mounts: Path = MOUNTS) -> MemoryLimit:
    """The smallest of the machine's memory and the limits of this process's control group and of all above it.

    A group shares its limit with every process in it.
    """
    machine = MemoryLimit(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limits = [
        MemoryLimit(int(size), group / name)
        for group in around("memory", cgroups, membership, mounts)
        for name in _LIMITS
        # `max` is none; version 1 says it by a number above any machine's.
        for size in words_of(group / name)[:1]
        if size.isdecimal() and int(size)
    ]
    return min([machine, *limits], key=lambda limit: limit.size)


def memory_kills(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP, mounts: Path = MOUNTS) -> int | None:
    """How many processes of this one's control group the kernel has killed for want of memory, whichever limit was hit;
    None where nobody counts."""
    for group in around("memory", cgroups, membership, mounts):
        for name in _EVENTS:
            words = words_of(group / name)
            if "oom_kill" in words[::2]:
                return int(words[words.index("oom_kill") + 1])
    return None
