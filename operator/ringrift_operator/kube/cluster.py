"""Which cluster this is: stores are claimed in its name, and pipelines say it where nobody may know."""

from __future__ import annotations

import asyncio
import logging

from ringrift_operator.kube.client import EXPECTED, ApiError, Client, words_of
from ringrift_operator.kube.refusals import Refusals, Topic
from ringrift_operator.kube.resource import NAMESPACES, uid_of
from ringrift_operator.kube.world import World

logger = logging.getLogger(__name__)

KUBE_SYSTEM = "kube-system"
"""A namespace that every cluster has, with a UID of its own, for as long as it lives."""

LOOK_SECONDS = 5.0

_UNCLAIMED = (
    "the store is not claimed, so another cluster may train in it too: {}; what is adopted until then is claimed only "
    "by a pipeline that is made anew"
)


class Cluster:
    """Its name is the UID of kube-system. Until that may be read stores stay unclaimed, and everything else goes on."""

    def __init__(self, client: Client, world: World, refusals: Refusals) -> None:
        self._client, self._world, self._refusals = client, world, refusals
        self.uid = ""
        """Empty while nobody knows."""
        self._unknown = ""
        """Why, and what to do."""

    async def look(self) -> None:
        """Reads the namespace; what keeps us from it for good is said."""
        try:
            namespace = await self._client.get(NAMESPACES, ("", KUBE_SYSTEM))
            self._unknown = "" if namespace else f"there is no namespace {KUBE_SYSTEM}: create it"
        except ApiError as error:
            if error.status != 403:
                raise
            namespace = None
            self._unknown = f"{error}: give the operator the rights that its chart gives"
        if namespace is not None:
            self.uid = uid_of(namespace)

    async def run(self) -> None:
        """Looks every few seconds until it knows, and has each pipeline say that it does not."""
        while not self.uid:
            self._tell()
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except EXPECTED as error:
                logger.warning("which cluster this is cannot be read, again later: %s", words_of(error))
        self._tell()

    def _tell(self) -> None:
        said = {KUBE_SYSTEM: _UNCLAIMED.format(self._unknown)} if self._unknown else {}
        refused = {uid_of(each): said for each in self._world.pipelines if said}
        self._world.touch_these(self._refusals.replace(Topic.CLUSTER, refused))
