"""What is known of one pipeline, and what is kept of it: from a server that has nothing but what is asked for."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ringrift_operator.builders.release import Release
from ringrift_operator.domain.labels import labels_of
from ringrift_operator.domain.planning import plan
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.snapshot import Snapshot, TaskIdentity, TaskObservation
from ringrift_operator.kube.act import Actor
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.gather import Gatherer
from ringrift_operator.kube.hearing import Hearing
from ringrift_operator.kube.jobsets import JobSets
from ringrift_operator.kube.metrics import Metrics
from ringrift_operator.kube.pools import Pools
from ringrift_operator.kube.records import Records
from ringrift_operator.kube.refusals import Refusals
from ringrift_operator.kube.resource import Object
from ringrift_operator.kube.sightings import Sightings
from ringrift_operator.kube.workloads import Workloads
from ringrift_operator.kube.world import World
from tests.apiserver.person import pipeline
from tests.unit.kube.test_client import asking

KEY = ("home", "tiny")
MOMENT = "2026-01-31T12:00:00Z"


@dataclass
class Scene:
    """A pipeline in the mirror, and an operator's parts around it."""

    client: Client
    world: World = field(default_factory=lambda: World(lambda _: None))
    refusals: Refusals = field(default_factory=Refusals)
    version: int = 7

    def __post_init__(self) -> None:
        made, hearing = self.world, Hearing(self.world)
        self.records = Records(self.client)
        self.gatherer = Gatherer(
            self.client,
            made,
            Sightings(self.client, made.on_nodes, made.touch_owner, Refusals()),
            Pools(self.client, made, hearing, Refusals()),
            hearing,
            self.refusals,
            self.records,
            Workloads(self.client, made.on_nodes, made.touch_owner),
            JobSets(self.client, lambda: self.client._info, made.jobsets, [None], made.touch_all),
        )
        made.pipelines.put(self.dated({**pipeline("home"), "metadata": {"name": "tiny", "uid": "uid"}}))

    def dated(self, obj: Object) -> Object:
        self.version += 1
        metadata = {"namespace": "home", "creationTimestamp": MOMENT, "generation": 1, **obj["metadata"]}
        return {**obj, "metadata": {**metadata, "resourceVersion": str(self.version)}}

    async def snapshot(self) -> Snapshot:
        found = await self.gatherer.snapshot(KEY)
        assert found is not None
        return found


@asynccontextmanager
async def scene(asked: list[tuple[str, Any]]) -> AsyncIterator[Scene]:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        asked.append((f"{request.method} {request.path}", body))
        if request.method == "GET":
            return web.json_response({"metadata": {"resourceVersion": "7"}, "items": []})
        metadata = {"uid": "new", **body["metadata"], "resourceVersion": "99"}
        return web.json_response({**pipeline("home"), **body, "metadata": metadata})

    async with asking(answer) as client:
        yield Scene(client)


def test_what_was_read_of_an_ended_job_goes_with_it() -> None:
    identity = TaskIdentity("tiny", "square8-2p", 1, "merge", 1)
    owner = {"apiVersion": "ringrift.ai/v1alpha1", "kind": "TrainingPipeline", "name": "tiny", "uid": "uid"}
    labels = labels_of(identity, SHIPPED.steps["merge"])
    job = {
        "metadata": {"name": "ended", "uid": "job", "labels": labels, "ownerReferences": [owner]},
        "spec": {"template": {"spec": {"containers": [{"name": "stage"}]}}},
        "status": {"conditions": [{"type": "Complete", "status": "True"}]},
    }
    asked: list[tuple[str, Any]] = []

    def kept() -> int:
        gc.collect()
        # By type: to ask others of their class may call them.
        return sum(each.name == "ended" for each in gc.get_objects() if type(each) is TaskObservation)

    async def scenario() -> tuple[int, int]:
        async with scene(asked) as one:
            told = one.dated(job)
            one.world.jobs.put(told)
            for _ in range(2):
                await one.snapshot()
            await asyncio.sleep(0)  # the loop lets its last results go
            there = kept()
            one.world.jobs.drop(told)
            return there, kept()

    assert asyncio.run(scenario()) == (1, 0)
    assert [path for path, _ in asked].count("GET /api/v1/namespaces/home/pods") == 1, "its Pods are read once"


def test_a_status_is_written_over_the_version_that_was_read() -> None:
    asked: list[tuple[str, Any]] = []

    async def scenario() -> None:
        async with scene(asked) as one:
            snapshot = await one.snapshot()
            actor = Actor(one.client, one.world, Release(), "holder", Metrics(), one.refusals, one.records)
            await actor.carry_out(snapshot, plan(snapshot))

    asyncio.run(scenario())
    (written,) = [body for path, body in asked if path.endswith("/trainingpipelines/tiny/status")]
    assert (written["metadata"]["uid"], written["metadata"]["resourceVersion"]) == ("uid", "8")


def test_nothing_is_kept_of_a_pipeline_that_is_gone() -> None:
    asked: list[tuple[str, Any]] = []

    async def scenario() -> None:
        async with scene(asked) as one:
            await one.snapshot()
            one.refusals.note("uid", "job", "job cannot be created")
            found = one.world.pipelines.get(KEY)
            assert found is not None
            one.world.pipelines.drop(found)
            one.gatherer.forget()
            assert one.refusals.of("uid") == ()
            await one.records.of(KEY, "uid")

    asyncio.run(scenario())
    records = [path for path, _ in asked if path.endswith("/trainingiterations")]
    assert len(records) == 2, "they are listed anew"
