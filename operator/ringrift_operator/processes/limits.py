"""What a child may take: memory and time, as a kubelet holds a Pod to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ringrift_operator.api.pool import Slot
from ringrift_operator.api.remotetask import RemoteTaskSpec
from ringrift_operator.api.scalars import format_duration, memory_quantity, quantity_value
from ringrift_operator.domain.reasons import ChildReason


@dataclass(frozen=True, slots=True)
class Excess:
    """More was taken than may be."""

    reason: ChildReason
    message: str
    """What was taken, and what may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one child."""

    memory_bytes: int
    deadline: timedelta
    """From its start."""

    @classmethod
    def of(cls, slot: Slot | RemoteTaskSpec) -> Limits:
        """What a slot allows, or a task that was given one."""
        return cls(int(quantity_value(slot.resources["memory"])), slot.deadline)

    def exceeded(self, memory_bytes: int, ran: timedelta) -> Excess | None:
        """Why a process that takes so much has to be ended; None while it keeps to them."""
        if memory_bytes > self.memory_bytes:
            taken, limit = memory_quantity(memory_bytes), memory_quantity(self.memory_bytes)
            reason = ChildReason.OUT_OF_MEMORY
            return Excess(reason, f"{reason}: it took {taken} of memory, and its slot has {limit}")
        if ran > self.deadline:
            reason = ChildReason.DEADLINE_EXCEEDED
            return Excess(reason, f"{reason}: it ran for longer than {format_duration(self.deadline)}")
        return None
