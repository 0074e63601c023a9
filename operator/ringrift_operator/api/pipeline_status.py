"""What a TrainingPipeline has come to. Totals are copied from stage results, never counted up here (design.md)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, field_serializer, model_serializer

from ringrift_core.contract import Artifact, Board, Track, Verdict
from ringrift_operator.api.base import Value
from ringrift_operator.api.conditions import Conditions
from ringrift_operator.api.lists import ListMap
from ringrift_operator.api.resolved import ResolvedConfiguration

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
    shards: str = Field(default="", max_length=32, description="Shards of self-play, I/N or FIRST-LAST/N.")


class TaskStatus(Value):
    """One task of the iteration under way: how often it was tried, where, and what came out."""

    name: str = Field(max_length=63, description="Stage, with its track where there are several: evaluate-network.")
    part: int = Field(default=0, ge=0, description="Which part of the iteration's self-play; 0 elsewhere.")
    phase: StagePhase = Field(default=StagePhase.PENDING, description="How far it is.")
    attempt: int = Field(default=1, ge=1, description="The newest try, by its number; part of the child's name.")
    failures: int = Field(default=0, ge=0, description="Tries that failed and count towards the limit of three.")
    delays: int = Field(default=0, ge=0, description="Times in a row it said `not now` (exit 75) or was lost.")
    not_before: datetime | None = Field(default=None, description="Not tried again before this time.")
    waiting_since: datetime | None = Field(default=None, description="Since when it could have run.")
    placement: Placement | None = Field(default=None, description="Where its newest try runs or ran.")
    request: str = Field(default="", max_length=256, description="Of a rollback: the cause, or the annotation's value.")
    applied: bool = Field(default=False, description="Of a rollback: the pointers it moved have been taken over.")
    progress: float = Field(default=0, ge=0, le=1, description="Part done, written at most once a minute.")
    progress_at: datetime | None = Field(default=None, description="When the progress last grew.")
    started_at: datetime | None = Field(default=None, description="When its first attempt began.")
    finished_at: datetime | None = Field(default=None, description="When it ended.")
    exit_code: int | None = Field(default=None, description="How the last try that ended exited.")
    message: ShortText = Field(default="", description="The last thing worth knowing.")
    metrics: dict[str, float] = Field(default={}, max_length=64, description="Figures of its result.")
    outputs: dict[str, Artifact] = Field(default={}, max_length=32, description="Artifacts of its result.")
    verdict: Verdict | None = Field(default=None, description="What its gate decided.")

    @model_serializer(mode="wrap")
    def _only_what_is_known(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Most fields of most tasks are empty, and a status has to stay small."""
        written: dict[str, Any] = serialise(self)
        empty: tuple[Any, ...] = (None, "", 0, False, {})
        return {name: value for name, value in written.items() if name == "part" or value not in empty}


class WinRate(Value):
    """A match's outcome, as a two-player-equivalent rate with its 95 % interval."""

    games: int = Field(ge=0, description="Games played.")
    win_rate: float = Field(description="Two-player-equivalent rate.")
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")


class LastEvaluation(WinRate):
    """The newest verdict, with its evidence."""

    track: Track = Field(description="Track judged.")
    decision: TrackDecision = Field(description="What came of it.")
    reason: ShortText = Field(default="", description="Why.")


class Strength(Value):
    """How strong a champion was against the baselines when it was judged."""

    version: str = Field(max_length=63, description="Champion version.")
    against: dict[str, WinRate] = Field(default={}, max_length=8, description="By opponent: random, heuristic.")


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
    tasks: Annotated[tuple[TaskStatus, ...], ListMap(("name", "part"))] = Field(
        default=(), max_length=64, description="The same stages in detail."
    )
    frozen: ResolvedConfiguration | None = Field(
        default=None, description="Values of the spec that hold for the iteration under way."
    )
    started_at: datetime | None = Field(default=None, description="When the iteration under way began.")
    start_champions: dict[str, str] = Field(
        default={}, max_length=8, description="Champion of each track when the iteration under way began."
    )
    champions: dict[str, str] = Field(default={}, max_length=8, description="Champion version of each track.")
    predecessors: dict[str, str] = Field(
        default={}, max_length=8, description="Champion that a rollback of each track would restore."
    )
    consecutive_failures: dict[str, int] = Field(
        default={}, max_length=8, description="Rejected iterations in a row of each track."
    )
    decisions: dict[str, TrackDecision] = Field(
        default={}, max_length=8, description="How the iteration under way ended for each track."
    )
    last_evaluation: LastEvaluation | None = Field(default=None, description="The newest verdict.")
    strength: dict[str, Strength] = Field(
        default={}, max_length=8, description="Each track's champion against the baselines."
    )
    failed_tracks: dict[str, ShortText] = Field(
        default={}, max_length=8, description="Tracks that failed in the last finished iteration, and why."
    )
    regressions: Annotated[tuple[ShortText, ...], Field(max_length=8)] = Field(
        default=(), description="Champions that lost to their predecessor in the last finished iteration."
    )
    diverged: ShortText = Field(default="", description="How training diverged in the last finished iteration.")
    converged: str = Field(
        default="", max_length=63, description="Evaluator and move limit with which CMA-ES has converged."
    )
    warned_champions: dict[str, str] = Field(
        default={}, max_length=8, description="Champion for which too many failures in a row were answered last."
    )

    @field_serializer("frozen")
    def _without_defaults(self, frozen: ResolvedConfiguration | None) -> dict[str, Any] | None:
        """What was set, and the plan's numbers; a status has to stay small."""
        return None if frozen is None else frozen.model_dump(mode="json", by_alias=True, exclude_defaults=True)


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
