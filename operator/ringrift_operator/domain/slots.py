"""Which slot takes which stage: what never changes while a task waits (domain/placement.py adds what is free)."""

from __future__ import annotations

from collections.abc import Mapping

from ringrift_core.contract import Board, Device, Stage
from ringrift_operator.api.pool import PoolType, Slot, SlotTime
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.domain.recipe import Demand, Step
from ringrift_operator.domain.snapshot import PoolObservation, Snapshot


def is_selected(snapshot: Snapshot, pool: PoolObservation) -> bool:
    """Whether the pipeline uses the pool at all."""
    selector = snapshot.spec.pool_selector
    return selector is None or selector.matches(pool.labels)


def is_reachable(snapshot: Snapshot, pool: PoolObservation) -> bool:
    """Whether the pool's machines can see the pipeline's artifacts: a claim is mounted by Jobs only."""
    is_claim = snapshot.spec.artifacts.persistent_volume_claim is not None and snapshot.local_store is None
    has_folder = pool.spec.artifacts_path is not None
    return is_selected(snapshot, pool) and (not is_claim or pool.spec.type == PoolType.CLUSTER or has_folder)


def demand_of(snapshot: Snapshot, step: Step, values: ResolvedConfiguration) -> Demand:
    """What a step asks of a slot. `ringrift-operator local` trains in one process what a cluster trains in several."""
    demand = step.demand(values)
    return demand if snapshot.local_store is None else demand.alone


def fits(pool: PoolObservation, slot: Slot, stage: Stage, board: Board, players: int, demand: Demand) -> bool:
    """Whether the slot takes a stage, by the name that slots list it as, of this configuration."""
    return (
        stage.value in slot.stages
        and (not pool.spec.boards or board in pool.spec.boards)
        and (not pool.spec.players or players in pool.spec.players)
        and (slot.device == Device.CUDA or not demand.cuda)
        and (_takes_together(pool, slot, demand) if demand.is_distributed else _takes_batch(slot, demand))
        and not (stage == Stage.SELFPLAY and slot.when == SlotTime.COOLDOWN)
    )


def pools_for(snapshot: Snapshot, step: Step, values: ResolvedConfiguration) -> tuple[PoolObservation, ...]:
    """Pools with a slot for a step of this configuration, be they busy, suspended, offline or not."""
    demand = demand_of(snapshot, step, values)
    return tuple(
        pool
        for pool in snapshot.pools
        if is_reachable(snapshot, pool)
        and any(fits(pool, slot, step.listed_as, values.board, values.players, demand) for slot in pool.spec.slots)
    )


def _takes_batch(slot: Slot, demand: Demand) -> bool:
    """A slot that costs money may leave small trainings to others."""
    return not demand.batch or slot.min_batch is None or demand.batch >= slot.min_batch


def _takes_together(pool: PoolObservation, slot: Slot, demand: Demand) -> bool:
    """Whether so many processes can work here together: Pods alone are given a network, and each process a GPU of
    its own where there are any. What asks for several machines is what machines that cost money are for."""
    has_devices = slot.device == Device.CPU or demand.processes <= gpus(slot.resources)
    return pool.spec.type == PoolType.CLUSTER and slot.count >= demand.places and has_devices


def gpus(resources: Mapping[str, str]) -> int:
    """GPUs among these resources; one where none is named, for there are nodes that share theirs out otherwise."""
    return max(1, int(sum(quantity_value(amount) for name, amount in resources.items() if is_gpu(name))))


def is_gpu(resource: str) -> bool:
    """Whether a resource is GPUs: nvidia.com/gpu, amd.com/gpu."""
    return resource.endswith("/gpu")


def may_be_used_now(pool: PoolObservation) -> bool:
    """Cluster pools are used even when offline, since autoscalers start from zero nodes; runners only when online."""
    return not pool.spec.suspend and (pool.online or pool.spec.type == PoolType.CLUSTER)
