"""What the passes of a namespace remember of each pipeline, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise

from ringrift_operator.domain.plan import Plan
from ringrift_operator.domain.planning import plan
from ringrift_operator.domain.snapshot import Snapshot, TaskObservation
from ringrift_operator.kube.loop import BACKOFF_SECONDS, DEFECT_LOOKS, Loop
from ringrift_operator.kube.metrics import Metrics
from ringrift_operator.kube.parsed import UnreadableError
from ringrift_operator.kube.resource import Key
from tests import patience
from tests.unit.domain.world import World, pipeline_spec, world

UNREADABLE = "TrainingPipeline games/tp cannot be read: spec.later: Extra inputs are not permitted"


class Cluster:
    """A make-believe namespace as the loop meets it: a look at a `broken` pipeline breaks off."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.broken: set[str] = set()
        self.unreadable: set[str] = set()
        self.told: list[str] = []
        self.looks: list[tuple[str, float]] = []
        self.loop = Loop(Metrics())

    def touch(self, name: str) -> None:
        self.loop.touch(("games", name))

    async def snapshot(self, key: Key) -> Snapshot | None:
        name = key[1]
        self.looks.append((name, asyncio.get_running_loop().time()))
        if name in self.broken:
            raise ValueError(f"{name} is broken")
        if name in self.unreadable:
            obj = {"metadata": {"namespace": key[0], "name": name}}
            raise UnreadableError("TrainingPipeline", obj, "spec.later: Extra inputs are not permitted")
        return self.world.snapshot(name) if name in self.world.specs else None

    def elsewhere(self, namespace: str, known: Container[str]) -> list[TaskObservation]:  # noqa: ARG002  # nobody else
        return []

    async def carry_out(self, snapshot: Snapshot, plan: Plan) -> None:
        self.world.apply(snapshot.name, plan)

    async def tell_unreadable(self, error: UnreadableError) -> None:
        self.told.append(str(error))

    async def tell_defect(self, pipeline: Key, error: Exception) -> None:
        self.told.append(f"{pipeline[1]}: {error}")

    @asynccontextmanager
    async def passes(self) -> AsyncIterator[None]:
        """Runs the passes for the length of the block."""
        running = asyncio.create_task(self.loop.run(self, self))
        yield
        running.cancel()

    async def looked(self, times: int) -> None:
        """Waits until the loop has looked so often."""
        async with asyncio.timeout(patience.SECONDS):
            while len(self.looks) < times:
                await asyncio.sleep(0.01)

    def pauses(self) -> list[float]:
        return [later - earlier for (_, earlier), (_, later) in pairwise(self.looks)]


def test_a_touched_pipeline_is_looked_at_until_it_rests() -> None:
    cluster = Cluster(world())

    async def scenario() -> None:
        async with cluster.passes():
            cluster.touch("tp")
            await cluster.looked(2)
            await asyncio.sleep(0.1)

    asyncio.run(scenario())
    assert [child.identity.step for child in cluster.world.live] == ["adopt"]
    assert len(cluster.looks) == 2, "the second look finds nothing to do"


def test_what_breaks_off_waits_longer_each_time_whatever_touches_it() -> None:
    cluster = Cluster(world())
    cluster.broken = {"tp"}

    async def scenario() -> None:
        async with cluster.passes():
            while len(cluster.looks) < 3:
                cluster.touch("tp")
                await asyncio.sleep(0.01)

    asyncio.run(scenario())
    assert all(pause >= wanted for pause, wanted in zip(cluster.pauses(), BACKOFF_SECONDS, strict=False))


def test_a_pipeline_that_comes_again_has_no_past() -> None:
    """Deleted while it broke off, and made anew: its first back-off is the shortest again."""
    cluster = Cluster(world())
    spec = cluster.world.specs["tp"]

    async def scenario() -> None:
        async with cluster.passes():
            cluster.broken = {"tp"}
            cluster.touch("tp")
            await cluster.looked(2)
            cluster.broken = set()
            del cluster.world.specs["tp"]
            await cluster.looked(3)  # and finds it gone
            cluster.looks.clear()
            cluster.world.specs["tp"] = spec
            cluster.broken = {"tp"}
            cluster.touch("tp")
            await cluster.looked(2)

    asyncio.run(scenario())
    (pause,) = cluster.pauses()
    assert pause < BACKOFF_SECONDS[2], "not the pause of a third failure"


def test_a_pipeline_that_is_gone_is_looked_for_once() -> None:
    cluster = Cluster(world())

    async def scenario() -> None:
        async with cluster.passes():
            cluster.touch("tp")
            await cluster.looked(2)
            del cluster.world.specs["tp"]
            cluster.looks.clear()
            cluster.touch("tp")
            await asyncio.sleep(0.2)

    asyncio.run(scenario())
    assert [name for name, _ in cluster.looks] == ["tp"]


def test_one_whose_conclusion_raises_stops_itself_alone() -> None:
    """A time without a zone, as no operator writes it: it can be decided upon, but not concluded."""
    made = world()
    made.specs = {"sick": made.specs["tp"], "well": pipeline_spec(artifacts={"uri": "s3://ringrift/well"})}
    made.apply("sick", plan(made.snapshot("sick")))
    made.end(made.live[0])
    made.apply("sick", plan(made.snapshot("sick")))  # self-play runs
    (configuration,) = made.statuses["sick"].configurations
    naive = tuple(task.model_copy(update={"progress_at": datetime(2026, 1, 1)}) for task in configuration.tasks)
    configuration = configuration.model_copy(update={"tasks": naive})
    made.statuses["sick"] = made.statuses["sick"].model_copy(update={"configurations": (configuration,)})
    cluster = Cluster(made)

    async def scenario() -> None:
        async with cluster.passes():
            cluster.touch("sick")
            cluster.touch("well")
            await cluster.looked(4)

    asyncio.run(scenario())
    assert [child.identity.step for child in made.live if child.identity.pipeline == "well"] == ["adopt"]


def test_what_cannot_be_read_is_told_once() -> None:
    cluster = Cluster(world())
    cluster.unreadable = {"tp"}

    async def scenario() -> None:
        async with cluster.passes():
            cluster.touch("tp")
            await cluster.looked(3)

    asyncio.run(scenario())
    assert cluster.told == [UNREADABLE]


def test_a_defect_is_told_once_it_is_no_passing_state_and_once() -> None:
    cluster = Cluster(world())
    cluster.broken = {"tp"}

    async def scenario() -> None:
        async with cluster.passes():
            cluster.touch("tp")
            await cluster.looked(DEFECT_LOOKS - 1)
            assert cluster.told == []
            await cluster.looked(DEFECT_LOOKS + 2)

    asyncio.run(scenario())
    assert cluster.told == ["tp: tp is broken"]


def test_what_cannot_be_read_is_told_though_the_look_before_broke_off() -> None:
    cluster = Cluster(world())
    cluster.broken = cluster.unreadable = {"tp"}

    async def scenario() -> None:
        async with cluster.passes():
            cluster.touch("tp")
            await cluster.looked(1)
            cluster.broken = set()
            await cluster.looked(2)

    asyncio.run(scenario())
    assert cluster.told == [UNREADABLE]


def test_nothing_is_kept_of_a_namespace_without_pipelines() -> None:
    cluster, metrics = Cluster(world()), Metrics()
    loop = Loop(metrics)

    def counted() -> list[str]:
        return [sample.labels["namespace"] for family in metrics.started.collect() for sample in family.samples]

    async def scenario() -> None:
        metrics.started.labels("other", "merge").inc()
        running = asyncio.create_task(loop.run(cluster, cluster))
        loop.touch(("games", "tp"))
        await cluster.looked(2)
        metrics.started.labels("games", "merge").inc()
        del cluster.world.specs["tp"]
        loop.touch(("games", "tp"))
        async with asyncio.timeout(patience.SECONDS):
            while "games" in counted():
                await asyncio.sleep(0.01)
        assert len(asyncio.all_tasks()) == 2, "this one and the loop's"
        cluster.world.specs["tp"] = pipeline_spec()
        looks = len(cluster.looks)
        loop.touch(("games", "tp"))
        await cluster.looked(looks + 1)
        running.cancel()

    asyncio.run(scenario())
    assert set(counted()) == {"other"}
