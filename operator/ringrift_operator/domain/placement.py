"""Finds room: one serial, pure step over the wanted tasks of all pipelines of a namespace (design.md section 5).

The configuration that has waited longest goes first. Self-play that is placed for the first time is divided over all
slots then free; a waiting cool-down task goes before new self-play once self-play has ended on its pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from heapq import heapify, heappop, heapreplace

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
from ringrift_operator.domain.naming import task_name
from ringrift_operator.domain.plan import LIGHT, Decision, PlacedTask, Turn, WantedTask
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
    held: set[str] = field(default_factory=set)
    """Pools whose new self-play waits for a cool-down task."""
    _places: dict[str, tuple[Room, ...]] = field(default_factory=dict)
    """By kind of task."""

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

    def rooms(self, snapshot: Snapshot, wanted: WantedTask) -> list[Room]:
        """What is free now for a task of this pipeline, best first."""
        return [
            Room(place.pool, place.slot, free, place.cores)
            for place in self.places(wanted)
            if (free := self.free_for(place, wanted)) and is_reachable(snapshot, place.pool)
        ]

    def free_for(self, place: Room, wanted: WantedTask) -> int:
        """How many tasks of this kind could begin there now."""
        busy = self.busy.get((place.pool.name, place.slot.name), 0)
        return max(0, place.slot.count - busy) if self._may_begin(place.pool, place.slot, wanted.stage) else 0

    def is_open(self, wanted: WantedTask) -> bool:
        """Whether some pipeline's task of this kind could begin now. What has closed stays so: nothing ends here."""
        return wanted.kind == LIGHT or any(self.free_for(place, wanted) for place in self.places(wanted))

    def _may_begin(self, pool: PoolObservation, slot: Slot, stage: Stage) -> bool:
        """Cool-down slots and self-play exclude each other on a pool."""
        if stage == Stage.SELFPLAY:
            return pool.name not in self.cooldown and pool.name not in self.held
        return slot.when != SlotTime.COOLDOWN or pool.name not in self.selfplay


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
    placed: list[list[PlacedTask]] = [[] for _ in decisions]
    kinds = {wanted.kind: wanted for decision in decisions for wanted in decision.wanted}

    def find(index: int, wanted: WantedTask) -> bool:
        found = _find(decisions[index].snapshot, wanted, occupancy)
        placed[index] += found
        return bool(found)

    # Cool-down tasks that are due come first; those that still find no room hold new self-play back.
    due = pools_due_for_cooldown([decision.status for decision in decisions], occupancy.pools)
    first = {kind for kind, wanted in kinds.items() if _is_due(wanted, occupancy, due)}
    for index, wanted in _in_turn(decisions, first):
        if not find(index, wanted):
            occupancy.held |= {pool for pool in due if _takes_in_cooldown(occupancy.pools[pool], wanted)}
    open_kinds = {kind for kind, wanted in kinds.items() if kind not in first and occupancy.is_open(wanted)}
    for index, wanted in _in_turn(decisions, open_kinds):
        if find(index, wanted) and not occupancy.is_open(wanted):
            open_kinds -= {kind for kind in open_kinds if not occupancy.is_open(kinds[kind])}
    return tuple(tuple(tasks) for tasks in placed)


def _in_turn(decisions: Sequence[Decision], kinds: Set[str]) -> Iterator[tuple[int, WantedTask]]:
    """The wanted tasks of these kinds, of all decisions in turn; of a kind that leaves `kinds` meanwhile no more.

    Each decision has its own in order, so only the first of each is compared, and what nobody asks for is never sorted.
    """

    def ahead(index: int, position: int) -> tuple[Turn, int, int] | None:
        decision = decisions[index]
        for at in range(position, len(decision.wanted)):
            if decision.wanted[at].kind in kinds:
                return decision.turns[at], index, at
        return None

    heads = [head for index in range(len(decisions)) if (head := ahead(index, 0)) is not None]
    heapify(heads)
    while heads and kinds:
        _, index, at = heads[0]
        wanted = decisions[index].wanted[at]
        if wanted.kind in kinds:
            yield index, wanted
        following = ahead(index, at + 1)
        if following is None:
            heappop(heads)
        else:
            heapreplace(heads, following)


def _find(snapshot: Snapshot, wanted: WantedTask, occupancy: _Occupancy) -> list[PlacedTask]:
    """Room for one wanted task, taken at once: none, one task, or the parts of divided self-play."""
    if wanted.kind == LIGHT:
        identity = _identity(snapshot, wanted, wanted.part, "", "", 1)
        return [PlacedTask(task_name(identity), identity, wanted.parameters, None, None)]
    rooms = occupancy.rooms(snapshot, wanted)
    if not rooms:
        return []
    if isinstance(wanted.parameters, SelfplayParameters):
        tasks = _selfplay(snapshot, wanted, wanted.parameters, rooms)
    else:
        room = rooms[0]
        identity = _identity(snapshot, wanted, wanted.part, room.pool.name, room.slot.name, 1)
        parameters = _on(snapshot, room, wanted.handling, wanted.parameters)
        tasks = [PlacedTask(task_name(identity), identity, parameters, room.pool, room.slot)]
    for task in tasks:
        occupancy.take(task.identity)
    return tasks


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
    return fits(pool, slot, wanted.stage, wanted.board, wanted.players, wanted.needs_cuda)


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


def _is_due(wanted: WantedTask, occupancy: _Occupancy, due: frozenset[str]) -> bool:
    return any(_takes_in_cooldown(occupancy.pools[pool], wanted) for pool in due)


def _takes_in_cooldown(pool: PoolObservation, wanted: WantedTask) -> bool:
    """Whether the task could run in a cool-down slot of this pool."""
    if not may_be_used_now(pool):
        return False
    return any(slot.when == SlotTime.COOLDOWN and _fits(pool, slot, wanted) for slot in pool.spec.slots)
