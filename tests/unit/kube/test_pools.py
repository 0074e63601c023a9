"""A pool's status: whatever it says fits its schema, and replaces none that was not read."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from ringrift_operator.api import WorkerPool
from ringrift_operator.domain.reasons import PoolReason
from ringrift_operator.kube.hearing import Hearing
from ringrift_operator.kube.pools import Pools, pool_status, unreadable_status
from ringrift_operator.kube.refusals import Refusals
from ringrift_operator.kube.resource import Object
from ringrift_operator.kube.runners import Runners
from ringrift_operator.kube.world import World
from tests import patience
from tests.unit.kube.test_client import asking
from tests.unit.kube.test_hearing import Scene

NOW = datetime(2026, 1, 31, tzinfo=UTC)
POOL: dict[str, Any] = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "WorkerPool",
    "metadata": {"namespace": "home", "name": "pool", "uid": "uid", "generation": 1, "resourceVersion": "7"},
    "spec": {"type": "Cluster", "slots": [{"name": "s", "stages": ["selfplay"], "resources": {"memory": "1Gi"}}]},
}


def test_a_long_sentence_is_cut() -> None:
    """A selector may have 64 labels: what does not fit a status would end the operator."""
    said = "no ready node with " + ", ".join(f"label-{number}={'x' * 60}" for number in range(64))
    status = pool_status(WorkerPool.model_validate(POOL), Counter(), PoolReason.NO_NODE, said, NOW)
    assert said.startswith(status.conditions[0].message)
    assert len(unreadable_status(POOL, said, NOW)[1].conditions[0].message) == len(status.conditions[0].message)


def test_a_status_is_written_over_the_version_that_was_read_and_again_when_there_is_another() -> None:
    asked: list[Object] = []

    async def refuse_the_first(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        if len(asked) == 1:
            return web.json_response({"reason": "Conflict", "message": "it has changed"}, status=409)
        return web.json_response({**POOL, "metadata": {**POOL["metadata"], "resourceVersion": "9"}})

    async def scenario() -> None:
        world = World(lambda _: None)
        world.pools.put(POOL)
        async with asking(refuse_the_first) as client, asyncio.timeout(patience.SECONDS):
            writing = asyncio.create_task(Pools(client, world, Hearing(world), Refusals()).run())
            while not asked:
                await asyncio.sleep(0.01)
            world.pools.put({**POOL, "metadata": {**POOL["metadata"], "resourceVersion": "8"}})
            while len(asked) < 2:
                await asyncio.sleep(0.01)
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing

    asyncio.run(scenario())
    assert [each["metadata"]["resourceVersion"] for each in asked[:2]] == ["7", "8"]


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_pool_says_that_its_lease_cannot_be_made(is_refused: bool) -> None:
    scene = Scene()
    scene.world.leases.drop(scene.leases["pool"])

    async def answer(request: web.Request) -> web.StreamResponse:
        if is_refused:
            return web.json_response({"reason": "Forbidden", "message": "leases is forbidden"}, status=403)
        made = await request.json()
        return web.json_response({**made, "metadata": {**made["metadata"], "uid": "new", "resourceVersion": "99"}})

    async def look() -> None:
        async with asking(answer) as client:
            runners = Runners(client, scene.world, scene.hearing, Refusals())
            for _ in range(2):
                scene.hear()
                await runners.look(scene.now)
            scene.hear()

    asyncio.run(look())
    said = scene.presence.message
    refusal = (
        "Lease ringrift-runner-mac cannot be made: 403 Forbidden: leases is forbidden: no runner can take this pool"
    )
    assert said.startswith(refusal if is_refused else "no runner has taken this pool")
