"""One task, from its claim to its end: a process that is watched, told of, cancelled when nobody wants it any more."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ringrift_operator.api.remotetask import RemoteTaskStatus
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.resource import Object, key_of
from ringrift_operator.processes.child import Child, Ending
from ringrift_operator.processes.supervisor import Supervisor
from ringrift_operator.runner import reports
from ringrift_operator.runner.claiming import work_of
from ringrift_operator.runner.reports import Reports
from ringrift_operator.runner.settings import Settings

logger = logging.getLogger(__name__)

KEPT_LOGS = 200
"""Of tasks that have ended, the newest."""


@dataclass(slots=True)
class Stopping:
    """Whether the runner has been told to stop, and how urgently."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    is_impatient: bool = False
    _since: float = 0.0

    def ask(self) -> None:
        """The first time stages may save; the second time they are killed."""
        if self.asked.is_set():
            self.is_impatient = True
        self.asked.set()

    def is_over(self, seconds: float, now: float) -> bool:
        """Whether it was first asked here, once told to stop, so many seconds ago."""
        if not self.asked.is_set():
            return False
        self._since = self._since or now
        return self.is_impatient or now - self._since > seconds


class Worker:
    """Works on claimed tasks, each in a coroutine of its own."""

    def __init__(self, settings: Settings, client: Client, supervisor: Supervisor, stopping: Stopping) -> None:
        self._settings, self._client, self._supervisor, self._stopping = settings, client, supervisor, stopping

    async def work(self, task: Object, lock: int, is_wanted: Callable[[], bool]) -> None:
        """Runs a claimed task in the place that `lock` is of, until its process is gone and its end is written."""
        name = key_of(task)[1]
        report = Reports(self._client, task)
        try:
            asked = work_of(task)
            child = self._supervisor.start(name, asked.parameters, asked.limits, (lock,))
        except ValueError as error:
            logger.error("%s: %s", name, error)
            await self._finish(report, reports.not_now(str(error), self._settings.clock()))
            return
        except OSError as error:
            said = f"the runner cannot start it: {error.filename or self._settings.folder}: {error.strerror}"
            logger.error("%s: %s", name, said)
            await self._finish(report, reports.not_now(said, self._settings.clock()))
            return
        logger.info("%s: started", name)
        telling = asyncio.create_task(self._tell(child, report))
        try:
            ending, was_wanted = await self._attend(child, name, is_wanted)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
        self._supervisor.forget(name)
        _drop_old_logs(self._settings.tasks)
        logger.info("%s: ended with %d: %s", name, ending.exit_code, ending.message)
        if was_wanted:
            await self._finish(report, reports.ended(ending, self._settings.clock()))

    async def _attend(self, child: Child, name: str, is_wanted: Callable[[], bool]) -> tuple[Ending, bool]:
        """Looks at the process until it is gone; how it ended, and whether that is still of use."""
        pace = self._settings.pace
        stopped_at: float | None = None
        was_wanted = True
        while True:
            child.look()
            if child.ending is not None:
                return child.ending, was_wanted and is_wanted()
            if was_wanted and not is_wanted():
                logger.info("%s: nobody wants it any more", name)
                was_wanted = False
            if stopped_at is None and (self._stopping.asked.is_set() or not was_wanted):
                child.signal(signal.SIGTERM)
                stopped_at = time.monotonic()
            is_late = stopped_at is not None and time.monotonic() - stopped_at > pace.grace
            if is_late or self._stopping.is_impatient:
                child.signal(signal.SIGKILL)
            await asyncio.sleep(pace.turn)

    async def _tell(self, child: Child, report: Reports) -> None:
        """Writes what is new, and that it runs at all; for ever."""
        told = None
        while True:
            status = reports.running(child.progress)
            if status != told and await report.tell(status):
                told = status
            await asyncio.sleep(self._settings.pace.progress)

    async def _finish(self, report: Reports, status: RemoteTaskStatus) -> None:
        pace = self._settings.pace
        await report.finish(status, pace.retries, lambda: self._stopping.is_over(pace.farewell, time.monotonic()))


def _drop_old_logs(folder: Path) -> None:
    logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    for path in logs[:-KEPT_LOGS]:
        path.unlink(missing_ok=True)
