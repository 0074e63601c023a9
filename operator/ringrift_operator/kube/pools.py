"""The pools' status: whether there is a machine behind each, and how much of it is taken."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import ValidationError

from ringrift_core.contract import read
from ringrift_operator.api.conditions import Condition, ConditionStatus, ConditionType
from ringrift_operator.api.pool import PoolType, SlotStatus, WorkerPool, WorkerPoolStatus
from ringrift_operator.domain.labels import identity_from
from ringrift_operator.domain.reasons import PoolReason
from ringrift_operator.domain.snapshot import PoolObservation
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, words_of
from ringrift_operator.kube.hearing import Hearing
from ringrift_operator.kube.parsed import Parsed, UnreadableError
from ringrift_operator.kube.refusals import Refusals, Topic
from ringrift_operator.kube.resource import NODES, POOLS, Key, Object, is_going, key_of, uid_of
from ringrift_operator.kube.tasks import is_live_task, job_phase
from ringrift_operator.kube.world import World, labels

logger = logging.getLogger(__name__)

NODES_SECONDS = 30.0
REPORT_SECONDS = 1.0
MESSAGE_LENGTH = 1024

READY = frozenset({PoolReason.NODES_MATCH, PoolReason.NODES_NOT_VISIBLE, PoolReason.RUNNER_ONLINE})
"""Reasons of a pool that has machines, as far as one can see."""


class Pools:
    """Watches over the pools of all namespaces; `online` is what the rest of the operator asks."""

    def __init__(self, client: Client, world: World, hearing: Hearing, refusals: Refusals) -> None:
        self._client, self._world, self._hearing, self._refusals = client, world, hearing, refusals
        self._parsed = Parsed(WorkerPool)
        self._nodes: list[Mapping[str, str]] | None = None
        """Labels of the ready nodes; None when we may not see nodes, or not yet."""

    def observations(self, namespace: str) -> tuple[PoolObservation, ...]:
        """The pools of a namespace that can be read, by name.

        Where nodes cannot be seen, Cluster pools are taken at their word.
        """
        pools = ((obj, self._read(obj)) for obj in self._there(namespace))
        return tuple(self._observation(obj, pool) for obj, pool in pools if pool is not None)

    def unread(self, namespace: str) -> tuple[str, ...]:
        """Names of those that cannot; their status says why."""
        return tuple(key_of(obj)[1] for obj in self._there(namespace) if self._read(obj) is None)

    def _there(self, namespace: str) -> list[Object]:
        return sorted((obj for obj in self._world.pools.group(namespace) if not is_going(obj)), key=key_of)

    def _read(self, obj: Object) -> WorkerPool | None:
        try:
            return self._parsed.of(obj)
        except UnreadableError:
            return None

    def _observation(self, obj: Object, pool: WorkerPool) -> PoolObservation:
        if pool.spec.type == PoolType.CLUSTER:
            is_online, offline_since = self._nodes is None or self._matching(pool) > 0, None
        else:
            presence = self._hearing.presence(obj)
            is_online, offline_since = presence.is_online, presence.offline_since
        return PoolObservation(pool.metadata.name, pool.spec, pool.metadata.labels, is_online, offline_since)

    async def look(self) -> None:
        """Reads which nodes are ready."""
        try:
            self._nodes = [labels(node) for node in await self._client.items(NODES) if _is_ready(node)]
        except ApiError as error:
            if error.status != 403:
                raise
            logger.debug("nodes cannot be listed, so Cluster pools count as online: %s", error.message)
            self._nodes = None

    async def run(self) -> None:
        """Looks at nodes now and then, and writes the statuses that changed, for ever."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            try:
                if loop.time() - looked > NODES_SECONDS:
                    await self.look()
                    looked = loop.time()
                refused = await self._report()
            except EXPECTED as error:
                refused = words_of(error)
            if refused:
                logger.warning("pools not reported, again later: %s", refused)
                await asyncio.sleep(5)
            await asyncio.sleep(REPORT_SECONDS)

    def forget(self) -> None:
        """Drops what is kept of pools that are gone."""
        self._parsed.keep({uid_of(obj) for obj in self._world.pools})

    async def _report(self) -> str:
        """Writes what changed; one that is refused does not keep the others from theirs. The refusals in a sentence."""
        busy = self._busy()
        refused: dict[Key, str] = {}
        for obj in list(self._world.pools):
            before, status = self._status(obj, busy)
            if status == before:
                continue
            namespace, name = key_of(obj)
            metadata = {name: obj["metadata"][name] for name in ("namespace", "name", "uid", "resourceVersion")}
            try:
                self._world.pools.put(await self._client.apply_status(POOLS, "WorkerPool", metadata, status))
            except ApiError as error:
                if error.is_missing:
                    self._world.pools.drop(obj)
                elif error.is_conflict:
                    logger.debug("%s/%s has changed meanwhile: again later", namespace, name)
                else:
                    refused[namespace, name] = str(error)
        self._tell(refused)
        return "; ".join(f"{namespace}/{name}: {said}" for (namespace, name), said in refused.items())

    def _tell(self, refused: dict[Key, str]) -> None:
        """To the pipelines of the namespace, since the pools themselves cannot say it."""
        told: dict[str, dict[str, str]] = {}
        for (namespace, name), said in refused.items():
            for pipeline in self._world.pipelines.group(namespace):
                told.setdefault(uid_of(pipeline), {})[name] = (
                    f"the status of WorkerPool {name} cannot be written: {said}"
                )
        self._world.touch_these(self._refusals.replace(Topic.POOLS, told))

    def _status(self, obj: Object, busy: Counter[tuple[Key, str]]) -> tuple[WorkerPoolStatus | None, WorkerPoolStatus]:
        """The status there is, and the one there should be."""
        try:
            pool = self._parsed.of(obj)
        except UnreadableError as error:
            return unreadable_status(obj, error.fault, datetime.now(UTC))
        return pool.status, pool_status(pool, busy, *self._readiness(obj, pool), datetime.now(UTC))

    def _busy(self) -> Counter[tuple[Key, str]]:
        """Slots taken by live Jobs, JobSets and RemoteTasks, by pool and slot."""
        busy: Counter[tuple[Key, str]] = Counter()
        live = [job for job in self._world.on_nodes if job_phase(job).is_live]
        live += [task for task in self._world.remote_tasks if is_live_task(task)]
        for child in live:
            identity = identity_from(labels(child))
            if identity is not None and identity.pool:
                busy[(key_of(child)[0], identity.pool), identity.slot] += identity.parallelism
        return busy

    def _readiness(self, obj: Object, pool: WorkerPool) -> tuple[PoolReason, str]:
        """Why the pool is ready or not, in a word and in a sentence."""
        if pool.spec.suspend:
            return PoolReason.SUSPENDED, "spec.suspend is true: it gets nothing new"
        if pool.spec.type == PoolType.RUNNER:
            presence = self._hearing.presence(obj)
            return presence.reason, presence.message
        if self._nodes is None:
            return PoolReason.NODES_NOT_VISIBLE, "the operator may not list nodes and assumes that some match"
        if matching := self._matching(pool):
            return PoolReason.NODES_MATCH, f"{matching} ready node{'s' if matching > 1 else ''}"
        wanted = ", ".join(f"{name}={value}" for name, value in self._selector(pool).items()) or "any labels"
        return PoolReason.NO_NODE, f"no ready node with {wanted}: tasks wait until there is one"

    def _matching(self, pool: WorkerPool) -> int:
        wanted = self._selector(pool).items()
        return sum(wanted <= node.items() for node in self._nodes or ())

    @staticmethod
    def _selector(pool: WorkerPool) -> dict[str, str]:
        return pool.spec.pod_template.node_selector if pool.spec.pod_template else {}


def pool_status(
    pool: WorkerPool, busy: Counter[tuple[Key, str]], reason: PoolReason, message: str, now: datetime
) -> WorkerPoolStatus:
    """The status as it should be; equal to the one there is when nothing changed."""
    key = (pool.metadata.namespace or "", pool.metadata.name)
    slots = tuple(SlotStatus(name=slot.name, busy=busy[key, slot.name], count=slot.count) for slot in pool.spec.slots)
    generation = pool.metadata.generation
    return WorkerPoolStatus(
        observed_generation=generation,
        online=reason in READY,
        busy=sum(slot.busy for slot in slots),
        capacity=sum(slot.count for slot in slots),
        slots=slots,
        conditions=(_condition(pool.status, generation, reason, message, now),),
    )


def unreadable_status(obj: Object, fault: str, now: datetime) -> tuple[WorkerPoolStatus | None, WorkerPoolStatus]:
    """Of a pool that cannot be read: the status there is, if that can be read, and the one there should be."""
    try:
        before = read(WorkerPoolStatus, obj.get("status", {}))
    except ValidationError:
        before = None
    generation = obj["metadata"].get("generation")
    message = f"{fault}: mend it, or run an operator that knows it; until then the pool gets nothing"
    condition = _condition(before, generation, PoolReason.UNREADABLE, message, now)
    return before, WorkerPoolStatus(observed_generation=generation, conditions=(condition,))


def _condition(
    status: WorkerPoolStatus | None, generation: int | None, reason: PoolReason, message: str, now: datetime
) -> Condition:
    """Ready, or why not; its time changes only when the answer does."""
    value = ConditionStatus.TRUE if reason in READY else ConditionStatus.FALSE
    conditions = status.conditions if status is not None else ()
    before = next((each for each in conditions if each.type == ConditionType.READY), None)
    is_new = before is None or before.status != value
    since = now.replace(microsecond=0) if before is None or is_new else before.last_transition_time
    return Condition(
        type=ConditionType.READY,
        status=value,
        reason=reason,
        message=message[:MESSAGE_LENGTH],
        observed_generation=generation,
        last_transition_time=since,
    )


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
