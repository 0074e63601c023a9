"""What is heard of machines outside the cluster: by the Leases that they renew, and by nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from ringrift_core.contract import read
from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.api.pool import PoolType, WorkerPool
from ringrift_operator.api.remotetask import RemoteTaskStatus
from ringrift_operator.builders.lease import RUNNER
from ringrift_operator.domain.handshake import CONTRACT_ANNOTATION, VERSION_ANNOTATION, unfit
from ringrift_operator.domain.labels import POOL
from ringrift_operator.domain.reasons import PoolReason
from ringrift_operator.domain.silence import LOST_SECONDS, Heard, Moment, TaskSeen
from ringrift_operator.kube.parsed import Parsed, UnreadableError
from ringrift_operator.kube.resource import Key, Object, is_going, is_owned_by, key_of, uid_of
from ringrift_operator.kube.watch import SERVER_TIMEOUT_SECONDS
from ringrift_operator.kube.world import World, labels

logger = logging.getLogger(__name__)

DEAF_SECONDS = SERVER_TIMEOUT_SECONDS + 2.0
"""A watch that has told nothing for so long hears nothing: the API server ends each after its time-out."""


@dataclass(frozen=True, slots=True)
class Presence:
    """The machine behind a Runner pool."""

    reason: PoolReason
    message: str
    last_heard: Moment | None = None
    """None when nobody has ever taken the pool."""

    @property
    def is_online(self) -> bool:
        return self.reason == PoolReason.RUNNER_ONLINE

    @property
    def may_come_back(self) -> bool:
        """Whether it takes tasks once it is heard of again."""
        return self.reason in (PoolReason.RUNNER_ONLINE, PoolReason.RUNNER_OFFLINE)

    @property
    def offline_since(self) -> datetime | None:
        return None if self.is_online or self.last_heard is None else self.last_heard.clock


NOBODY = Presence(PoolReason.RUNNER_OFFLINE, "no runner has taken this pool: start `ringrift-runner` on its machine")


def presence(holder: str, annotations: dict[str, str], heard: Heard, now: Moment) -> Presence:
    """Of a pool that somebody has taken at some time; no holder means that the runner has given it back."""
    since = heard.at.clock.strftime("%H:%M:%S UTC")
    if not holder:
        return Presence(PoolReason.RUNNER_OFFLINE, f"its runner has stopped at {since}", heard.at)
    if heard.at.is_past(now):
        return Presence(PoolReason.RUNNER_OFFLINE, f"{holder} has been silent since {since}", heard.at)
    fault = unfit(annotations.get(CONTRACT_ANNOTATION, ""), annotations.get(VERSION_ANNOTATION, ""))
    return Presence(*(fault or (PoolReason.RUNNER_ONLINE, f"{holder} takes tasks")), heard.at)


class Ears:
    """A clock that runs only while we could hear somebody, so that an API server that is away makes nobody silent."""

    def __init__(self, silence: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        """`silence` is for how many seconds the API server has told nothing at all."""
        self._silence, self._clock = silence, clock
        self._read_at, self._listened = clock(), 0.0

    def now(self) -> Moment:
        read_at = self._clock()
        if self._silence() < DEAF_SECONDS:
            self._listened += read_at - self._read_at
        self._read_at = read_at
        return Moment(self._listened, datetime.now(UTC))


class Hearing:
    """Knows which Runner pools are online, and which RemoteTasks nobody renews any more."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._parsed = Parsed(WorkerPool)
        self._renewed: dict[str, Heard] = {}
        """By a Lease's UID."""
        self._seen: dict[str, TaskSeen] = {}
        """By a RemoteTask's UID."""
        self._presences: dict[str, Presence] = {}
        """By a Runner pool's UID."""
        self._now = Moment(0.0, datetime.now(UTC))
        """When it last heard."""
        self._unmade: dict[Key, str] = {}
        """Why a Lease cannot be made, by its namespace and name."""

    def note_lease(self, lease: Key, fault: str) -> None:
        """Whether the Lease could be made when it was last tried: why not, or nothing."""
        if fault:
            self._unmade[lease] = fault
        else:
            self._unmade.pop(lease, None)

    def presence(self, pool: Object) -> Presence:
        return self._presences.get(uid_of(pool), NOBODY)

    def seen(self, task: str, status: RemoteTaskStatus) -> TaskSeen:
        """A RemoteTask, by its UID, as it has come along, this status included: what tells of it is looked at before
        the next time that it hears, and maybe not again."""
        return self._along(task, status, self._now)

    def _along(self, task: str, status: RemoteTaskStatus, now: Moment) -> TaskSeen:
        before = self._seen.get(task)
        return before.again(status, now) if before else TaskSeen.first(status, now)

    def hear(self, now: Moment) -> list[tuple[Object, str]]:
        """Takes what is new; the RemoteTasks that are lost, each with a sentence that says why."""
        self._now = now
        pools = {key_of(obj): pool for obj in self._world.pools if (pool := self.runner_pool(obj)) is not None}
        self._take_leases(pools, now)
        before, self._presences = (
            self._presences,
            {pool.metadata.uid or "": self._presence(key, now) for key, pool in pools.items()},
        )
        for key, pool in pools.items():
            uid = pool.metadata.uid or ""
            if self._presences[uid].reason != before.get(uid, NOBODY).reason:
                logger.info("pool %s: %s", "/".join(key), self._presences[uid].message)
                self._world.touch_namespace(key[0])
        return list(self._lost(pools, now))

    def runner_pool(self, obj: Object) -> WorkerPool | None:
        """The pool, if it is one of a machine outside, and stays."""
        try:
            pool = self._parsed.of(obj)
        except UnreadableError:  # its status says so
            return None
        return pool if pool.spec.type == PoolType.RUNNER and not is_going(obj) else None

    def _take_leases(self, pools: dict[Key, WorkerPool], now: Moment) -> None:
        found: dict[str, Heard] = {}
        for obj in self._world.leases:
            spec = obj.get("spec", {})
            words = f"{spec.get('holderIdentity', '')} {spec.get('renewTime', '')}"
            before = self._renewed.get(uid_of(obj))
            found[uid_of(obj)] = before.again(words, now) if before else Heard(words, self._first(obj, pools, now))
        self._renewed = found

    def _first(self, obj: Object, pools: dict[Key, WorkerPool], now: Moment) -> Moment:
        """Since when the words of a Lease are the same that we see for the first time: nobody knows. A pool that was
        online before we began to listen gets time to be heard of; one that was not has been silent all along."""
        namespace, name = key_of(obj)
        pool = pools.get((namespace, name.removeprefix(RUNNER)))
        if pool is None or not name.startswith(RUNNER) or pool.status.online:
            return now
        ready = next((each for each in pool.status.conditions if each.type == ConditionType.READY), None)
        is_known = ready is not None and ready.status == ConditionStatus.FALSE
        return Moment.long_ago(ready.last_transition_time if ready is not None and is_known else now.clock)

    def _presence(self, pool: Key, now: Moment) -> Presence:
        lease = (pool[0], RUNNER + pool[1])
        found = self._world.leases.get(lease)
        if found is None and (fault := self._unmade.get(lease)):
            return Presence(PoolReason.RUNNER_OFFLINE, f"{fault}: no runner can take this pool before it is made")
        if found is None or "renewTime" not in found.get("spec", {}):
            return NOBODY
        holder = found["spec"].get("holderIdentity", "")
        annotations = found["metadata"].get("annotations", {})
        return presence(holder, annotations, self._renewed[uid_of(found)], now)

    def _lost(self, pools: dict[Key, WorkerPool], now: Moment) -> Iterator[tuple[Object, str]]:
        seen: dict[str, TaskSeen] = {}
        for obj in self._world.remote_tasks:
            try:
                status = read(RemoteTaskStatus, obj.get("status", {}))
            except ValidationError:  # its pipeline says so
                continue
            seen[uid_of(obj)] = task = self._along(uid_of(obj), status, now)
            name = labels(obj).get(POOL, "")
            pool = pools.get((key_of(obj)[0], name))
            known = self._presences.get(pool.metadata.uid or "") if pool is not None else None
            runner = known.last_heard if known is not None and known.may_come_back else None
            if not is_going(obj) and task.is_lost(status, runner, self._renewal(obj), now):
                who = status.holder or f"the runner of pool {name}"
                silent = f"{who} has been silent for more than {LOST_SECONDS:.0f} s"
                yield obj, silent if pool is not None else f"there is no Runner pool {name} any more"
        self._seen = seen

    def _renewal(self, task: Object) -> Moment | None:
        """When its Lease was last renewed, if that is its own."""
        found = self._world.leases.get(key_of(task))
        return self._renewed[uid_of(found)].at if found is not None and is_owned_by(found, uid_of(task)) else None
