"""A make-believe namespace for placement alone: tasks wait for slots, start, and end one after the other.

It knows nothing of iterations, so a pipeline may want whatever a test likes; the parameters are those of real tasks.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringrift_core.contract import Stage
from ringrift_operator.api import TrainingPipelineSpec, TrainingPipelineStatus
from ringrift_operator.api.pipeline_status import ConfigurationStatus, Placement, SlotTurn, StagePhase, TaskStatus
from ringrift_operator.api.pool import Slot, SlotTime
from ringrift_operator.domain.fairness import turns_kept
from ringrift_operator.domain.placement import place
from ringrift_operator.domain.plan import Decision, PlacedTask, WantedTask
from ringrift_operator.domain.recipe import Demand
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.slots import fits, is_reachable
from ringrift_operator.domain.snapshot import ChildPhase, PoolObservation, Snapshot, TaskObservation
from ringrift_operator.domain.steps import SELFPLAY
from tests.unit.domain.world import BEGINNING, pipeline_spec, world

STEPS = (SELFPLAY, "cmaes", "train", "evaluate-weights")
SECOND = timedelta(seconds=1)


@functools.cache
def examples() -> dict[str, PlacedTask]:
    """A real task of each step."""
    one = world()
    one.run()
    return {task.identity.step: task for task in one.created if task.identity.step in STEPS}


@functools.cache
def spec(tier: str = "") -> TrainingPipelineSpec:
    """Of a pipeline that uses every pool, or those of a tier."""
    return pipeline_spec(poolSelector={"matchLabels": {"tier": tier}}) if tier else pipeline_spec()


def wanted(step: str, since: datetime, number: int = 0, slots: int = 1) -> WantedTask:
    """A task of this step; `number` tells those of one pipeline apart."""
    example = examples()[step]
    return WantedTask(
        configuration=f"square8-2p-{number:03}",
        board=example.parameters.board,
        players=example.parameters.players,
        iteration=1,
        step=step,
        part=0,
        attempt=1,
        parameters=example.parameters,
        waiting_since=since,
        handling=SHIPPED.steps[step].handling,
        demand=Demand(places=slots),
        is_divisible=step == SELFPLAY,
    )


@dataclass
class Pipeline:
    spec: TrainingPipelineSpec = field(default_factory=spec)
    waiting: list[WantedTask] = field(default_factory=list)
    running: list[TaskObservation] = field(default_factory=list)
    turns: tuple[SlotTurn, ...] = ()
    history: dict[tuple[str, str, bool], TaskStatus] = field(default_factory=dict)
    """The last task of self-play that ended, and of others that began, slot by slot."""


@dataclass
class SlotsWorld:
    """Pools, and pipelines by name; `step` places what waits."""

    pools: tuple[PoolObservation, ...]
    pipelines: dict[str, Pipeline]
    now: datetime = BEGINNING
    asked: int = 0
    _places: dict[tuple[str, str], list[tuple[PoolObservation, Slot]]] = field(default_factory=dict)

    def ask(self, pipeline: str, step: str, slots: int = 1) -> WantedTask:
        """One more task waits."""
        self.asked += 1
        task = wanted(step, self.now, self.asked, slots)
        self.pipelines[pipeline].waiting.append(task)
        return task

    def step(self) -> list[tuple[str, PlacedTask]]:
        """One pass: what it has placed, and for whom. Then a second passes."""
        decisions = self.decisions()
        started = []
        for name, decision, placed in zip(sorted(self.pipelines), decisions, place(decisions), strict=True):
            pipeline = self.pipelines[name]
            begun = {(task.identity.configuration, task.identity.step) for task in placed}
            pipeline.waiting = [task for task in decision.wanted if (task.configuration, task.step) not in begun]
            taken = [task.turn for task in placed if task.turn is not None]
            pipeline.turns = turns_kept(pipeline.turns, taken, pipeline.waiting)
            for task in placed:
                child = TaskObservation(task.name, task.identity, ChildPhase.RUNNING, task.stage, started_at=self.now)
                pipeline.running.append(child)
                self._remember(pipeline, child, is_end=False)
                started.append((name, task))
        self.now += SECOND
        return started

    def end(self, pipeline: str, child: TaskObservation) -> tuple[str, str]:
        """A running task ends; at which pool and slot."""
        self.pipelines[pipeline].running.remove(child)
        self._remember(self.pipelines[pipeline], child, is_end=True)
        return child.identity.pool, child.identity.slot

    def running(self) -> list[tuple[str, TaskObservation]]:
        return [(name, child) for name, pipeline in sorted(self.pipelines.items()) for child in pipeline.running]

    def places(self, pipeline: str, task: WantedTask) -> list[tuple[PoolObservation, Slot]]:
        """Slots that the task fits."""
        key = pipeline, task.kind
        if key not in self._places:
            snapshot = self._snapshot(pipeline)
            needs = (task.stage, task.board, task.players, task.demand)
            self._places[key] = [
                (pool, slot)
                for pool in self.pools
                for slot in pool.spec.slots
                if is_reachable(snapshot, pool) and fits(pool, slot, *needs)
            ]
        return self._places[key]

    def decisions(self) -> list[Decision]:
        """What each pipeline wants now, by their names."""
        return [self._decision(name) for name in sorted(self.pipelines)]

    def _decision(self, name: str) -> Decision:
        pipeline = self.pipelines[name]
        status = TrainingPipelineStatus(
            turns=pipeline.turns,
            configurations=(
                ConfigurationStatus(
                    name="square8-2p", board="square8", players=2, tasks=tuple(pipeline.history.values())
                ),
            ),
        )
        return Decision(snapshot=self._snapshot(name), status=status, wanted=tuple(pipeline.waiting))

    def _snapshot(self, name: str) -> Snapshot:
        pipeline = self.pipelines[name]
        return Snapshot(
            now=self.now,
            name=name,
            namespace="games",
            uid=name,
            generation=1,
            created_at=BEGINNING,
            spec=pipeline.spec,
            status=TrainingPipelineStatus(),
            pools=self.pools,
            tasks=tuple(pipeline.running),
        )

    def _remember(self, pipeline: Pipeline, child: TaskObservation, is_end: bool) -> None:
        """What a status tells of it that placement asks for: when its pool's cool-down is due."""
        is_selfplay = child.stage == Stage.SELFPLAY
        if is_selfplay != is_end:
            return
        key = (child.identity.pool, child.identity.slot, is_selfplay)
        pipeline.history[key] = TaskStatus(
            name=child.identity.step,
            part=len(pipeline.history) if key not in pipeline.history else pipeline.history[key].part,
            stage=child.stage,
            phase=StagePhase.SUCCEEDED if is_end else StagePhase.RUNNING,
            placement=Placement(pool=child.identity.pool, slot=child.identity.slot),
            started_at=child.started_at,
            finished_at=self.now if is_end else None,
        )


def is_cooldown(slot: Slot) -> bool:
    return slot.when == SlotTime.COOLDOWN
