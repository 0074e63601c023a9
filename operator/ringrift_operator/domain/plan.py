"""What a pass decides. A plan is carried out in the order of its fields (`Plan`).

Two steps make it: `decide` looks at one pipeline (domain/deciding.py), then `place` looks at the wanted tasks of all
pipelines of the namespace at once (domain/placement.py).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ringrift_core.contract import Board, Stage, StageParameters
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline_status import SlotTurn, TrainingPipelineStatus
from ringrift_operator.api.pool import PoolType, Slot
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.recipe import ANYTHING, Demand, Handling
from ringrift_operator.domain.snapshot import PoolObservation, Snapshot, TaskIdentity

LIGHT = "light"
"""Kind of the tasks that take no slot."""


@dataclass(frozen=True, slots=True)
class Event:
    """A line for `kubectl describe` and for the live view."""

    reason: EventReason
    message: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class WantedTask:
    """A task that should run now, before anyone has looked for room."""

    configuration: str
    board: Board
    players: int
    iteration: int
    step: str
    part: int
    attempt: int
    parameters: StageParameters
    waiting_since: datetime
    handling: Handling
    demand: Demand = ANYTHING
    """What it asks of a slot."""
    is_divisible: bool = False
    """Self-play that has not been divided over slots yet: it may become several tasks."""
    kind: str = field(init=False)
    """Tasks of one kind fit the same slots: one word, since placement asks for it thousands of times a pass."""

    def __post_init__(self) -> None:
        kind = LIGHT if self.handling.facts.is_light else f"{self.step} {self.board} {self.players} {self.demand}"
        object.__setattr__(self, "kind", sys.intern(kind))

    @property
    def stage(self) -> Stage:
        return self.parameters.stage


@dataclass(frozen=True, slots=True)
class PlacedTask:
    """A task to create, with its place. `builders` make a Job or a RemoteTask of it, `local` a process."""

    name: str
    identity: TaskIdentity
    parameters: StageParameters
    pool: PoolObservation | None
    """None for light stages: they take no slot and run as Jobs of the pipeline's namespace."""
    slot: Slot | None
    completions: int = 0
    """Indexes of an Indexed Job (self-play on a Cluster pool: one shard each); 0: not indexed."""
    turn: SlotTurn | None = None
    """Its pipeline's turn at the slot, later than every turn before; None of light stages."""
    demand: Demand = ANYTHING
    """What it asked of the slot: where it takes several places `builders` make a JobSet of a Pod in each."""

    @property
    def stage(self) -> Stage:
        return self.parameters.stage

    @property
    def is_remote(self) -> bool:
        """A RemoteTask rather than a Job."""
        return self.pool is not None and self.pool.spec.type == PoolType.RUNNER


@dataclass(frozen=True, slots=True)
class Decision:
    """What one pipeline wants, before placement."""

    snapshot: Snapshot
    status: TrainingPipelineStatus
    wanted: tuple[WantedTask, ...] = ()
    """In the order in which they share the pipeline's turns: who has waited longest, then by the steps' order."""
    delete: tuple[str, ...] = ()
    records: tuple[TrainingIteration, ...] = ()
    expired_records: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    kinds: Mapping[str, WantedTask] = field(init=False)
    """One wanted task of each kind that takes slots."""
    light: tuple[WantedTask, ...] = field(init=False)
    """Those that take none. Most decisions take part in many placements before they are made anew, so these and the
    order are found once."""

    def __post_init__(self) -> None:
        order = self.snapshot.recipes.order

        def place_in_line(task: WantedTask) -> tuple[datetime, str, int, int]:
            return task.waiting_since, task.configuration, order[task.step], task.part

        object.__setattr__(self, "wanted", tuple(sorted(self.wanted, key=place_in_line)))
        object.__setattr__(self, "kinds", {task.kind: task for task in self.wanted if task.kind != LIGHT})
        object.__setattr__(self, "light", tuple(task for task in self.wanted if task.kind == LIGHT))


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for one pipeline, in this order; whatever breaks off is planned again by the next pass."""

    records: tuple[TrainingIteration, ...]
    """1. Create these TrainingIterations; one that exists already is the same record."""
    status: TrainingPipelineStatus
    """2. Write the status, if it differs from the snapshot's. Nothing below may happen before it is written: it
    remembers how self-play was divided, and the outcomes of what is deleted."""
    create: tuple[PlacedTask, ...]
    """3. Create these. One that exists with our owner UID and no deletionTimestamp is ours already."""
    delete: tuple[str, ...]
    """4. Delete these children: ended and recorded, or no longer wanted."""
    expired_records: tuple[str, ...]
    """5. Delete these TrainingIterations, past spec.historyLimit."""
    events: tuple[Event, ...]
    """6. Tell people."""
    wake_at: datetime | None
    """When to look again even if nothing happens: the end of a back-off, a cool-down or an alert's delay, or the next
    merge."""

    @property
    def is_empty(self) -> bool:
        """Nothing to create, delete or record (the status may still have to be written)."""
        return not (self.records or self.create or self.delete or self.expired_records)
