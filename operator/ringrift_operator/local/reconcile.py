"""The operator's loop on one machine: gather, plan, carry out; with processes for Jobs, and a file for status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ringrift_core.contract import AdoptParameters, Holder, Progress
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline import TrainingPipeline
from ringrift_operator.api.pipeline_status import PipelinePhase
from ringrift_operator.api.resolve import resolve
from ringrift_operator.domain.plan import Event, Plan
from ringrift_operator.domain.planning import plan_all
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from ringrift_operator.domain.snapshot import KeptRecord, OtherPipeline, PoolObservation, Snapshot, TaskObservation
from ringrift_operator.domain.stalls import failing_task, held_task
from ringrift_operator.local.children import Children
from ringrift_operator.local.folder import Folder
from ringrift_operator.local.machine import machine_name

Listener = Callable[[datetime, str, Sequence[Event]], None]
"""Told of events: when, of which pipeline, which."""


@dataclass(slots=True)
class Local:
    """One pipeline on this machine."""

    pipeline: TrainingPipeline
    store: str
    folder: Folder
    processes: Children
    records: list[TrainingIteration]
    children: tuple[TaskObservation, ...] = ()
    recipes: Recipes = SHIPPED
    is_at_rest: bool = False
    """Nothing runs, nothing is planned, and waiting would change nothing."""

    @property
    def name(self) -> str:
        return self.pipeline.metadata.name

    @property
    def phase(self) -> PipelinePhase:
        return self.pipeline.status.phase

    @property
    def progress(self) -> dict[str, Progress]:
        return self.processes.progress()


def turn(pipelines: Sequence[Local], pools: tuple[PoolObservation, ...], tell: Listener) -> None:
    """One pass over all pipelines."""
    now = datetime.now(UTC)
    for local in pipelines:
        local.children = local.processes.observe()
    plans = plan_all([snapshot_of(local, pipelines, pools, now) for local in pipelines])
    for local, plan in zip(pipelines, plans, strict=True):
        _carry_out(local, plan, now)
        if plan.events:
            local.folder.tell(now, plan.events)
            tell(now, local.name, plan.events)
        local.is_at_rest = plan.is_empty and not local.processes.has_live and _has_nothing_to_wait_for(plan, now)


def snapshot_of(
    local: Local, pipelines: Sequence[Local], pools: tuple[PoolObservation, ...], now: datetime
) -> Snapshot:
    """What the domain is to know of one pipeline."""
    metadata = local.pipeline.metadata
    return Snapshot(
        now=now,
        name=metadata.name,
        namespace=metadata.namespace or "local",
        uid=metadata.uid or metadata.name,
        generation=metadata.generation or 1,
        created_at=metadata.creation_timestamp or now,
        spec=local.pipeline.spec,
        status=local.pipeline.status,
        pools=pools,
        tasks=local.children,
        others=tuple(_other(other) for other in pipelines if other is not local),
        records=tuple(
            KeptRecord(record.metadata.name, record.spec.configuration, record.spec.iteration)
            for record in local.records
        ),
        annotations=metadata.annotations,
        local_store=local.store,
        cluster=machine_name(),
        recipes=local.recipes,
    )


def giving_back(local: Local) -> dict[str, AdoptParameters]:
    """What gives the claims of the pipeline's configurations back, by the names of the tasks."""
    holder = Holder(cluster=machine_name(), namespace=local.pipeline.metadata.namespace or "local", pipeline=local.name)
    return {
        f"{configuration.name}-give-back": AdoptParameters(
            store=local.store, board=configuration.board, players=configuration.players, holder=holder, give_back=True
        )
        for configuration in local.pipeline.status.configurations
        if configuration.adopted
    }


def _other(local: Local) -> OtherPipeline:
    metadata, spec = local.pipeline.metadata, local.pipeline.spec
    return OtherPipeline(
        name=metadata.name,
        uid=metadata.uid or metadata.name,
        created_at=metadata.creation_timestamp or datetime.now(UTC),
        artifacts=spec.artifacts,
        configurations=frozenset(resolve(configuration, spec).name for configuration in spec.configurations),
        namespace=metadata.namespace or "local",
    )


def _carry_out(local: Local, plan: Plan, now: datetime) -> None:
    """In the plan's order: whatever a kill interrupts is planned again by the next run."""
    for record in plan.records:
        local.folder.add_record(record)
    if plan.status != local.pipeline.status:
        local.pipeline = local.pipeline.model_copy(update={"status": plan.status})
        local.folder.save(local.pipeline)
    for task in plan.create:
        local.processes.begin(task, now)
    for name in plan.delete:
        local.processes.forget(name)
    for name in plan.expired_records:
        local.folder.drop_record(name)
    if plan.records or plan.expired_records:
        local.records = local.folder.records()


def _has_nothing_to_wait_for(plan: Plan, now: datetime) -> bool:
    if plan.status.phase == PipelinePhase.COMPLETED:
        return True
    # A cool-down or a back-off ends by itself; what has failed so often waits for somebody to look at it.
    pausing = (each for each in plan.status.configurations if any(task.pauses(now) for task in each.tasks))
    return all(failing_task(each) or held_task(each) for each in pausing)
