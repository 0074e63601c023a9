"""RemoteTask: one stage given to a Runner pool, written by the operator, claimed and answered by `ringrift-runner`."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from ringrift_core.contract import Device, Shards, Stage, StageResult
from ringrift_operator.api.base import ObjectMeta, PrinterColumn, Resource, Value
from ringrift_operator.api.rules import transition
from ringrift_operator.api.scalars import PositiveDuration, Quantity


class TaskPhase(enum.StrEnum):
    PENDING = "Pending"
    CLAIMED = "Claimed"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    LOST = "Lost"
    """The runner was silent for 60 s; a late result is ignored."""


ENDED = frozenset({TaskPhase.SUCCEEDED, TaskPhase.FAILED, TaskPhase.LOST})
"""Phases that never change again."""


class RemoteTaskSpec(Value):
    """What to do. A task names a stage and parameters, never a command line."""

    pipeline: str = Field(max_length=63, description="TrainingPipeline it belongs to.")
    configuration: str = Field(max_length=63, description="<board>-<players>p.")
    iteration: int = Field(ge=0, description="Iteration of the loop; 0 outside of one.")
    stage: Stage = Field(description="Stage to run.")
    attempt: int = Field(ge=1, description="Which try this is.")
    pool: str = Field(max_length=63, description="WorkerPool whose runner may claim it.")
    slot: str = Field(max_length=63, description="Slot of the pool it takes.")
    shards: Shards | None = Field(default=None, description="Shards of self-play, I/N or FIRST-LAST/N.")
    parameters: dict[str, Any] = Field(description="The stage's parameters (ringrift_core.contract).")
    output: str = Field(max_length=1024, description="URI prefix that its outputs lie under.")
    resources: dict[str, Quantity] = Field(max_length=16, description="What it gets; above the memory it is ended.")
    device: Device = Field(default=Device.CPU, description="What computes.")
    deadline: PositiveDuration = Field(default=timedelta(hours=24), description="Ended when it takes longer.")

    @transition("self == oldSelf", "a RemoteTask's spec cannot be changed: delete the task and create another")
    def _unchanged(self, old: RemoteTaskSpec) -> bool:
        return self == old


class RemoteTaskStatus(Value):
    """Written by the runner that holds the task; Lost is written by the operator."""

    phase: TaskPhase = Field(default=TaskPhase.PENDING, description="How far it is.")
    holder: str = Field(default="", max_length=253, description="Runner that claimed it.")
    progress: float = Field(default=0, ge=0, le=1, description="Part done.")
    message: str = Field(default="", max_length=1024, description="Progress or failure, as a line for people.")
    cpu_seconds: float | None = Field(default=None, ge=0, description="CPU time of its process, since it began.")
    gpu: float | None = Field(
        default=None, ge=0, le=1, description="Part of the last second in which its NVIDIA GPU worked."
    )
    reason: str = Field(default="", max_length=63, description="Why it failed, in a word: OOMKilled, DeadlineExceeded.")
    exit_code: int | None = Field(default=None, description="How the stage's process ended.")
    claimed_at: datetime | None = Field(default=None, description="When it was claimed.")
    finished_at: datetime | None = Field(default=None, description="When it ended.")
    result: StageResult | None = Field(default=None, description="The stage's answer.")


class RemoteTask(Resource):
    """One stage given to a Runner pool."""

    plural: ClassVar[str] = "remotetasks"
    short_names: ClassVar[tuple[str, ...]] = ("rt",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn("Stage", ".spec.stage"),
        PrinterColumn("Configuration", ".spec.configuration"),
        PrinterColumn("Iteration", ".spec.iteration", "integer"),
        PrinterColumn("Pool", ".spec.pool"),
        PrinterColumn("Phase", ".status.phase"),
        PrinterColumn("Progress", ".status.progress", "number", description="From 0 to 1"),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        PrinterColumn("Pipeline", ".spec.pipeline", is_wide=True),
        PrinterColumn("Attempt", ".spec.attempt", "integer", is_wide=True),
        PrinterColumn("Holder", ".status.holder", is_wide=True),
        PrinterColumn("Message", ".status.message", is_wide=True),
    )

    kind: Literal["RemoteTask"] = "RemoteTask"
    metadata: ObjectMeta
    spec: RemoteTaskSpec = Field(description="What to do. Cannot be changed.")
    status: RemoteTaskStatus = Field(default=RemoteTaskStatus(), description="What has come of it.")

    @transition(
        "!has(oldSelf.status) || !has(oldSelf.status.phase) || "
        "!(oldSelf.status.phase in ['Succeeded', 'Failed', 'Lost']) || "
        "(has(self.status) && self.status == oldSelf.status)",
        "this task has ended and its status stands: a late result of an old attempt is ignored",
        path=".status",
    )
    def _ended_stays(self, old: RemoteTask) -> bool:
        return old.status.phase not in ENDED or self.status == old.status
