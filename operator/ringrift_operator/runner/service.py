"""The life of a runner: it holds its pool, claims what it has room for, and ends in order when it is told to."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress

from ringrift_operator.domain.labels import POOL
from ringrift_operator.kube.client import EXPECTED, Client, LoginError, words_of
from ringrift_operator.kube.resource import POOLS, REMOTE_TASKS, Key, Object, key_of, uid_of
from ringrift_operator.kube.watch import Mirror, RestoredError, Watch
from ringrift_operator.processes.locks import TakenError, held
from ringrift_operator.processes.supervisor import Supervisor
from ringrift_operator.runner import reports
from ringrift_operator.runner.claiming import claimable, is_wanted, left_behind
from ringrift_operator.runner.credentials import keep_renewed, read_kubeconfig
from ringrift_operator.runner.presence import Presence
from ringrift_operator.runner.reports import Reports
from ringrift_operator.runner.settings import Settings
from ringrift_operator.runner.slots import Slots
from ringrift_operator.runner.work import Stopping, Worker

logger = logging.getLogger(__name__)

MANAGER = "ringrift-runner"
IDLE_SECONDS = 1.0
"""What nobody tells of is looked for so often: a slot that has become free, a pool that has changed."""


def serve(settings: Settings) -> int:
    """Runs until a signal; the exit status."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(settings.lock))
        except TakenError as process:
            logger.error("another ringrift-runner (process %s) works in %s", process, settings.folder)
            return 1
        except OSError as error:
            logger.error("%s: %s: name another folder by --folder", settings.lock, error.strerror)
            return 1
        settings.read_environment()
        status = 0
        try:
            asyncio.run(_serve(settings))
        except* (LoginError, RestoredError) as group:
            for why in group.exceptions:
                logger.error("%s", why)
            status = 1
    return status


async def _serve(settings: Settings) -> None:
    stopping = Stopping()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.ask)

    async with Client(lambda: read_kubeconfig(settings.kubeconfig), manager=MANAGER) as client:
        await Runner(settings, client, stopping).run()


class Runner:
    """Takes tasks of one pool for as long as it holds it."""

    def __init__(self, settings: Settings, client: Client, stopping: Stopping) -> None:
        self._settings, self._client, self._stopping = settings, client, stopping
        self._namespace = read_kubeconfig(settings.kubeconfig).namespace
        self._presence = Presence(settings, self._namespace)
        self._slots = Slots(settings.slots)
        self._supervisor = Supervisor(settings.tasks, settings.program)
        self._worker = Worker(settings, client, self._supervisor, stopping)
        self._news = asyncio.Event()
        self._tasks = Mirror(lambda _now, _before: self._news.set())
        self._working: dict[str, Key] = {}
        """Tasks under way, by UID: their Leases are renewed."""

    async def run(self) -> None:
        """Until it is told to stop and its stages have saved and ended."""
        if count := await asyncio.to_thread(self._supervisor.end_leftovers):
            logger.warning("%d stages of an earlier runner were still there and were ended", count)
        watch = Watch(
            lambda: read_kubeconfig(self._settings.kubeconfig),
            REMOTE_TASKS,
            self._tasks,
            self._namespace,
            f"{POOL}={self._settings.pool}",
        )
        async with asyncio.TaskGroup() as background:
            loops = (
                watch.run(),
                self._presence.keep(self._client, self._working.values()),
                keep_renewed(self._client, self._settings.kubeconfig, self._settings.clock),
            )
            running = [background.create_task(each) for each in loops]
            await self._take_tasks(watch)
            for each in running:
                each.cancel()
        await self._presence.release(self._client)

    async def _take_tasks(self, watch: Watch) -> None:
        """Claims and works until told to stop; returns when everything under way has ended."""
        stopped = asyncio.create_task(self._stopping.asked.wait())
        async with asyncio.TaskGroup() as working:
            while not stopped.done():
                if watch.synced.is_set() and self._presence.seconds_left > 0:
                    await self._look(working)
                news = asyncio.create_task(self._news.wait())
                await asyncio.wait((news, stopped), timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                self._news.clear()
            if self._working:
                logger.info("stopping: %d stages save what they have", len(self._working))

    async def _look(self, working: asyncio.TaskGroup) -> None:
        """Begins what there is room for, and gives back what an earlier run of this runner has left."""
        try:
            for task in left_behind(self._tasks, self._settings.pool, self._presence.identity, self._working):
                said = "its runner was started anew: it is repeated, and goes on from what it had saved"
                await Reports(self._client, task).tell(reports.not_now(said, self._settings.clock()))
            waiting = claimable(self._tasks, self._settings.pool, self._working)
            if not waiting:
                return
            pool = await self._client.get(POOLS, (self._namespace, self._settings.pool))
        except (*EXPECTED, LoginError) as error:
            logger.warning("tasks cannot be taken now: %s", words_of(error))
            return
        counts = {slot["name"]: slot.get("count", 1) for slot in pool["spec"]["slots"]} if pool else {}
        for task in waiting:
            stack = ExitStack()
            lock = self._place(stack, task["spec"]["slot"], counts)
            if lock is None:
                continue
            self._working[uid_of(task)] = key_of(task)
            working.create_task(self._work(task, stack, lock))

    def _place(self, stack: ExitStack, slot: str, counts: dict[str, int]) -> int | None:
        try:
            return stack.enter_context(self._slots.taken(slot, counts.get(slot, 0)))
        except OSError as error:
            logger.error("no slot can be taken: %s: %s", error.filename, error.strerror)
            return None

    async def _work(self, task: Object, stack: ExitStack, lock: int) -> None:
        """Claims one task and works on it."""
        key = key_of(task)
        with stack:
            try:
                now = self._settings.clock()
                if await Reports(self._client, task).claim(reports.claimed(self._presence.identity, now)):
                    with suppress(*EXPECTED, LoginError):  # the next beat does
                        await self._presence.show(self._client, key)
                    await self._worker.work(task, lock, self._still_wanted(task))
            except (*EXPECTED, LoginError) as error:
                logger.warning("%s is not claimed: %s", key[1], words_of(error))
            finally:
                del self._working[uid_of(task)]
                self._news.set()

    def _still_wanted(self, task: Object) -> Callable[[], bool]:
        return lambda: is_wanted(task, self._tasks.get(key_of(task)))
