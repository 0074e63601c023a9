"""`ringrift-operator run`: puts the parts together and lives until a signal, a lost Lease or a defect ends it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ringrift_operator.builders.release import Release
from ringrift_operator.domain.labels import PIPELINE, POOL
from ringrift_operator.handlers import watch_custom_resources
from ringrift_operator.kube.act import Actor
from ringrift_operator.kube.blindness import Blindness
from ringrift_operator.kube.client import EXPECTED, Client, LoginError, words_of
from ringrift_operator.kube.cluster import Cluster
from ringrift_operator.kube.connection import login
from ringrift_operator.kube.gather import Gatherer
from ringrift_operator.kube.health import Health, serving
from ringrift_operator.kube.hearing import Ears, Hearing
from ringrift_operator.kube.jobsets import JobSets
from ringrift_operator.kube.lease import Fences, LeaseLostError
from ringrift_operator.kube.loop import Loop
from ringrift_operator.kube.metrics import Metrics, StatusCollector, UsageCollector
from ringrift_operator.kube.pools import Pools
from ringrift_operator.kube.records import Records
from ringrift_operator.kube.refusals import Refusals
from ringrift_operator.kube.resource import JOBS, LEASES, PIPELINES, POOLS, REMOTE_TASKS
from ringrift_operator.kube.runners import Runners
from ringrift_operator.kube.schemas import unfit_schemas
from ringrift_operator.kube.sightings import Sightings
from ringrift_operator.kube.watch import RestoredError, Watch, look_again
from ringrift_operator.kube.workloads import Workloads
from ringrift_operator.kube.world import World

logger = logging.getLogger(__name__)

Found = TypeVar("Found")

RESYNC_SECONDS = 300.0
LOOP_STALE_SECONDS = 60.0
WATCH_QUIET_SECONDS = 45.0
WATCH_STALE_SECONDS = 600.0
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    release: Release
    namespaces: tuple[str, ...] = ()
    """Empty: all."""
    lease_namespace: str | None = None
    """Where the Lease of an operator lies that looks after all namespaces, and 0.1.0's; omitted: the operator's own
    namespace, or the first of `namespaces`, or default."""
    identity: str | None = None
    """By which the Lease is held; omitted: the Pod's name, or host and process outside of a Pod."""
    address: str = "0.0.0.0"
    port: int = 8080
    """Of /healthz, /readyz and /metrics; 0 takes a free one."""
    release_name: str = ""
    """Namespace and name of the Helm release, by which other releases know who looks after a namespace."""

    @property
    def fences(self) -> Fences:
        """The Leases that let one operator work."""
        own = NAMESPACE_FILE.read_text().strip() if NAMESPACE_FILE.exists() else None
        beside = self.lease_namespace or own or next(iter(self.namespaces), "default")
        return Fences.of(self.namespaces, beside, self.holder, self.release_name)

    @property
    def holder(self) -> str:
        host = socket.gethostname()
        return self.identity or (host if NAMESPACE_FILE.exists() else f"{host}-{os.getpid()}")


def run(options: Options) -> int:
    """Runs the operator; the process's exit status."""
    status = 0
    try:
        asyncio.run(operate(options))
    except* asyncio.CancelledError:
        # A signal before kopf was there to hear it.
        status = 0
    except* (LeaseLostError, RestoredError, LoginError, OSError) as group:
        for error in _leaves(group):
            logger.error("%s: stopping", error)
        status = 1
    except* Exception:
        logger.exception("a defect ends the operator")
        status = 1
    return status


async def operate(options: Options) -> None:
    """Serves health, waits for the CRDs and the Lease, then reconciles."""
    _stop_when_told()
    health, metrics = Health(), Metrics()
    async with serving(options.address, options.port, health, metrics.registry) as port, Client(login) as plain:
        logger.info("serving /healthz, /readyz and /metrics on port %d", port)
        await _patiently("the API server is not there yet", lambda: _schemas_fit(plain))
        fence = options.fences
        await _patiently("the Lease cannot be had yet", lambda: fence.acquire(plain))
        try:
            async with Client(login, lambda: fence.seconds_left) as client:
                await _reconcile(options, fence, plain, client, health, metrics)
        finally:
            await fence.release(plain)


async def _reconcile(
    options: Options, fence: Fences, plain: Client, client: Client, health: Health, metrics: Metrics
) -> None:
    """Everything that needs the Lease."""
    loop = Loop(metrics)
    world = World(loop.touch)
    refusals, records = Refusals(), Records(client)
    sightings = Sightings(client, world.on_nodes, world.touch_owner, refusals)
    hearing = Hearing(world)
    pools = Pools(client, world, hearing, refusals)
    workloads = Workloads(client, world.on_nodes, world.touch_owner)
    scopes: list[str | None] = list(options.namespaces) or [None]
    jobsets = JobSets(plain, login, world.jobsets, scopes, world.touch_all)
    cluster = Cluster(plain, world, refusals)
    gatherer = Gatherer(
        client, world, sightings, pools, hearing, refusals, records, workloads, jobsets, lambda: cluster.uid
    )
    actor = Actor(client, world, options.release, options.holder, metrics, refusals, records)
    metrics.registry.register(StatusCollector(world.pipelines, world.pools))
    metrics.registry.register(UsageCollector(world.on_nodes, sightings.get, world.remote_tasks))
    watches = [
        *(Watch(login, JOBS, world.jobs, scope, PIPELINE) for scope in scopes),
        *(Watch(login, LEASES, world.leases, scope, POOL) for scope in scopes),
    ]
    ears = Ears(lambda: max(watch.silence for watch in watches))

    async def resync() -> None:
        """Lists what kopf watches: the state to begin with, and a second look at what a watch may have missed."""
        for resource, mirror in (
            (POOLS, world.pools),
            (REMOTE_TASKS, world.remote_tasks),
            (PIPELINES, world.pipelines),
        ):
            for scope in scopes:
                await look_again(plain, resource, mirror, scope)
        gatherer.forget()
        pools.forget()
        world.touch_all()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fence.keep(plain)), *(group.create_task(watch.run()) for watch in watches)]
        tasks.append(group.create_task(jobsets.run()))
        tasks.append(group.create_task(Blindness(client, world, refusals, watches).run(scopes)))
        await asyncio.gather(*(watch.synced.wait() for watch in watches), jobsets.settled.wait())
        await _patiently("resources cannot be listed yet", resync)
        await _patiently("nodes cannot be listed yet", pools.look)
        await _patiently("nobody says which cluster this is yet", cluster.look)
        hearing.hear(ears.now())
        logger.info("found %d pipelines, %d pools, %d Jobs", len(world.pipelines), len(world.pools), len(world.jobs))
        calm_garbage_collection()
        background = (
            loop.run(gatherer, actor),
            sightings.run(),
            workloads.run(),
            pools.run(),
            cluster.run(),
            Runners(client, world, hearing, refusals).run(ears),
            _every(RESYNC_SECONDS, resync),
        )
        tasks += [group.create_task(each) for each in background]
        _check(health, loop, watches)

        def stop() -> None:
            for task in tasks:
                task.cancel()

        await watch_custom_resources(world, options.namespaces, stop)
        stop()


def _stop_when_told() -> None:
    """Until kopf takes the signals over, they end us as well: what is process 1 of a Pod ignores them otherwise."""
    working = asyncio.current_task()
    assert working is not None
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        logger.info("stopping: %s", number.name)
        working.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)


def _check(health: Health, loop: Loop, watches: Sequence[Watch]) -> None:
    """What /healthz and /readyz look at from now on."""

    def loop_turns() -> str:
        return f"no pass for {loop.silence:.0f} s" if loop.silence > LOOP_STALE_SECONDS else ""

    def watch_heard(limit: float) -> str:
        silence = max(watch.silence for watch in watches)
        return f"nothing heard from the API server for {silence:.0f} s" if silence > limit else ""

    health.live = {"loop": loop_turns, "watch": lambda: watch_heard(WATCH_STALE_SECONDS)}
    health.ready = {"world": lambda: watch_heard(WATCH_QUIET_SECONDS)}


def calm_garbage_collection() -> None:
    """What lives as long as the process is not looked at again: no pauses of a hundred milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _schemas_fit(client: Client) -> None:
    """Waits for the CRDs: kopf looks for them once, when it starts, and what they lack the API server drops."""
    told = ""
    while fault := await unfit_schemas(client):
        if fault != told:
            logger.warning("%s", fault)
            told = fault
        await asyncio.sleep(1)


async def _patiently(complaint: str, attempt: Callable[[], Awaitable[Found]]) -> Found:
    """Tries until it works; what came of it."""
    told = ""
    while True:
        try:
            return await attempt()
        except EXPECTED as error:
            if (words := words_of(error)) != told:
                logger.warning("%s: %s", complaint, words)
                told = words
            await asyncio.sleep(1)


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await act()
        except EXPECTED as error:
            logger.warning("resync broke off: %s", words_of(error))


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The errors in a group of groups."""
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]
