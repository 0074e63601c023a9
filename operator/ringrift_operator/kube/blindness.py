"""Says of every pipeline what the operator may not watch: until it may, it knows nothing of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from ringrift_operator.kube.client import EXPECTED, Client, words_of
from ringrift_operator.kube.refusals import Refusals, Topic
from ringrift_operator.kube.resource import PIPELINES, Object, uid_of
from ringrift_operator.kube.standstill import standstill
from ringrift_operator.kube.watch import Watch
from ringrift_operator.kube.world import World

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0


class Blindness:
    """Before the world is known pipelines stand still, since no pass looks at them; afterwards they are degraded."""

    def __init__(self, client: Client, world: World, refusals: Refusals, watches: Sequence[Watch]) -> None:
        self._client, self._world, self._refusals, self._watches = client, world, refusals, watches

    async def run(self, scopes: Sequence[str | None]) -> None:
        """Looks every few seconds, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            said = sorted({watch.refused for watch in self._watches if watch.refused})
            if all(watch.synced.is_set() for watch in self._watches):
                refused = {uid_of(each): {one: one for one in said} for each in self._world.pipelines if said}
                self._world.touch_these(self._refusals.replace(Topic.WATCHES, refused))
            elif said:
                sentence = (
                    f"{'; '.join(said)}: give the operator the rights that its chart gives; until then nothing moves"
                )
                try:
                    await self._stand_still(scopes, sentence)
                except EXPECTED as error:
                    logger.warning("pipelines are not told that %s: %s", sentence, words_of(error))

    async def _stand_still(self, scopes: Sequence[str | None], sentence: str) -> None:
        for scope in scopes:
            for pipeline in await self._client.items(PIPELINES, scope):
                if not _says(pipeline, sentence):
                    metadata = {name: pipeline["metadata"][name] for name in ("namespace", "name", "uid")}
                    conditions = standstill(pipeline, sentence, datetime.now(UTC))
                    await self._client.apply_conditions(PIPELINES, "TrainingPipeline", metadata, conditions)


def _says(pipeline: Object, sentence: str) -> bool:
    return any(each.get("message") == sentence for each in pipeline.get("status", {}).get("conditions", ()))
