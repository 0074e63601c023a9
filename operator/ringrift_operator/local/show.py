"""How a run is shown: a live view on a terminal, plain lines elsewhere; both end with the same summary."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ringrift_operator.domain.plan import Event
from ringrift_operator.local.reconcile import Local


class Show(Protocol):
    """Told what happens; it decides nothing."""

    def begins(self, local: Local) -> None:
        """A pipeline has been taken up: anew, or where it was."""

    def running(self, locals_: Sequence[Local]) -> AbstractContextManager[None]:
        """Surrounds the work."""

    def tell(self, now: datetime, pipeline: str, events: Sequence[Event]) -> None:
        """Events of a pass."""

    def update(self, locals_: Sequence[Local]) -> None:
        """A pass is over."""

    def stopping(self) -> None:
        """Somebody asked to stop, and the running stages save what they have."""

    def stopped(self) -> None:
        """All is saved."""

    def ends(self, locals_: Sequence[Local], *, was_complete: bool = False) -> None:
        """Nothing is left to do; `was_complete` when there was nothing to do from the beginning."""
