"""What a TrainingPipeline has come to. Totals are copied from stage results, never counted up here (design.md)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated

from pydantic import Field

from ringrift_core.contract import Artifact, Board, Track
from ringrift_operator.api.base import ListMap, Value
from ringrift_operator.api.conditions import Conditions
from ringrift_operator.api.resolve import ResolvedConfiguration

MAX_CONFIGURATIONS = 64
"""Room for every board and player count several times over; bounds what the CEL rules walk."""

ShortText = Annotated[str, Field(max_length=512)]


class PipelinePhase(enum.StrEnum):
    PENDING = "Pending"
    BOOTSTRAPPING = "Bootstrapping"
    IMPROVING = "Improving"
    COMPLETED = "Completed"
    SUSPENDED = "Suspended"
    FAILED = "Failed"


class StagePhase(enum.StrEnum):
    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class TrackDecision(enum.StrEnum):
    """How an iteration ended for one track."""

    PROMOTED = "Promoted"
    REJECTED = "Rejected"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    REGRESSED = "Regressed"


class Placement(Value):
    """Work given to one slot of one pool, held until its task has ended."""

    pool: str = Field(max_length=63, description="WorkerPool.")
    slot: str = Field(max_length=63, description="Slot of the pool.")
    count: int = Field(default=1, ge=1, description="Slots taken at once.")
    shards: str = Field(default="", max_length=32, description="Shards of self-play, one number or FIRST-LAST.")


class TaskStatus(Value):
    """One stage of the iteration under way."""

    name: str = Field(max_length=63, description="Stage, with its track where there are several: evaluate-network.")
    phase: StagePhase = Field(default=StagePhase.PENDING, description="How far it is.")
    attempt: int = Field(default=1, ge=1, description="Which try this is.")
    delays: int = Field(default=0, ge=0, description="Times in a row it said `not now` (exit 75).")
    not_before: datetime | None = Field(default=None, description="Not tried again before this time.")
    placements: Annotated[tuple[Placement, ...], Field(max_length=64)] = Field(
        default=(), description="Where it runs, decided once."
    )
    progress: float = Field(default=0, ge=0, le=1, description="Part done.")
    started_at: datetime | None = Field(default=None, description="When its first attempt began.")
    finished_at: datetime | None = Field(default=None, description="When it ended.")
    message: ShortText = Field(default="", description="The last thing worth knowing.")
    metrics: dict[str, float] = Field(default={}, max_length=64, description="Figures of its result.")
    outputs: dict[str, Artifact] = Field(default={}, max_length=32, description="Artifacts of its result.")


class LastEvaluation(Value):
    """The newest verdict, with its evidence."""

    track: Track = Field(description="Track judged.")
    games: int = Field(ge=0, description="Games played.")
    win_rate: float = Field(description="Two-player-equivalent rate.")
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")
    decision: TrackDecision = Field(description="What came of it.")
    reason: ShortText = Field(default="", description="Why.")


class ConfigurationStatus(Value):
    """What one configuration has come to."""

    name: str = Field(max_length=63, description="<board>-<players>p.")
    board: Board = Field(description="Board.")
    players: int = Field(ge=2, le=4, description="Seats.")
    running: bool = Field(default=False, description="A task of it is under way; it cannot be removed meanwhile.")
    adopted: bool = Field(default=False, description="What the store held before has been read.")
    iteration: int = Field(default=0, ge=0, description="Iterations completed.")
    games: int = Field(default=0, ge=0, description="Unique games merged.")
    stages: dict[str, StagePhase] = Field(
        default={}, max_length=32, description="Stages of the iteration under way, with their track where it matters."
    )
    tasks: Annotated[tuple[TaskStatus, ...], ListMap(("name",))] = Field(
        default=(), max_length=32, description="The same stages in detail."
    )
    frozen: ResolvedConfiguration | None = Field(
        default=None, description="Values of the spec that hold for the iteration under way."
    )
    started_at: datetime | None = Field(default=None, description="When the iteration under way began.")
    waiting_since: datetime | None = Field(default=None, description="Since when a task of it waits for a slot.")
    champions: dict[str, str] = Field(default={}, max_length=8, description="Champion version of each track.")
    consecutive_failures: dict[str, int] = Field(
        default={}, max_length=8, description="Rejected iterations in a row of each track."
    )
    decisions: dict[str, TrackDecision] = Field(
        default={}, max_length=8, description="How the iteration under way ended for each track."
    )
    last_evaluation: LastEvaluation | None = Field(default=None, description="The newest verdict.")


class PointerMove(Value):
    """A promotion or a rollback."""

    configuration: str = Field(max_length=63, description="<board>-<players>p.")
    track: Track = Field(description="Track whose champion changed.")
    iteration: int = Field(ge=0, description="Iteration in which it happened.")
    version: str = Field(default="", max_length=63, description="Champion since then.")
    win_rate: float | None = Field(default=None, description="Two-player-equivalent rate that decided it.")
    reason: ShortText = Field(default="", description="Why.")
    time: datetime = Field(description="When.")


class TaskCounts(Value):
    """Tasks that ended, each attempt counted."""

    succeeded: int = Field(default=0, ge=0, description="Ended well.")
    failed: int = Field(default=0, ge=0, description="Ended badly.")


class TrainingPipelineStatus(Value):
    """Written by the operator, once a pass, only when it changed."""

    observed_generation: int | None = Field(default=None, ge=0, description="Generation of the spec this is about.")
    phase: PipelinePhase = Field(default=PipelinePhase.PENDING, description="The whole in one word.")
    iteration: int = Field(default=0, ge=0, description="Lowest completed iteration of all configurations.")
    games: int = Field(default=0, ge=0, description="Unique games of all configurations.")
    promotions: int = Field(default=0, ge=0, description="Candidates that became champion.")
    rollbacks: int = Field(default=0, ge=0, description="Champions that gave way to their predecessor.")
    running: ShortText = Field(default="", description="What runs now, as a line for people.")
    tasks: TaskCounts = Field(default=TaskCounts(), description="Tasks that ended.")
    last_promotion: PointerMove | None = Field(default=None, description="The newest promotion.")
    last_rollback: PointerMove | None = Field(default=None, description="The newest rollback.")
    handled_requests: dict[str, Annotated[str, Field(max_length=256)]] = Field(
        default={}, max_length=16, description="Annotations answered, by their last part: rollback."
    )
    plan: Annotated[tuple[ShortText, ...], Field(max_length=64)] = Field(
        default=(), description="With spec.dryRun: what would be created."
    )
    configurations: Annotated[tuple[ConfigurationStatus, ...], ListMap(("name",))] = Field(
        default=(), max_length=MAX_CONFIGURATIONS, description="One entry per configuration."
    )
    conditions: Conditions = Field(default=(), description="Ready, Reconciling, Stalled and what is wrong.")
