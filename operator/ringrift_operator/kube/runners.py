"""Looks after machines outside the cluster: makes the Leases that they renew, and writes off what nobody renews any
more. It is the operator who says that a task is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from ringrift_operator.api.remotetask import TaskPhase
from ringrift_operator.builders.lease import RUNNER, pool_lease, task_lease
from ringrift_operator.domain.labels import POOL
from ringrift_operator.domain.silence import Moment
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, words_of
from ringrift_operator.kube.hearing import Ears, Hearing
from ringrift_operator.kube.refusals import Refusals, Topic
from ringrift_operator.kube.resource import LEASES, REMOTE_TASKS, Object, is_going, key_of, uid_of
from ringrift_operator.kube.tasks import is_live_task
from ringrift_operator.kube.world import World, labels, pipeline_owner

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Runners:
    """Acts upon what is heard."""

    def __init__(self, client: Client, world: World, hearing: Hearing, refusals: Refusals) -> None:
        self._client, self._world, self._hearing, self._refusals = client, world, hearing, refusals
        self._refused: set[str] = set()
        """What was refused when it was last tried: it is logged once."""

    async def run(self, ears: Ears) -> None:
        """Listens, for ever."""
        while True:
            try:
                await self.look(ears.now())
            except EXPECTED as error:
                logger.warning("runners not looked after, again later: %s", words_of(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, now: Moment) -> None:
        """Takes what is new, writes off what is lost, and makes the Leases that are wanted."""
        tried = [(task, await self._lose(task, why, now)) for task, why in self._hearing.hear(now)]
        tried += [(owner, await self._make(lease)) for owner, lease in list(self._wanted_leases())]
        self._tell(tried)
        refused = {sentence for _, sentence in tried if sentence}
        for sentence in sorted(refused - self._refused):
            logger.warning("%s", sentence)
        self._refused = refused

    def _tell(self, tried: list[tuple[Object, str]]) -> None:
        """What was refused of tasks, to their pipelines. Of a pool's Lease the pool tells."""
        refused: dict[str, dict[str, str]] = {}
        for obj, sentence in tried:
            owner = pipeline_owner(obj)
            if sentence and owner is not None:
                refused.setdefault(owner["uid"], {})[key_of(obj)[1]] = sentence
        self._world.touch_these(self._refusals.replace(Topic.MACHINES, refused))

    async def _lose(self, task: Object, why: str, now: Moment) -> str:
        """Writes that it is lost, unless its runner has written meanwhile: then it is looked at again. The refusal."""
        content = {
            "metadata": {"uid": uid_of(task), "resourceVersion": task["metadata"]["resourceVersion"]},
            "status": {
                "phase": TaskPhase.LOST.value,
                "message": why,
                "finishedAt": now.clock.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        }
        try:
            written = await self._client.patch(REMOTE_TASKS, key_of(task), content, "status")
        except ApiError as error:
            if error.is_refused:
                return f"{'/'.join(key_of(task))} is lost, which cannot be written: {error}"
            if not (error.is_conflict or error.is_missing):
                raise
        else:
            logger.warning("%s is lost: %s", "/".join(key_of(task)), why)
            self._world.remote_tasks.put(written)
        return ""

    def _wanted_leases(self) -> Iterator[tuple[Object, Object]]:
        """Runner pools and live RemoteTasks that have no Lease, and the Lease each is to have."""
        for obj in self._world.pools:
            namespace, name = key_of(obj)
            if (
                self._hearing.runner_pool(obj) is not None
                and self._world.leases.get((namespace, RUNNER + name)) is None
            ):
                yield obj, pool_lease(obj["metadata"])
        for obj in self._world.remote_tasks:
            is_live = is_live_task(obj) and not is_going(obj)
            if is_live and self._world.leases.get(key_of(obj)) is None and POOL in labels(obj):
                yield obj, task_lease(obj["metadata"], labels(obj)[POOL])

    async def _make(self, lease: Object) -> str:
        """Creates a Lease; the refusal, which its pool says as well."""
        fault = ""
        try:
            self._world.leases.put(await self._client.create(LEASES, lease))
        except ApiError as error:
            if error.is_refused:
                fault = f"Lease {lease['metadata']['name']} cannot be made: {error}"
            elif not (error.is_conflict or error.is_missing):
                raise
            else:
                # Of an owner of that name that is gone, and soon gone itself; or the watch has not told of it yet.
                logger.debug("Lease %s not made yet: %s", lease["metadata"]["name"], error)
        self._hearing.note_lease(key_of(lease), fault)
        return fault
