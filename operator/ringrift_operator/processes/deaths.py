"""Who killed a child that was not killed from here: the kernel counts what it kills for want of memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringrift_core.memory import available_memory, memory_kills
from ringrift_operator.api.scalars import memory_quantity
from ringrift_operator.domain.reasons import ChildReason


@dataclass(slots=True)
class MemoryWatch:
    """Over a child's memory, from its start. It lies in the control group of who started it."""

    peak: int = 0
    """Most bytes that it was seen to take."""
    _kills: int | None = field(default_factory=memory_kills)

    def saw(self, memory_bytes: int) -> None:
        """It takes so many bytes now."""
        self.peak = max(self.peak, memory_bytes)

    def of_killed(self) -> tuple[ChildReason | None, str]:
        """Of a child that SIGKILL has ended: whether for want of memory, and what is known of it. Where nobody counts
        it may have been, and where nothing was counted somebody else killed it."""
        kills = memory_kills()
        if kills is None or self._kills is None:
            return None, self._use_and_limit()
        if kills == self._kills:
            return None, ""
        reason = ChildReason.OUT_OF_MEMORY
        return reason, f"{reason}: the kernel ended it for want of memory: {self._use_and_limit()}"

    def _use_and_limit(self) -> str:
        used = f"it took {memory_quantity(self.peak)} when last seen" if self.peak else "it was gone before it was seen"
        limit = available_memory()
        if limit.file is None:
            return f"{used}, and this machine has {memory_quantity(limit.size)} for all"
        return f"{used}, and its control group has {memory_quantity(limit.size)} for all in it ({limit.file})"
