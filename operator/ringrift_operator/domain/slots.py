"""Which slot takes which stage: what never changes while a task waits (domain/placement.py adds what is free)."""

from __future__ import annotations

from ringrift_core.contract import Board, Device, Stage
from ringrift_operator.api.pool import PoolType, Slot, SlotTime
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


def fits(
    pool: PoolObservation, slot: Slot, stage: Stage, board: Board, players: int, needs_cuda: bool, slots: int
) -> bool:
    """Whether the slot takes a stage, by the name that slots list it as, of this configuration, in so many of its
    places at once."""
    return (
        stage.value in slot.stages
        and (not pool.spec.boards or board in pool.spec.boards)
        and (not pool.spec.players or players in pool.spec.players)
        and (slot.device == Device.CUDA or not needs_cuda)
        and slot.count >= slots
        and not (stage == Stage.SELFPLAY and slot.when == SlotTime.COOLDOWN)
    )


def may_be_used_now(pool: PoolObservation) -> bool:
    """Cluster pools are used even when offline, since autoscalers start from zero nodes; runners only when online."""
    return not pool.spec.suspend and (pool.online or pool.spec.type == PoolType.CLUSTER)
