"""The fence: Leases that one operator holds, one in each namespace looked after. Who loses one must stop at once, and
writes ask first.

As client-go's leader election, but freshness is judged by our own monotonic clock since the record last changed,
so the clocks of two machines may differ.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ringrift_operator.kube.client import EXPECTED, ApiError, Client, words_of
from ringrift_operator.kube.resource import LEASES, Key, Object

logger = logging.getLogger(__name__)

LEASE = "ringrift-namespace"
"""Name of the Lease in each namespace that is looked after, whatever the release: the chart makes it."""
RELEASED_0_1_0 = "ringrift-operator"
"""Name of the one Lease of 0.1.0, beside the operator: held too where it is there, or both would act in an upgrade."""
RELEASE_ANNOTATION = "ringrift.ai/release"
"""On a Lease: namespace and name of the release whose operator holds it, or held it last."""

DURATION_SECONDS = 15
"""A Lease not renewed for so long is free."""
RENEW_SECONDS = 3
DEADLINE_SECONDS = 10
"""Who could not renew for so long must not write, nor wait for the answer to a write: the rest of the duration is for
what is on its way."""
MICRO_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
"""How a Lease writes times."""
COLLISIONS = 5
"""Writes of others between our read and our write of the Lease, one after the other; somebody may annotate it."""


class LeaseLostError(Exception):
    """Another operator holds the Lease."""


class Fence:
    """Holds the Lease `key` under the name `identity`, for a release; where that is a word at all.

    One that `may_lack` is held as long as there is none. Otherwise it is created, by whoever may.
    """

    def __init__(
        self,
        key: Key,
        identity: str,
        release: str = "",
        *,
        may_lack: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`clock` is what the Lease shows; nobody goes by it."""
        self.key, self.identity, self._release, self._may_lack = key, identity, release, may_lack
        self._clock = clock
        self._renewed: float | None = None
        self._seen: tuple[str, float] = ("", 0.0)  # the record as last read, and when it last changed

    @property
    def seconds_left(self) -> float:
        """For how long we may write; 0 from the start until `acquire`, and after ten seconds without a renewal."""
        if self._renewed is None:
            return 0.0
        return max(0.0, self.deadline - (time.monotonic() - self._renewed))

    @property
    def deadline(self) -> float:
        """Who could not renew for so long must not act."""
        return DEADLINE_SECONDS

    @property
    def duration(self) -> int:
        """A Lease not renewed for so long is free."""
        return DURATION_SECONDS

    async def renew(self, client: Client) -> None:
        """Once; LeaseLostError when another has it.

        While the API server is away nothing is written, and nobody else can take the Lease: that is waited out.
        """
        try:
            other = await self.take(client)
        except EXPECTED as error:
            logger.warning("Lease %s not renewed: %s", "/".join(self.key), words_of(error))
            return
        if other:
            self._renewed = None
            raise LeaseLostError(other)

    async def release(self, client: Client) -> None:
        """Lets the next operator in without a wait; best effort."""
        self._renewed = None
        try:
            lease = await client.get(LEASES, self.key)
            if lease is not None and lease.get("spec", {}).get("holderIdentity") == self.identity:
                lease["spec"]["holderIdentity"] = ""
                await client.replace(LEASES, lease)
        except EXPECTED as error:
            logger.info("Lease %s not released: %s", "/".join(self.key), words_of(error))

    async def take(self, client: Client) -> str:
        """Takes or renews the Lease; a sentence about who has it when it is not ours to take."""
        for collision in range(COLLISIONS):
            asked = time.monotonic()
            lease = await client.get(LEASES, self.key)
            try:
                if lease is None and self._may_lack:
                    pass
                elif lease is None:
                    if missing := await self._make(client):
                        return missing
                else:
                    holder = self._fresh_holder(lease)
                    if holder not in ("", self.identity):
                        return self._held_by(lease, holder)
                    await client.replace(LEASES, self._record(lease))
            except ApiError as error:
                # Whoever wrote between our read and our write need not have taken it: look again.
                if not error.is_conflict or collision == COLLISIONS - 1:
                    raise
            else:
                self._renewed = asked
                return ""
        raise AssertionError("the last collision was raised")

    async def _make(self, client: Client) -> str:
        """Creates the Lease, ours from the start; a sentence when that is not for us to do."""
        await client.create(LEASES, self._record({"metadata": {}, "spec": {}}))
        return ""

    def _fresh_holder(self, lease: Object) -> str:
        """Who holds it; nobody when its record has not changed for its duration by our clock."""
        spec = lease.get("spec", {})  # the chart makes an empty one
        record = f"{spec.get('holderIdentity')} {spec.get('renewTime')}"
        now = time.monotonic()
        if record != self._seen[0]:
            self._seen = (record, now)
        holder: str = spec.get("holderIdentity") or ""
        if now - self._seen[1] > spec.get("leaseDurationSeconds", self.duration):
            return ""
        return holder

    def _held_by(self, lease: Object, holder: str) -> str:
        release = lease["metadata"].get("annotations", {}).get(RELEASE_ANNOTATION, "")
        if release in ("", self._release):
            return f"Lease {'/'.join(self.key)} is held by {holder}"
        return (
            f"namespace {self.key[0]} is looked after by release {release} (Lease {self.key[1]} is held by {holder}): "
            "uninstall one of the two releases, or take the namespace out of its `namespaces`"
        )

    def _record(self, lease: Object) -> Object:
        """The Lease as it should be, from what it was."""
        now = self._clock().strftime(MICRO_TIME)
        namespace, name = self.key
        was = lease.get("spec", {})
        ours = was.get("holderIdentity") == self.identity
        return {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": {**lease["metadata"], "namespace": namespace, "name": name, **self._annotated(lease)},
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": self.duration,
                "acquireTime": was["acquireTime"] if ours else now,
                "renewTime": now,
                "leaseTransitions": was.get("leaseTransitions", 0) + (bool(was) and not ours),
            },
        }

    def _annotated(self, lease: Object) -> Object:
        told = self.annotations
        return {"annotations": {**lease["metadata"].get("annotations", {}), **told}} if told else {}

    @property
    def annotations(self) -> dict[str, str]:
        """What the holder says of itself."""
        return {RELEASE_ANNOTATION: self._release} if self._release else {}


class Fences:
    """Several Leases as one: all are held, or nothing is written."""

    def __init__(self, fences: Sequence[Fence]) -> None:
        # In one order for all: two operators that want the same never wait for each other.
        self._fences = sorted(fences, key=lambda fence: fence.key)

    @classmethod
    def of(cls, namespaces: Sequence[str], beside: str, identity: str, release: str) -> Fences:
        """One Lease in each namespace, or, of an operator that looks after all, one beside it; and 0.1.0's."""
        fences = [Fence((namespace, LEASE), identity, release) for namespace in namespaces or (beside,)]
        return cls([*fences, Fence((beside, RELEASED_0_1_0), identity, release, may_lack=True)])

    @property
    def seconds_left(self) -> float:
        """For how long we may write."""
        return min(fence.seconds_left for fence in self._fences)

    async def acquire(self, client: Client) -> None:
        """Waits until all are ours; what is ours already is renewed meanwhile."""
        told = ""
        while other := await self._take_all(client):
            if other != told:
                logger.warning("waiting: %s", other)
                told = other
            await asyncio.sleep(RENEW_SECONDS / 3)
        places = ", ".join("/".join(fence.key) for fence in self._fences)
        logger.info("holding Lease %s as %s", places, self._fences[0].identity)

    async def keep(self, client: Client) -> None:
        """Renews for ever; LeaseLostError when another has one."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await asyncio.gather(*(fence.renew(client) for fence in self._fences))

    async def release(self, client: Client) -> None:
        """Lets the next operator in without a wait; best effort."""
        await asyncio.gather(*(fence.release(client) for fence in self._fences))

    async def _take_all(self, client: Client) -> str:
        """Who has the first that is not ours, in a sentence; nothing when all are."""
        for fence in self._fences:
            if other := await fence.take(client):
                return other
        return ""
