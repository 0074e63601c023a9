"""WorkerPool: what there is to train on. Pools come with the Helm release, one file per environment."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ringrift_core.contract import MOST_STAGES, STAGES, Board, Device, Known, Stage
from ringrift_operator.api.base import NAME_RULE, ObjectMeta, PrinterColumn, Resource, Value, name_fits
from ringrift_operator.api.conditions import Conditions
from ringrift_operator.api.lists import ListMap, ListSet
from ringrift_operator.api.rules import rule
from ringrift_operator.api.scalars import PositiveDuration, Quantity


class PoolType(enum.StrEnum):
    CLUSTER = "Cluster"
    """Tasks are Jobs."""
    RUNNER = "Runner"
    """Tasks are RemoteTasks, fetched by `ringrift-runner` on a machine outside the cluster."""


def slot_stages() -> Iterator[Stage]:
    """Stages that slots list: the light ones take none (design.md section 3), and some take those of another."""
    return (stage for stage, facts in STAGES.items() if not facts.is_light and facts.takes_slots_of is None)


SlotStages = Annotated[
    tuple[Annotated[Stage, Known(slot_stages)], ...], ListSet(), Field(min_length=1, max_length=MOST_STAGES)
]


class SlotTime(enum.StrEnum):
    """When a slot may be used."""

    ALWAYS = "Always"
    COOLDOWN = "Cooldown"
    """Only while no self-play runs on the pool."""


SHARD_VARIABLE = "JOB_COMPLETION_INDEX"
"""Kubernetes tells an Indexed Job's Pods by it which they are, unless it is set already."""


class EnvironmentVariable(Value):
    """One variable of a stage's container, as in a Pod's spec."""

    name: str = Field(min_length=1, max_length=253, description="Its name.")
    value: str | None = Field(default=None, max_length=32_768, description="Its value; $(NAME) is another's.")
    value_from: dict[str, Any] | None = Field(default=None, description="Where its value is: secretKeyRef, fieldRef.")

    @rule(
        "!(has(self.value) && has(self.valueFrom))",
        "a variable has a value or a place to take it from: leave out value or valueFrom",
    )
    def _one_source(self) -> bool:
        return self.value is None or self.value_from is None


class PodTemplate(Value):
    """What Jobs of a Cluster pool get besides image, command and resources."""

    labels: dict[str, str] = Field(default={}, max_length=64, description="Labels of Jobs and Pods.")
    annotations: dict[str, str] = Field(default={}, max_length=64, description="Annotations of Pods.")
    node_selector: dict[str, str] = Field(default={}, max_length=64, description="Labels a node must have.")
    tolerations: tuple[dict[str, Any], ...] = Field(default=(), max_length=64, description="Taints that are accepted.")
    affinity: dict[str, Any] | None = Field(default=None, description="Pod affinity, as in a Pod's spec.")
    priority_class_name: str | None = Field(default=None, max_length=253, description="PriorityClass of the Pods.")
    pod_security_context: dict[str, Any] | None = Field(
        default=None, description="Security context of the Pods, instead of the release's."
    )
    security_context: dict[str, Any] | None = Field(
        default=None, description="Security context of the stage's container, instead of the release's."
    )
    volumes: tuple[dict[str, Any], ...] = Field(default=(), max_length=64, description="Volumes, as in a Pod's spec.")
    volume_mounts: tuple[dict[str, Any], ...] = Field(
        default=(), max_length=64, description="Where the stage's container sees them."
    )
    env: Annotated[tuple[EnvironmentVariable, ...], ListMap(("name",))] = Field(
        default=(), max_length=64, description="Variables of the stage's container; they go before those of Secrets."
    )
    env_from: tuple[dict[str, Any], ...] = Field(
        default=(),
        max_length=16,
        description="ConfigMaps and Secrets whose keys become variables; the pipeline's own Secrets go before them.",
    )
    runtime_class_name: str | None = Field(default=None, max_length=253, description="RuntimeClass of the Pods.")
    scheduler_name: str | None = Field(
        default=None, max_length=253, description="Scheduler of the Pods, instead of the cluster's own."
    )
    topology_spread_constraints: tuple[dict[str, Any], ...] = Field(
        default=(), max_length=16, description="How Pods are spread over nodes and zones, as in a Pod's spec."
    )
    shared_memory: Quantity | None = Field(
        default=None,
        description="Size of /dev/shm, a part of the slot's memory; omitted: the container runtime's, often 64Mi.",
    )

    @rule(
        f"!has(self.env) || !self.env.exists(e, e.name == '{SHARD_VARIABLE}')",
        f"{SHARD_VARIABLE} tells a Pod which shard it plays: take it out of env",
        path=".env",
    )
    def _shards_are_told(self) -> bool:
        return all(variable.name != SHARD_VARIABLE for variable in self.env)


class Queue(Value):
    """Where Jobs are held until Kueue admits them."""

    name: str = Field(
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        description="LocalQueue of the pipeline's namespace.",
    )
    priority_class: str | None = Field(
        default=None,
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        description="WorkloadPriorityClass: who goes first and may preempt whom; omitted: the Pods' PriorityClass.",
    )


class Slot(Value):
    """Tasks that may be in flight at once on a pool, and what each of them gets."""

    name: str = Field(
        min_length=1, max_length=40, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", description="Name within the pool."
    )
    stages: SlotStages = Field(description="Stages it takes.")
    resources: dict[str, Quantity] = Field(
        max_length=16, description="What one task gets, as requests and as limits: cpu, memory, nvidia.com/gpu."
    )
    count: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Tasks in flight at once; of a pool with a queue also those that it holds.",
    )
    device: Device = Field(default=Device.CPU, description="What computes here.")
    deadline: PositiveDuration = Field(
        default=timedelta(hours=24),
        description="A task that takes longer is ended; the time counts from when a node has taken its Pod.",
    )
    when: SlotTime = Field(default=SlotTime.ALWAYS, description="Cooldown: only while no self-play runs on this pool.")
    max_workers: int | None = Field(
        default=None, ge=1, le=1024, description="Threads at most; omitted: the pipeline's number."
    )
    min_batch: int | None = Field(
        default=None,
        ge=1,
        le=1_048_576,
        description="Trainings of smaller batches are left to other slots, and wait for those, unless they are of "
        "several processes.",
    )

    @rule(
        "'memory' in self.resources",
        "a slot needs resources.memory, such as memory: 4Gi: without a limit one task could take the whole machine",
        path=".resources",
    )
    def _memory_given(self) -> bool:
        return "memory" in self.resources


class WorkerPoolSpec(Value):
    """What a group of like machines offers."""

    type: PoolType = Field(description="Cluster: tasks are Jobs; Runner: tasks are fetched by a machine outside.")
    boards: Annotated[tuple[Board, ...], ListSet()] = Field(
        default=(), max_length=len(Board), description="Boards it takes; empty: all."
    )
    players: Annotated[tuple[Annotated[int, Field(ge=2, le=4)], ...], ListSet()] = Field(
        default=(), max_length=3, description="Player counts it takes; empty: all."
    )
    suspend: bool = Field(default=False, description="Give it nothing new.")
    image: str = Field(
        default="", max_length=512, description="Image of its Jobs; empty: the release's, for CPU work or for training."
    )
    pod_template: PodTemplate | None = Field(default=None, description="What its Jobs get besides; Cluster only.")
    queue: Queue | None = Field(
        default=None, description="Its Jobs are created suspended, and run once Kueue admits them; Cluster only."
    )
    artifacts_path: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="Folder where a claim's artifacts are found on the runner's machine; Runner only.",
    )
    slots: Annotated[tuple[Slot, ...], ListMap(("name",))] = Field(
        min_length=1, max_length=32, description="What may run here at once."
    )

    @rule(
        "self.type != 'Runner' || !has(self.podTemplate)",
        "a Runner pool has no Pods: remove podTemplate, or make the pool's type Cluster",
        path=".podTemplate",
    )
    def _runner_without_pods(self) -> bool:
        return self.type != PoolType.RUNNER or self.pod_template is None

    @rule(
        "self.type != 'Runner' || !has(self.queue)",
        "a Runner pool has no Jobs that a queue could hold: remove queue, or make the pool's type Cluster",
        path=".queue",
    )
    def _runner_without_queue(self) -> bool:
        return self.type != PoolType.RUNNER or self.queue is None

    @rule(
        "self.type != 'Cluster' || self.slots.all(s, s.device != 'mps')",
        "device mps exists on Macs only: use cpu or cuda, or make the pool's type Runner",
        path=".slots",
    )
    def _no_mps_in_cluster(self) -> bool:
        return self.type != PoolType.CLUSTER or all(slot.device != Device.MPS for slot in self.slots)

    @rule(
        "self.type != 'Cluster' || !has(self.artifactsPath)",
        "artifactsPath is for Runner pools: Jobs of a Cluster pool mount the claim; remove it",
        path=".artifactsPath",
    )
    def _cluster_mounts_claims(self) -> bool:
        return self.type != PoolType.CLUSTER or self.artifacts_path is None


class SlotStatus(Value):
    """How much of a slot is in use."""

    name: str = Field(max_length=40, description="Slot.")
    busy: int = Field(default=0, ge=0, description="Tasks in flight: running, or waiting for a node or a queue.")
    count: int = Field(default=0, ge=0, description="Tasks that may be in flight at once.")


class WorkerPoolStatus(Value):
    """Written by the operator."""

    observed_generation: int | None = Field(default=None, ge=0, description="Generation of the spec this is about.")
    online: bool = Field(default=False, description="Cluster: a node matches; Runner: its Lease is fresh.")
    busy: int = Field(default=0, ge=0, description="Tasks in flight, all slots together.")
    capacity: int = Field(default=0, ge=0, description="Tasks that may be in flight at once, all slots together.")
    slots: Annotated[tuple[SlotStatus, ...], ListMap(("name",))] = Field(
        default=(), max_length=32, description="Use of each slot."
    )
    conditions: Conditions = Field(default=(), description="Ready, or why not.")


class WorkerPool(Resource):
    """What there is to train on."""

    plural: ClassVar[str] = "workerpools"
    short_names: ClassVar[tuple[str, ...]] = ("wp",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn("Type", ".spec.type"),
        PrinterColumn("Online", ".status.online", "boolean"),
        PrinterColumn("Busy", ".status.busy", "integer", description="Tasks in flight"),
        PrinterColumn("Capacity", ".status.capacity", "integer", description="Tasks that may be in flight at once"),
        PrinterColumn("Suspended", ".spec.suspend", "boolean"),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        PrinterColumn("Boards", ".spec.boards", is_wide=True),
        PrinterColumn("Players", ".spec.players", is_wide=True),
        PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', is_wide=True),
    )

    kind: Literal["WorkerPool"] = "WorkerPool"
    metadata: ObjectMeta
    spec: WorkerPoolSpec = Field(description="What the pool offers.")
    status: WorkerPoolStatus = Field(default=WorkerPoolStatus(), description="How it is used; written by the operator.")

    @rule(*NAME_RULE)
    def _name_fits(self) -> bool:
        return name_fits(self.metadata.name)
