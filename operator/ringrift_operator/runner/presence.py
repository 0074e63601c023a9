"""How a runner says that it lives: it renews its pool's Lease, and one of each task that it works on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from importlib.metadata import version

from ringrift_core.contract import CONTRACT_VERSION
from ringrift_operator.builders.lease import RUNNER, SECONDS
from ringrift_operator.domain.handshake import CONTRACT_ANNOTATION, VERSION_ANNOTATION
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, LoginError, words_of
from ringrift_operator.kube.lease import MICRO_TIME, Fence
from ringrift_operator.kube.resource import LEASES, Key, Object
from ringrift_operator.runner.settings import Settings

logger = logging.getLogger(__name__)


class Presence(Fence):
    """The pool's Lease: who holds it, alone takes tasks. Our version stands in it."""

    def __init__(self, settings: Settings, namespace: str) -> None:
        super().__init__((namespace, RUNNER + settings.pool), settings.identity(), clock=settings.clock)
        self._pool, self._pace = settings.pool, settings.pace
        self._told: str | None = None

    @property
    def deadline(self) -> float:
        return float(self.duration)

    @property
    def duration(self) -> int:
        return SECONDS

    @property
    def annotations(self) -> dict[str, str]:
        return {CONTRACT_ANNOTATION: CONTRACT_VERSION, VERSION_ANNOTATION: version("ringrift-operator")}

    async def keep(self, client: Client, working: Collection[Key]) -> None:
        """Renews, for ever, the pool's Lease and those of the tasks in `working`."""
        while True:
            went_well = await self._beat(client, working)
            await asyncio.sleep(self._pace.heartbeat if went_well else self._pace.heartbeat / 5)

    async def show(self, client: Client, task: Key) -> None:
        """Renews the Lease of a task."""
        now = self._clock().strftime(MICRO_TIME)
        try:
            await client.patch(LEASES, task, {"spec": {"holderIdentity": self.identity, "renewTime": now}})
        except ApiError as error:
            if not error.is_missing:  # not made yet, or gone with its task
                raise

    async def _beat(self, client: Client, working: Collection[Key]) -> bool:
        """Once; whether all went well."""
        why = ""
        try:
            said = await self.take(client)
            await asyncio.gather(*(self.show(client, task) for task in tuple(working)))
        except (*EXPECTED, LoginError) as error:
            said = f"the API server cannot be told that pool {self._pool} is here"
            why = f": {words_of(error)}"  # its words alternate: that is no news
        if said != self._told:
            level = logging.WARNING if said else logging.INFO
            logger.log(level, "%s%s", said or f"holding pool {self._pool}", why)
            self._told = said
        return not said

    async def _make(self, client: Client) -> str:  # noqa: ARG002 - the operator makes it
        return f"there is no Lease of pool {self._pool} yet: is there such a Runner pool, and does the operator run?"

    def _held_by(self, lease: Object, holder: str) -> str:  # noqa: ARG002
        self._renewed = None
        return (
            f"pool {self._pool} is held by the runner {holder}: stop that one, or give this machine a pool of its own; "
            "waiting"
        )
