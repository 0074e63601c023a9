"""The fence: a Lease that one operator holds. Who loses it must stop at once, and writes ask it first.

As client-go's leader election, but freshness is judged by our own monotonic clock since the record last changed,
so the clocks of two machines may differ.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

from ringrift_operator.kube.client import EXPECTED, ApiError, Client
from ringrift_operator.kube.resource import LEASES, Key, Object

logger = logging.getLogger(__name__)

DURATION_SECONDS = 15
"""A Lease not renewed for so long is free."""
RENEW_SECONDS = 3
DEADLINE_SECONDS = 10
"""Who could not renew for so long must not write, nor wait for the answer to a write: the rest of the duration is for
what is on its way."""
COLLISIONS = 5
"""Writes of others between our read and our write of the Lease, one after the other; somebody may annotate it."""


class LeaseLostError(Exception):
    """Another operator holds the Lease."""


class Fence:
    """Holds the Lease `key` under the name `identity`."""

    def __init__(self, key: Key, identity: str) -> None:
        self.key, self.identity = key, identity
        self._renewed: float | None = None
        self._seen: tuple[str, float] = ("", 0.0)  # the record as last read, and when it last changed

    @property
    def seconds_left(self) -> float:
        """For how long we may write; 0 from the start until `acquire`, and after ten seconds without a renewal."""
        if self._renewed is None:
            return 0.0
        return max(0.0, DEADLINE_SECONDS - (time.monotonic() - self._renewed))

    @property
    def is_held(self) -> bool:
        """Whether we may write now."""
        return self.seconds_left > 0

    async def acquire(self, client: Client) -> None:
        """Waits until the Lease is ours."""
        told = ""
        while True:
            holder = await self._try(client)
            if holder is None:
                logger.info("holding Lease %s as %s", "/".join(self.key), self.identity)
                return
            if holder != told:
                logger.info("waiting for Lease %s, held by %s", "/".join(self.key), holder)
                told = holder
            await asyncio.sleep(RENEW_SECONDS / 3)

    async def keep(self, client: Client) -> None:
        """Renews for ever; LeaseLostError when another has it.

        While the API server is away nothing is written, and nobody else can take the Lease: that is waited out.
        """
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                holder = await self._try(client)
            except EXPECTED as error:
                logger.warning("Lease %s not renewed: %s", "/".join(self.key), error or type(error).__name__)
                continue
            if holder is not None:
                self._renewed = None
                raise LeaseLostError(f"Lease {'/'.join(self.key)} is held by {holder}")

    async def release(self, client: Client) -> None:
        """Lets the next operator in without a wait; best effort."""
        self._renewed = None
        try:
            lease = await client.get(LEASES, self.key)
            if lease is not None and lease["spec"].get("holderIdentity") == self.identity:
                lease["spec"]["holderIdentity"] = ""
                await client.replace(LEASES, lease)
        except EXPECTED as error:
            logger.info("Lease %s not released: %s", "/".join(self.key), error)

    async def _try(self, client: Client) -> str | None:
        """Takes or renews the Lease; the other holder's name when it is not ours to take."""
        for collision in range(COLLISIONS):
            asked = time.monotonic()
            lease = await client.get(LEASES, self.key)
            try:
                if lease is None:
                    await client.create(LEASES, self._record({"metadata": {}, "spec": {}}))
                else:
                    holder = self._fresh_holder(lease)
                    if holder not in ("", self.identity):
                        return holder
                    await client.replace(LEASES, self._record(lease))
            except ApiError as error:
                # Whoever wrote between our read and our write need not have taken it: look again.
                if not error.is_conflict or collision == COLLISIONS - 1:
                    raise
            else:
                self._renewed = asked
                return None
        raise AssertionError("the last collision was raised")

    def _fresh_holder(self, lease: Object) -> str:
        """Who holds it; nobody when its record has not changed for its duration by our clock."""
        spec = lease["spec"]
        record = f"{spec.get('holderIdentity')} {spec.get('renewTime')}"
        now = time.monotonic()
        if record != self._seen[0]:
            self._seen = (record, now)
        holder: str = spec.get("holderIdentity") or ""
        if now - self._seen[1] > spec.get("leaseDurationSeconds", DURATION_SECONDS):
            return ""
        return holder

    def _record(self, lease: Object) -> Object:
        """The Lease as it should be, from what it was."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        namespace, name = self.key
        was = lease["spec"]
        ours = was.get("holderIdentity") == self.identity
        return {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": {**lease["metadata"], "namespace": namespace, "name": name},
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": DURATION_SECONDS,
                "acquireTime": was["acquireTime"] if ours else now,
                "renewTime": now,
                "leaseTransitions": was.get("leaseTransitions", 0) + (bool(was) and not ours),
            },
        }
