"""The reconcile loop: what changed is looked at again, namespace by namespace, until there is nothing to do.

One pass of a namespace: gather the snapshots of what changed, decide each, place all wanted tasks at once, carry the
plans out. Passes of one namespace never overlap, so placement is serial. What breaks off stays marked and is tried
again after a back-off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from ringrift_operator.domain.deciding import decide
from ringrift_operator.domain.placement import place
from ringrift_operator.domain.plan import Decision, Plan
from ringrift_operator.domain.planning import conclude
from ringrift_operator.domain.snapshot import Snapshot, TaskObservation
from ringrift_operator.kube.client import EXPECTED, words_of
from ringrift_operator.kube.health import Pulse
from ringrift_operator.kube.metrics import Metrics
from ringrift_operator.kube.parsed import UnreadableError
from ringrift_operator.kube.resource import Key

logger = logging.getLogger(__name__)

DEBOUNCE_SECONDS = 0.01
BEAT_SECONDS = 5.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

DEFECT_LOOKS = 3
"""Looks in a row that break off by a defect of ours, until the pipeline says so: by now it is no passing state."""

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

    async def tell_unreadable(self, error: UnreadableError) -> None: ...

    async def tell_defect(self, pipeline: Key, error: Exception) -> None: ...


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
        is_new = name not in self._namespaces
        if is_new:
            self._namespaces[name] = Namespace(name, self._metrics)
        self._namespaces[name].touch(pipeline[1])
        if is_new:
            self._start(self._namespaces[name])

    async def run(self, gatherer: Gather, actor: CarryOut) -> None:
        """Runs every namespace's passes, for ever."""
        async with asyncio.TaskGroup() as group:
            self._start = lambda namespace: group.create_task(self._passes(namespace, gatherer, actor))
            for namespace in self._namespaces.values():
                self._start(namespace)
            await asyncio.Event().wait()

    async def _passes(self, namespace: Namespace, gatherer: Gather, actor: CarryOut) -> None:
        """The passes of a namespace for as long as it has pipelines; nothing is kept of one that has none."""
        await namespace.run(gatherer, actor)
        del self._namespaces[namespace.name]
        self._metrics.forget(namespace.name)


@dataclass(slots=True)
class _Pipeline:
    """What the passes remember of one pipeline."""

    decision: Decision | None = None
    """The last one made; None until the first look."""
    is_touched: bool = False
    due: float | None = None
    """When to look even if nothing happens, by the event loop's clock; while it breaks off, the end of its back-off."""
    failures: int = 0
    """Looks in a row that broke off."""
    told: str = ""
    """What was last said of why looks break off."""
    restless: int = 0
    """Passes in a row that wrote something."""

    def is_wanted(self, now: float) -> bool:
        """Whether to look now. One that broke off waits for its back-off, whatever else touches it."""
        is_due = self.due is not None and self.due <= now
        return is_due or (self.is_touched and (not self.failures or self.due is None))

    def take(self) -> None:
        """It is being looked at."""
        self.is_touched, self.due = False, None


class Namespace:
    """The passes of one namespace."""

    def __init__(self, name: str, metrics: Metrics) -> None:
        self.name, self._metrics = name, metrics
        self._touched = asyncio.Event()
        self._pipelines: dict[str, _Pipeline] = {}
        self.pulse = Pulse()

    def touch(self, pipeline: str) -> None:
        self._pipelines.setdefault(pipeline, _Pipeline()).is_touched = True
        self._touched.set()

    async def run(self, gatherer: Gather, actor: CarryOut) -> None:
        """Passes over what is touched or due, until there is no pipeline."""
        self._gatherer, self._actor = gatherer, actor
        while self._pipelines:
            self.pulse.beat()
            await self._wait()
            pipelines = self._take()
            if pipelines:
                with self._metrics.pass_seconds.time():
                    await self._pass(pipelines)

    async def _wait(self) -> None:
        """Until something is touched or due; wakes every few seconds to show that it lives."""
        now = asyncio.get_running_loop().time()
        next_due = min(
            (each.due for each in self._pipelines.values() if each.due is not None), default=now + BEAT_SECONDS
        )
        timeout = max(0.0, min(next_due - now, BEAT_SECONDS))
        try:
            async with asyncio.timeout(timeout):
                await self._touched.wait()
        except TimeoutError:
            return
        await asyncio.sleep(DEBOUNCE_SECONDS)

    def _take(self) -> set[str]:
        """What to look at now."""
        now = asyncio.get_running_loop().time()
        taken = {name for name, pipeline in self._pipelines.items() if pipeline.is_wanted(now)}
        for name in taken:
            self._pipelines[name].take()
        self._touched.clear()
        return taken

    async def _pass(self, pipelines: set[str]) -> None:
        """One pass. Untouched pipelines take part in the placement with what they last wanted."""
        touched = sorted(pipelines)
        went_well = dict(zip(touched, await asyncio.gather(*map(self._decide, touched)), strict=True))
        decided = {name: each.decision for name, each in sorted(self._pipelines.items()) if each.decision is not None}
        # One that broke off still takes its slots, but gets nothing until it has been looked at again.
        resting = {name for name, each in self._pipelines.items() if each.failures and not went_well.get(name, False)}
        decisions = [replace(each, wanted=()) if name in resting else each for name, each in decided.items()]
        try:
            known = {decision.snapshot.uid for decision in decisions}
            places = place(decisions, self._gatherer.elsewhere(self.name, known))
        except Exception as error:
            for name in sorted((pipelines & decided.keys()) - resting):
                await self._broke_off(name, error)
            return
        plans: dict[str, Plan] = {}
        for name, decision, placed in zip(decided, decisions, places, strict=True):
            if name in resting:
                continue
            if name not in pipelines:
                if placed:  # an untouched one has found room: it is looked at afresh before it takes it
                    self.touch(name)
                continue
            try:
                plans[name] = conclude(decision, placed)
            except Exception as error:
                await self._broke_off(name, error)
        await asyncio.gather(*(self._act(name, plan) for name, plan in plans.items()))

    async def _decide(self, name: str) -> bool:
        """Renews the pipeline's decision; whether that went well."""
        try:
            snapshot = await self._gatherer.snapshot((self.name, name))
            if snapshot is None:
                self._forget(name)
            else:
                self._pipelines[name].decision = decide(snapshot)
        except Exception as error:
            await self._broke_off(name, error)
            return False
        return True

    async def _act(self, name: str, plan: Plan) -> None:
        pipeline = self._pipelines[name]
        assert pipeline.decision is not None
        snapshot = pipeline.decision.snapshot
        try:
            await self._actor.carry_out(snapshot, plan)
        except Exception as error:
            await self._broke_off(name, error)
            return
        pipeline.failures, pipeline.told = 0, ""
        if plan.wake_at is not None:
            wait = (plan.wake_at - datetime.now(UTC)).total_seconds()
            pipeline.due = asyncio.get_running_loop().time() + max(wait, 0.0) + 0.01
        if plan.is_empty and plan.status == snapshot.status and not plan.events:
            pipeline.restless = 0
            return
        # The decision has been carried out: the next pass makes a new one, which should find nothing to do.
        pipeline.restless += 1
        if pipeline.restless < RESTLESS_PASSES:
            self.touch(name)
        else:
            logger.error(
                "%s/%s does not come to rest: %d passes in a row wrote something", self.name, name, pipeline.restless
            )
            pipeline.due = asyncio.get_running_loop().time() + RESTLESS_SECONDS

    async def _broke_off(self, name: str, error: Exception) -> None:
        """Marks it for another try after a back-off, and has its status say what another try does not mend."""
        pipeline = self._pipelines.setdefault(name, _Pipeline())
        pipeline.failures += 1
        delay = BACKOFF_SECONDS[min(pipeline.failures, len(BACKOFF_SECONDS)) - 1]
        pipeline.due = asyncio.get_running_loop().time() + delay
        self._metrics.errors.inc()
        logger.warning(
            "pass over %s/%s broke off, again in %.1f s: %s",
            self.name,
            name,
            delay,
            words_of(error),
            exc_info=None if isinstance(error, (*EXPECTED, UnreadableError)) else error,
        )
        if isinstance(error, EXPECTED):
            return
        if not isinstance(error, UnreadableError) and pipeline.failures < DEFECT_LOOKS:
            return
        is_news, pipeline.told = pipeline.told != str(error), str(error)
        if is_news and isinstance(error, UnreadableError):
            await self._actor.tell_unreadable(error)
        elif is_news:
            await self._actor.tell_defect((self.name, name), error)

    def _forget(self, name: str) -> None:
        """There is no such pipeline. One that was touched while it was looked for is looked for again."""
        is_touched = self._pipelines.pop(name).is_touched
        if is_touched:
            self._pipelines[name] = _Pipeline(is_touched=True)
