"""Finds room: one serial, pure step over the wanted tasks of all pipelines of a namespace (design.md section 5).

Whose turn it is says domain/fairness.py, what a task keeps free that cannot start yet domain/gang.py. Self-play that is
placed for the first time is divided over all slots then free; a waiting cool-down task goes before new self-play once
self-play has ended on its pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from ringrift_core.contract import (
    Device,
    SelfplayParameters,
    Shards,
    Stage,
    StageParameters,
    changed,
)
from ringrift_operator.api.pipeline_status import TaskStatus, TrainingPipelineStatus
from ringrift_operator.api.pool import PoolType, Slot, SlotTime
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.domain.division import Room, divided
from ringrift_operator.domain.fairness import Head, Lane, Turns
from ringrift_operator.domain.gang import Reservations
from ringrift_operator.domain.naming import task_name
from ringrift_operator.domain.plan import Decision, PlacedTask, WantedTask
from ringrift_operator.domain.recipe import Handling
from ringrift_operator.domain.slots import fits, is_reachable, may_be_used_now
from ringrift_operator.domain.snapshot import PoolObservation, Snapshot, TaskIdentity, TaskObservation
from ringrift_operator.domain.steps import SELFPLAY
from ringrift_operator.domain.stores import moved

SlotKey = tuple[str, str]
"""Pool and slot, by name."""

_DEVICE_RANK = {Device.CUDA: 0, Device.MPS: 1, Device.CPU: 2}


@dataclass(slots=True)
class _Occupancy:
    """What is taken, while the step runs; it starts from the live children and is local to one call of `place`."""

    pools: Mapping[str, PoolObservation]
    busy: dict[SlotKey, int] = field(default_factory=dict)
    selfplay: set[str] = field(default_factory=set)
    """Pools where self-play runs."""
    cooldown: set[str] = field(default_factory=set)
    """Pools where a task runs in a cool-down slot."""
    shared: frozenset[str] = field(init=False)
    """Pools that have cool-down slots."""
    _places: dict[str, tuple[Room, ...]] = field(default_factory=dict)
    """By kind of task."""

    def __post_init__(self) -> None:
        self.shared = frozenset(
            pool.name for pool in self.pools.values() if any(slot.when == SlotTime.COOLDOWN for slot in pool.spec.slots)
        )

    def take(self, identity: TaskIdentity) -> None:
        key = (identity.pool, identity.slot)
        self.busy[key] = self.busy.get(key, 0) + identity.parallelism
        if identity.step == SELFPLAY:
            self.selfplay.add(identity.pool)
        slot = self.slot(key)
        if slot is not None and slot.when == SlotTime.COOLDOWN:
            self.cooldown.add(identity.pool)

    def slot(self, key: SlotKey) -> Slot | None:
        pool = self.pools.get(key[0])
        return next((slot for slot in pool.spec.slots if slot.name == key[1]), None) if pool is not None else None

    def places(self, wanted: WantedTask) -> tuple[Room, ...]:
        """Slots, all of them, that take tasks of this kind, best first: the fastest device, then the most CPU."""
        if wanted.kind not in self._places:
            places = [
                Room(pool, slot, slot.count, _cores(slot))
                for pool in self.pools.values()
                if may_be_used_now(pool)
                for slot in pool.spec.slots
                if _fits(pool, slot, wanted)
            ]
            places.sort(key=lambda place: _preference(place, wanted.handling))
            self._places[wanted.kind] = tuple(places)
        return self._places[wanted.kind]

    def lane(self, place: Room, wanted: WantedTask) -> Lane:
        """Where a task of this kind takes turns for a place."""
        name = place.pool.name
        return Lane(name, place.slot.name, name in self.shared and wanted.stage == Stage.SELFPLAY)

    def lanes(self, kinds: Iterable[WantedTask]) -> dict[Lane, Set[str]]:
        """Where something may begin now, and which of the kinds fit."""
        lanes: dict[Lane, set[str]] = {}
        for wanted in kinds:
            for place in self.places(wanted):
                # Of a pool with a cool-down whoever waits has a say, even at a slot that is full.
                if self.free(place) or place.pool.name in self.shared:
                    lanes.setdefault(self.lane(place, wanted), set()).add(wanted.kind)
        return dict(lanes)

    def free(self, place: Room) -> int:
        return max(0, place.slot.count - self.busy.get((place.pool.name, place.slot.name), 0))


def place(
    decisions: Sequence[Decision], elsewhere: Iterable[TaskObservation] = ()
) -> tuple[tuple[PlacedTask, ...], ...]:
    """Tasks to create, for each decision; `elsewhere` are live children of pipelines that are not among them."""
    pools = {pool.name: pool for decision in decisions for pool in decision.snapshot.pools}
    occupancy = _Occupancy(dict(sorted(pools.items())))
    children = [child for decision in decisions for child in decision.snapshot.tasks]
    for child in (*children, *elsewhere):
        if child.is_live and child.identity.pool:
            occupancy.take(child.identity)
    placed = [[_light(decision, wanted) for wanted in decision.light] for decision in decisions]
    step = _Step(decisions, occupancy)
    while step.round():
        pass
    for index, task in step.placed:
        placed[index].append(task)
    return tuple(tuple(tasks) for tasks in placed)


class _Step:
    """Gives the slots that are free to whose turn it is; local to one call of `place`."""

    def __init__(self, decisions: Sequence[Decision], occupancy: _Occupancy) -> None:
        self._decisions, self._occupancy = decisions, occupancy
        self.placed: list[tuple[int, PlacedTask]] = []
        """With which decision's they are."""
        kinds: dict[str, WantedTask] = {}
        if occupancy.shared or any(
            slot.count > occupancy.busy.get((pool.name, slot.name), 0)
            for pool in occupancy.pools.values()
            for slot in pool.spec.slots
        ):
            for decision in decisions:
                kinds.update(decision.kinds)
        self._lanes = occupancy.lanes(kinds.values())
        self._turns = Turns(
            decisions, self._lanes, lambda decision, pool: is_reachable(decision.snapshot, occupancy.pools[pool])
        )
        self._reservations = Reservations()
        # Cool-down tasks that are due come first; those that still find no room hold new self-play back.
        due = pools_due_for_cooldown([decision.status for decision in decisions], occupancy.pools)
        self._due = [lane for lane in self._lanes if lane.pool in due and self._is_cooldown(lane)]

    def round(self) -> bool:
        """Places what finds room; whether it has to be done once more: who starts may leave a turn, or what it had
        reserved, to others that have been passed by."""
        self._reservations, before = Reservations(), len(self.placed)
        for lane, head in self._turns.in_order(self._due):
            if not self._start(head):
                self._reservations.reserve_pool(lane)
        for lane, head in self._turns.in_order(self._lanes):
            if self._start(head):
                continue
            if lane.is_selfplay:
                self._reservations.reserve_pool(lane)
            elif self._turns.wanted(head).demand.places > 1:
                self._reservations.reserve_slot(lane)
        return len(self.placed) > before

    def _start(self, head: Head) -> bool:
        """Starts the task whose turn it is, in the best of the places where it is its turn; whether there is any."""
        wanted, decision = self._turns.wanted(head), self._decisions[head.decision]
        places = self._occupancy.places(wanted)
        rooms = [room for place in places if (room := self._room(place, wanted, head)) is not None]
        if not rooms:
            return False
        tasks = _tasks(decision.snapshot, wanted, rooms)
        lanes = {(room.pool.name, room.slot.name): self._occupancy.lane(room, wanted) for room in rooms}
        theirs = [lanes[task.identity.pool, task.identity.slot] for task in tasks]
        turns = self._turns.take(head, theirs)
        for task, lane in zip(tasks, theirs, strict=True):
            self._occupancy.take(task.identity)
            self.placed.append((head.decision, replace(task, turn=turns[lane])))
        return True

    def _room(self, place: Room, wanted: WantedTask, head: Head) -> Room | None:
        """What of a place this task may have now; None when it is not its turn there, or nothing is free."""
        lane = self._occupancy.lane(place, wanted)
        free = self._occupancy.free(place)
        if free < wanted.demand.places or not self._may_begin(lane):
            return None
        first = self._turns.first(lane) if lane in self._lanes else None
        if first is None or (first.decision, first.task) != (head.decision, head.task):
            return None
        beside = lane._replace(is_selfplay=not lane.is_selfplay)
        other = self._turns.first(beside) if beside in self._lanes and self._may_begin(beside) else None
        return Room(place.pool, place.slot, free, place.cores) if other is None or first < other else None

    def _may_begin(self, lane: Lane) -> bool:
        """Cool-down slots and self-play exclude each other on a pool; what is reserved waits for whom it is."""
        if self._reservations.keep_slot(lane):
            return False
        if lane.is_selfplay:
            return lane.pool not in self._occupancy.cooldown and not self._reservations.keep_from_selfplay(lane.pool)
        if self._is_cooldown(lane):
            return lane.pool not in self._occupancy.selfplay and not self._reservations.keep_from_cooldown(lane.pool)
        return True

    def _is_cooldown(self, lane: Lane) -> bool:
        slot = self._occupancy.slot((lane.pool, lane.slot))
        return slot is not None and slot.when == SlotTime.COOLDOWN


def _light(decision: Decision, wanted: WantedTask) -> PlacedTask:
    """A task that takes no slot runs at once."""
    identity = _identity(decision.snapshot, wanted, wanted.part, "", "", 1)
    return PlacedTask(task_name(identity), identity, wanted.parameters, None, None)


def _tasks(snapshot: Snapshot, wanted: WantedTask, rooms: list[Room]) -> list[PlacedTask]:
    """What one wanted task becomes in the rooms that it may have: one task, or the parts of divided self-play."""
    if isinstance(wanted.parameters, SelfplayParameters):
        return _selfplay(snapshot, wanted, wanted.parameters, rooms)
    room = rooms[0]
    demand = wanted.demand
    identity = _identity(snapshot, wanted, wanted.part, room.pool.name, room.slot.name, demand.places)
    parameters = _on(snapshot, room, wanted.handling, wanted.parameters)
    if demand.is_distributed:
        parameters = changed(parameters, distributed=True)
    return [
        PlacedTask(
            name=task_name(identity, demand.places),
            identity=identity,
            parameters=parameters,
            pool=room.pool,
            slot=room.slot,
            demand=demand,
        )
    ]


def _selfplay(
    snapshot: Snapshot, wanted: WantedTask, parameters: SelfplayParameters, rooms: list[Room]
) -> list[PlacedTask]:
    whole = parameters.shard
    shares = divided(whole.first, whole.last, rooms if wanted.is_divisible else rooms[:1], wanted.is_divisible)
    tasks = []
    for part, share in enumerate(shares):
        room = share.room
        is_job = room.pool.spec.type == PoolType.CLUSTER
        number = part if wanted.is_divisible else wanted.part
        identity = _identity(snapshot, wanted, number, room.pool.name, room.slot.name, share.slots)
        shard = Shards(share.first, share.last, whole.total)
        told = _on(snapshot, room, wanted.handling, changed(parameters, shard=shard))
        completions = share.last - share.first + 1 if is_job else 0
        tasks.append(PlacedTask(task_name(identity), identity, told, room.pool, room.slot, completions))
    return tasks


def _identity(snapshot: Snapshot, wanted: WantedTask, part: int, pool: str, slot: str, slots: int) -> TaskIdentity:
    return TaskIdentity(
        pipeline=snapshot.name,
        configuration=wanted.configuration,
        iteration=wanted.iteration,
        step=wanted.step,
        attempt=wanted.attempt,
        part=part,
        pool=pool,
        slot=slot,
        parallelism=slots,
    )


def _on(snapshot: Snapshot, room: Room, handling: Handling, parameters: StageParameters) -> StageParameters:
    """The parameters as this slot's machine needs them: its device, its threads, its view of the store."""
    if handling.takes_device:
        parameters = changed(parameters, device=room.slot.device)
    if handling.takes_workers and room.slot.max_workers is not None:
        workers = min(dict(parameters)["workers"], room.slot.max_workers)
        parameters = changed(parameters, workers=workers)
    is_claim = snapshot.spec.artifacts.persistent_volume_claim is not None and snapshot.local_store is None
    folder = room.pool.spec.artifacts_path
    return moved(parameters, f"file://{folder.rstrip('/')}") if is_claim and folder is not None else parameters


def _fits(pool: PoolObservation, slot: Slot, wanted: WantedTask) -> bool:
    return fits(pool, slot, wanted.handling.facts.listed_as, wanted.board, wanted.players, wanted.demand)


def _preference(room: Room, handling: Handling) -> tuple[int, int, Decimal, str, str]:
    """Some look for the fastest device, everything else leaves those free; a cool-down slot is the last resort."""
    device = _DEVICE_RANK[room.slot.device]
    when = int(room.slot.when == SlotTime.COOLDOWN)
    rank = device if handling.prefers_accelerator else -device
    return rank, when, -room.cores, room.pool.name, room.slot.name


def _cores(slot: Slot) -> Decimal:
    return max(quantity_value(slot.resources.get("cpu", "1")), Decimal("0.001"))


def pools_due_for_cooldown(
    statuses: Iterable[TrainingPipelineStatus], pools: Mapping[str, PoolObservation]
) -> frozenset[str]:
    """Pools where self-play has ended since a task last began in a cool-down slot."""
    if not any(slot.when == SlotTime.COOLDOWN for pool in pools.values() for slot in pool.spec.slots):
        return frozenset()
    selfplay_ended: dict[str, datetime] = {}
    cooldown_began: dict[str, datetime] = {}
    for task in (task for status in statuses for c in status.configurations for task in c.tasks):
        if task.placement is None:
            continue
        pool = task.placement.pool
        if task.name == SELFPLAY and task.finished_at is not None:
            selfplay_ended[pool] = max(selfplay_ended.get(pool, task.finished_at), task.finished_at)
        elif task.started_at is not None and _is_in_cooldown(task, pools.get(pool)):
            cooldown_began[pool] = max(cooldown_began.get(pool, task.started_at), task.started_at)
    return frozenset(
        pool
        for pool, ended in selfplay_ended.items()
        if pool in pools and (pool not in cooldown_began or cooldown_began[pool] < ended)
    )


def _is_in_cooldown(task: TaskStatus, pool: PoolObservation | None) -> bool:
    if pool is None or task.placement is None:
        return False
    return any(slot.name == task.placement.slot and slot.when == SlotTime.COOLDOWN for slot in pool.spec.slots)
