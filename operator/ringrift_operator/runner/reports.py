"""What is written into a task's status: while it runs and at its end, for as long as somebody waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ringrift_core.contract import ExitCode, Progress
from ringrift_operator.api.remotetask import RemoteTaskStatus, TaskPhase
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, LoginError, words_of
from ringrift_operator.kube.resource import REMOTE_TASKS, Object, key_of, uid_of
from ringrift_operator.processes.child import Ending
from ringrift_operator.runner.claiming import is_wanted

logger = logging.getLogger(__name__)

MESSAGE_LENGTH = 1024


def claimed(holder: str, now: datetime) -> RemoteTaskStatus:
    return RemoteTaskStatus(phase=TaskPhase.CLAIMED, holder=holder, claimed_at=_whole(now))


def running(progress: Progress | None) -> RemoteTaskStatus:
    if progress is None:
        return RemoteTaskStatus(phase=TaskPhase.RUNNING)
    message = progress.message[:MESSAGE_LENGTH]
    return RemoteTaskStatus(
        phase=TaskPhase.RUNNING,
        progress=progress.progress,
        message=message,
        cpu_seconds=progress.cpu_seconds,
        gpu=progress.gpu,
    )


def ended(ending: Ending, now: datetime) -> RemoteTaskStatus:
    """As its process has left it."""
    is_done = ending.exit_code == ExitCode.DONE
    return RemoteTaskStatus(
        phase=TaskPhase.SUCCEEDED if is_done else TaskPhase.FAILED,
        exit_code=ending.exit_code,
        reason=ending.reason or "",
        message=ending.message[:MESSAGE_LENGTH],
        finished_at=_whole(now),
        result=ending.result if is_done else None,
    )


def not_now(message: str, now: datetime) -> RemoteTaskStatus:
    """It could not be worked on, which is no failure of it: the operator asks for it again."""
    return RemoteTaskStatus(
        phase=TaskPhase.FAILED,
        exit_code=ExitCode.NOT_NOW,
        message=message[:MESSAGE_LENGTH],
        finished_at=_whole(now),
    )


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=0)


class Reports:
    """Writes the statuses of one task."""

    def __init__(self, client: Client, task: Object) -> None:
        self._client, self._task = client, task
        self._name = key_of(task)[1]

    async def claim(self, status: RemoteTaskStatus) -> bool:
        """Whether the task is ours now: it is not when it has been written or has gone since it was read."""
        try:
            await self._write(status, {"resourceVersion": self._task["metadata"]["resourceVersion"]})
        except ApiError as error:
            if error.is_conflict or error.is_missing:
                return False
            raise
        return True

    async def tell(self, status: RemoteTaskStatus) -> bool:
        """Once; whether it was written."""
        try:
            await self._write(status)
        except (*EXPECTED, LoginError) as error:
            logger.debug("%s: progress not written: %s", self._name, words_of(error))
            return False
        return True

    async def finish(self, status: RemoteTaskStatus, retries: tuple[float, ...], gives_up: Callable[[], bool]) -> None:
        """Until it is written, or nobody waits for it any more; between two tries it is asked whether to give up."""
        failures = 0
        while True:
            try:
                await self._write(status)
                return
            except (*EXPECTED, LoginError) as error:
                if isinstance(error, ApiError) and await self._is_of_no_use(error):
                    logger.warning("%s: nobody waits for its end any more: %s", self._name, error.message)
                    return
                if isinstance(error, ApiError) and error.status == 422 and status.result is not None:
                    # The CRD does not hold what the stage has answered.
                    why = f"its result is refused: {error.message}"[:MESSAGE_LENGTH]
                    status = status.model_copy(
                        update={"phase": TaskPhase.FAILED, "exit_code": 1, "result": None, "message": why}
                    )
                    continue
                if gives_up():
                    logger.warning("%s: its end is not written: %s", self._name, words_of(error))
                    return
                delay = retries[min(failures, len(retries) - 1)]
                failures += 1
                level = logging.WARNING if failures in (1, 10) or failures % 100 == 0 else logging.DEBUG
                said = words_of(error)
                logger.log(level, "%s: its end is not written yet: %s; again in %.0f s", self._name, said, delay)
                await asyncio.sleep(delay)

    async def _is_of_no_use(self, error: ApiError) -> bool:
        """Whether a refusal means that the task is gone, or has ended without us."""
        if error.is_missing or error.is_conflict:
            return True
        if error.status != 422:
            return False
        try:
            return not is_wanted(self._task, await self._client.get(REMOTE_TASKS, key_of(self._task)))
        except (*EXPECTED, LoginError):
            return False

    async def _write(self, status: RemoteTaskStatus, metadata: dict[str, Any] | None = None) -> None:
        content = status.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        about = {"uid": uid_of(self._task), **(metadata or {})}
        await self._client.patch(REMOTE_TASKS, key_of(self._task), {"metadata": about, "status": content}, "status")
