"""The reconcile loop: what changed is looked at again, namespace by namespace, until there is nothing to do.

One pass of a namespace: gather the snapshots of what changed, decide each, place all wanted tasks at once, carry the
plans out. Passes of one namespace never overlap, so placement is serial. What breaks off stays marked and is tried
again after a back-off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from ringrift_operator.domain.deciding import decide
from ringrift_operator.domain.placement import place
from ringrift_operator.domain.plan import Decision, Plan
from ringrift_operator.domain.planning import conclude
from ringrift_operator.domain.snapshot import Snapshot, TaskObservation
from ringrift_operator.kube.client import EXPECTED
from ringrift_operator.kube.health import Pulse
from ringrift_operator.kube.metrics import Metrics
from ringrift_operator.kube.resource import Key

logger = logging.getLogger(__name__)

DEBOUNCE_SECONDS = 0.01
BEAT_SECONDS = 5.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

RESTLESS_PASSES = 50
RESTLESS_SECONDS = 1.0
"""A defect that makes every pass write must not become a storm."""


class Gather(Protocol):
    """What the loop learns about the world (kube/gather.py)."""

    async def snapshot(self, key: Key) -> Snapshot | None: ...

    def elsewhere(self, namespace: str, known: Container[str]) -> list[TaskObservation]: ...


class CarryOut(Protocol):
    """What the loop does to the world (kube/act.py)."""

    async def carry_out(self, snapshot: Snapshot, plan: Plan) -> None: ...


class Loop:
    """Keeps one task per namespace that has pipelines."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._namespaces: dict[str, Namespace] = {}
        self._start: Callable[[Namespace], object] = lambda _: None

    @property
    def silence(self) -> float:
        """Seconds since the least lively namespace last showed that it turns."""
        return max((each.pulse.silence for each in self._namespaces.values()), default=0.0)

    def touch(self, pipeline: Key) -> None:
        """Marks a pipeline to be looked at again."""
        name = pipeline[0]
        if name not in self._namespaces:
            self._namespaces[name] = Namespace(name, self._metrics)
            self._start(self._namespaces[name])
        self._namespaces[name].touch(pipeline[1])

    async def run(self, gatherer: Gather, actor: CarryOut) -> None:
        """Runs every namespace's passes, for ever."""
        async with asyncio.TaskGroup() as group:
            self._start = lambda namespace: group.create_task(namespace.run(gatherer, actor))
            for namespace in self._namespaces.values():
                self._start(namespace)
            await asyncio.Event().wait()


class Namespace:
    """The passes of one namespace."""

    def __init__(self, name: str, metrics: Metrics) -> None:
        self._name, self._metrics = name, metrics
        self._touched = asyncio.Event()
        self._dirty: set[str] = set()
        self._due: dict[str, float] = {}
        """When to look at a pipeline even if nothing happens, by the event loop's clock."""
        self._failures: dict[str, int] = {}
        self._restless: dict[str, int] = {}
        """Passes in a row that wrote something."""
        self._decisions: dict[str, Decision] = {}
        self.pulse = Pulse()

    def touch(self, pipeline: str) -> None:
        self._dirty.add(pipeline)
        self._touched.set()

    async def run(self, gatherer: Gather, actor: CarryOut) -> None:
        """Passes over what is touched or due, for ever."""
        self._gatherer, self._actor = gatherer, actor
        while True:
            self.pulse.beat()
            await self._wait()
            pipelines = self._take()
            if pipelines:
                with self._metrics.pass_seconds.time():
                    await self._pass(pipelines)

    async def _wait(self) -> None:
        """Until something is touched or due; wakes every few seconds to show that it lives."""
        now = asyncio.get_running_loop().time()
        next_due = min(self._due.values(), default=now + BEAT_SECONDS)
        timeout = max(0.0, min(next_due - now, BEAT_SECONDS))
        try:
            async with asyncio.timeout(timeout):
                await self._touched.wait()
        except TimeoutError:
            return
        await asyncio.sleep(DEBOUNCE_SECONDS)

    def _take(self) -> set[str]:
        """What to look at now. A pipeline that failed waits for its back-off, whatever else touches it."""
        now = asyncio.get_running_loop().time()
        due = {name for name, at in self._due.items() if at <= now}
        waiting = {name for name in self._failures if self._due.get(name, 0.0) > now}
        taken = (self._dirty | due) - waiting
        self._dirty -= taken
        for name in taken:
            self._due.pop(name, None)
        self._touched.clear()
        return taken

    async def _pass(self, pipelines: set[str]) -> None:
        """One pass. Untouched pipelines take part in the placement with what they last wanted."""
        touched = sorted(pipelines)
        went_well = dict(zip(touched, await asyncio.gather(*map(self._decide, touched)), strict=True))
        names = sorted(self._decisions)
        # One that broke off still takes its slots, but gets nothing until it has been looked at again.
        resting = self._failures.keys() - {name for name, fine in went_well.items() if fine}
        decisions = [
            replace(self._decisions[name], wanted=()) if name in resting else self._decisions[name] for name in names
        ]
        try:
            known = {decision.snapshot.uid for decision in decisions}
            places = place(decisions, self._gatherer.elsewhere(self._name, known))
            plans = {
                name: conclude(decision, placed) if name in pipelines else None
                for name, decision, placed in zip(names, decisions, places, strict=True)
                if name not in resting and (name in pipelines or placed)
            }
        except Exception as error:
            for name in pipelines - resting:
                self._broke_off(name, error)
            return
        for name, plan in plans.items():
            if plan is None:  # an untouched one has found room: it is looked at afresh before it takes it
                self.touch(name)
        await asyncio.gather(*(self._act(name, plan) for name, plan in plans.items() if plan is not None))

    async def _decide(self, name: str) -> bool:
        """Renews the pipeline's decision; whether that went well."""
        try:
            snapshot = await self._gatherer.snapshot((self._name, name))
            if snapshot is None:
                self._forget(name)
            else:
                self._decisions[name] = decide(snapshot)
        except Exception as error:
            self._broke_off(name, error)
            return False
        return True

    async def _act(self, name: str, plan: Plan) -> None:
        snapshot = self._decisions[name].snapshot
        try:
            await self._actor.carry_out(snapshot, plan)
        except Exception as error:
            self._broke_off(name, error)
            return
        self._failures.pop(name, None)
        if plan.wake_at is not None:
            wait = (plan.wake_at - datetime.now(UTC)).total_seconds()
            self._due[name] = asyncio.get_running_loop().time() + max(wait, 0.0) + 0.01
        if plan.is_empty and plan.status == snapshot.status and not plan.events:
            self._restless.pop(name, None)
            return
        # The decision has been carried out: the next pass makes a new one, which should find nothing to do.
        passes = self._restless[name] = self._restless.get(name, 0) + 1
        if passes < RESTLESS_PASSES:
            self.touch(name)
        else:
            logger.error("%s/%s does not come to rest: %d passes in a row wrote something", self._name, name, passes)
            self._due[name] = asyncio.get_running_loop().time() + RESTLESS_SECONDS

    def _broke_off(self, name: str, error: Exception) -> None:
        """Marks it for another try after a back-off."""
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        delay = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
        self._metrics.errors.inc()
        self._due[name] = asyncio.get_running_loop().time() + delay
        logger.warning(
            "pass over %s/%s broke off, again in %.1f s: %s",
            self._name,
            name,
            delay,
            error or type(error).__name__,
            exc_info=None if isinstance(error, EXPECTED) else error,
        )

    def _forget(self, name: str) -> None:
        self._decisions.pop(name, None)
        self._failures.pop(name, None)
        self._restless.pop(name, None)
        self._due.pop(name, None)
