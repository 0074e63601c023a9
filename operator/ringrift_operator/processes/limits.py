"""What a child may take: memory and time, as a kubelet holds a Pod to them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ringrift_operator.api.pool import Slot
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.domain.reasons import ChildReason


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one child."""

    memory_bytes: int
    deadline: timedelta
    """From its start."""

    @classmethod
    def of(cls, slot: Slot) -> Limits:
        """What a slot allows."""
        return cls(int(quantity_value(slot.resources["memory"])), slot.deadline)

    def exceeded(self, pid: int, ran: timedelta) -> ChildReason | None:
        """Why the process has to be ended; None while it keeps to them."""
        if resident_bytes(pid) > self.memory_bytes:
            return ChildReason.OUT_OF_MEMORY
        return ChildReason.DEADLINE_EXCEEDED if ran > self.deadline else None


def resident_bytes(pid: int) -> int:
    """Memory of a process; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
