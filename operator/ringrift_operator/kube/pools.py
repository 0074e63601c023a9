"""The pools' status: whether there is a machine behind each, and how much of it is taken."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import ValidationError

from ringrift_operator.api.conditions import Condition, ConditionStatus, ConditionType
from ringrift_operator.api.pool import PoolType, SlotStatus, WorkerPool, WorkerPoolStatus
from ringrift_operator.domain.labels import identity_from
from ringrift_operator.domain.reasons import PoolReason
from ringrift_operator.domain.snapshot import PoolObservation
from ringrift_operator.kube.client import EXPECTED, ApiError, Client
from ringrift_operator.kube.parsed import Parsed
from ringrift_operator.kube.resource import NODES, POOLS, Key, Object, is_going, key_of, uid_of
from ringrift_operator.kube.tasks import job_phase
from ringrift_operator.kube.world import World, labels

logger = logging.getLogger(__name__)

NODES_SECONDS = 30.0
REPORT_SECONDS = 1.0


class Pools:
    """Watches over the pools of all namespaces; `online` is what the rest of the operator asks."""

    def __init__(self, client: Client, world: World) -> None:
        self._client, self._world = client, world
        self._parsed = Parsed(WorkerPool)
        self._nodes: list[Mapping[str, str]] | None = None
        """Labels of the ready nodes; None when we may not see nodes, or not yet."""

    def observations(self, namespace: str) -> tuple[PoolObservation, ...]:
        """The pools of a namespace, by name. Where nodes cannot be seen, Cluster pools are taken at their word."""
        pools = [self._parsed.of(obj) for obj in self._world.pools.group(namespace) if not is_going(obj)]
        return tuple(
            PoolObservation(pool.metadata.name, pool.spec, pool.metadata.labels, self._is_online(pool))
            for pool in sorted(pools, key=lambda pool: pool.metadata.name)
        )

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
                await self._report()
            except (*EXPECTED, ValidationError) as error:
                logger.warning("pools not reported, again later: %s", error or type(error).__name__)
                await asyncio.sleep(5)
            await asyncio.sleep(REPORT_SECONDS)

    def forget(self) -> None:
        """Drops what is kept of pools that are gone."""
        self._parsed.keep({uid_of(obj) for obj in self._world.pools})

    def _is_online(self, pool: WorkerPool) -> bool:
        if pool.spec.type == PoolType.RUNNER:
            return False  # runners come with a later issue
        return self._nodes is None or self._matching(pool) > 0

    async def _report(self) -> None:
        busy = self._busy()
        for obj in list(self._world.pools):
            pool = self._parsed.of(obj)
            status = pool_status(pool, busy, *self._readiness(pool), datetime.now(UTC))
            if status == pool.status:
                continue
            namespace, name = key_of(obj)
            metadata = {"namespace": namespace, "name": name, "uid": uid_of(obj)}
            try:
                self._world.pools.put(await self._client.apply_status(POOLS, "WorkerPool", metadata, status))
            except ApiError as error:
                if not error.is_missing:
                    raise
                self._world.pools.drop(obj)

    def _busy(self) -> Counter[tuple[Key, str]]:
        """Slots taken by live Jobs and RemoteTasks, by pool and slot."""
        busy: Counter[tuple[Key, str]] = Counter()
        live = [job for job in self._world.jobs if job_phase(job).is_live]
        live += [task for task in self._world.remote_tasks if "finishedAt" not in task.get("status", {})]
        for child in live:
            identity = identity_from(labels(child))
            if identity is not None and identity.pool:
                busy[(key_of(child)[0], identity.pool), identity.slot] += identity.parallelism
        return busy

    def _readiness(self, pool: WorkerPool) -> tuple[bool, PoolReason, str]:
        """Whether the pool is ready, why in a word, and in a sentence."""
        if pool.spec.suspend:
            return False, PoolReason.SUSPENDED, "spec.suspend is true: it gets nothing new"
        if pool.spec.type == PoolType.RUNNER:
            return False, PoolReason.RUNNER_OFFLINE, "no runner has taken this pool"
        if self._nodes is None:
            return True, PoolReason.NODES_NOT_VISIBLE, "the operator may not list nodes and assumes that some match"
        if matching := self._matching(pool):
            return True, PoolReason.NODES_MATCH, f"{matching} ready node{'s' if matching > 1 else ''}"
        wanted = ", ".join(f"{name}={value}" for name, value in self._selector(pool).items()) or "any labels"
        return False, PoolReason.NO_NODE, f"no ready node with {wanted}: tasks wait until there is one"

    def _matching(self, pool: WorkerPool) -> int:
        wanted = self._selector(pool).items()
        return sum(wanted <= node.items() for node in self._nodes or ())

    @staticmethod
    def _selector(pool: WorkerPool) -> dict[str, str]:
        return pool.spec.pod_template.node_selector if pool.spec.pod_template else {}


def pool_status(
    pool: WorkerPool, busy: Counter[tuple[Key, str]], ready: bool, reason: PoolReason, message: str, now: datetime
) -> WorkerPoolStatus:
    """The status as it should be; equal to the one there is when nothing changed."""
    key = (pool.metadata.namespace or "", pool.metadata.name)
    slots = tuple(SlotStatus(name=slot.name, busy=busy[key, slot.name], count=slot.count) for slot in pool.spec.slots)
    status = ConditionStatus.TRUE if ready else ConditionStatus.FALSE
    before = next((each for each in pool.status.conditions if each.type == ConditionType.READY), None)
    condition = Condition(
        type=ConditionType.READY,
        status=status,
        reason=reason.value,
        message=message,
        observed_generation=pool.metadata.generation,
        last_transition_time=(
            before.last_transition_time if before and before.status == status else now.replace(microsecond=0)
        ),
    )
    return WorkerPoolStatus(
        observed_generation=pool.metadata.generation,
        online=reason in (PoolReason.NODES_MATCH, PoolReason.NODES_NOT_VISIBLE),
        busy=sum(slot.busy for slot in slots),
        capacity=sum(slot.count for slot in slots),
        slots=slots,
        conditions=(condition,),
    )


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
