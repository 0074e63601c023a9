"""Plain lines for logs and pipes: every event, and the running stages' progress now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console

from ringrift_operator.domain.plan import Event
from ringrift_operator.local.invocation import Invocation
from ringrift_operator.local.reconcile import Local
from ringrift_operator.local.stores import shown
from ringrift_operator.local.summary import show_summary, to_continue
from ringrift_operator.telling.words import pace

SECONDS_BETWEEN_PROGRESS = 15.0


class PlainShow:
    """`Show` without a terminal."""

    def __init__(self, console: Console, invocation: Invocation) -> None:
        self._console = console
        self._invocation = invocation
        self._last = time.monotonic()

    def begins(self, local: Local) -> None:
        status = local.pipeline.status
        way = "begins" if not status.configurations else f"continues at {status.phase.value}, {status.games} games"
        self._line(datetime.now(), f"{local.name} {way}; store {shown(local.store)}")

    @contextmanager
    def running(self, locals_: Sequence[Local]) -> Iterator[None]:  # noqa: ARG002  # the live view draws them
        yield

    def tell(self, now: datetime, pipeline: str, events: Sequence[Event]) -> None:
        for event in events:
            self._line(now.astimezone(), f"{pipeline}: {'warning: ' if event.is_warning else ''}{event.message}")

    def update(self, locals_: Sequence[Local]) -> None:
        if time.monotonic() - self._last < SECONDS_BETWEEN_PROGRESS:
            return
        self._last = time.monotonic()
        for local in locals_:
            for name, progress in local.progress.items():
                self._line(datetime.now(), f"{name}: {progress.progress:.0%}  {pace(progress)}")

    def stopping(self) -> None:
        self._line(datetime.now(), "stopping: the running stages save what they have")

    def stopped(self) -> None:
        self._console.print(to_continue(self._invocation), soft_wrap=True)

    def ends(self, locals_: Sequence[Local], *, was_complete: bool = False) -> None:
        for local in locals_:
            show_summary(self._console, local, self._invocation, was_complete=was_complete)

    def _line(self, now: datetime, text: str) -> None:
        self._console.print(f"{now:%H:%M:%S} {text}", markup=False, highlight=False, soft_wrap=True)
