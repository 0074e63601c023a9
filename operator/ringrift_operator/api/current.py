"""The part of a pipeline's status that remembers the iteration under way: what was frozen, tried and found.

It is what the operator would otherwise have to keep in memory. When the iteration ends, it becomes a
TrainingIteration and the next one starts empty, so the status stays bounded.
"""

from __future__ import annotations

import enum
from datetime import datetime

from pydantic import Field

from ringrift_core.contract import Artifact, EngineMode, GateKind, InitialWeights, Track, Verdict
from ringrift_operator.api.base import Value


class TaskState(enum.StrEnum):
    PENDING = "Pending"
    """Wanted, or waiting for a slot or for a back-off to pass."""
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    """Given up: wrong input, diverged, or out of attempts."""
    SKIPPED = "Skipped"
    """Never started, for the reason in `message`."""


class TrackOutcome(enum.StrEnum):
    """How a track's part of an iteration ended."""

    PROMOTED = "Promoted"
    REJECTED = "Rejected"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class IterationSettings(Value):
    """What the spec said of one configuration when its iteration began: later changes apply at the next."""

    tracks: tuple[Track, ...]
    seed: int = Field(ge=0, description="Run seed: the pipeline's seed + 1000 x iteration.")
    games: int = Field(ge=1)
    shard_games: int = Field(ge=1)
    engine_modes: tuple[EngineMode, ...]
    max_moves: int = Field(ge=1, description="Turns of any seat before a game is cut.")
    require_completed: bool
    min_moves: int
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    initial_weights: InitialWeights
    generations: int = Field(ge=1)
    population_size: int = Field(ge=2)
    games_per_evaluation: int = Field(ge=1)
    max_workers: int = Field(ge=1, description="Threads of CMA-ES; a slot may allow fewer.")
    gate: GateKind
    evaluation_games: int = Field(ge=1)
    max_evaluation_games: int = Field(ge=1)
    promotion_threshold: float
    regression_threshold: float
    baseline_games: int = Field(ge=0)
    max_consecutive_failures: int = Field(ge=1)
    keep_backup_models: int = Field(ge=0)


class TaskRecord(Value):
    """One task of the iteration under way: how often it was tried, where, and what came out."""

    step: str = Field(description="selfplay, merge, export, train, cmaes, evaluate-<track>, promote-<track> and so on.")
    part: int = Field(default=0, ge=0, description="Which part of the iteration's self-play; 0 elsewhere.")
    state: TaskState = TaskState.PENDING
    attempt: int = Field(default=1, ge=1, description="Number of the newest try; part of the child's name.")
    failures: int = Field(default=0, ge=0, description="Tries that count towards the limit of three.")
    deferrals: int = Field(default=0, ge=0, description="Tries in a row that ended with 'not now' (exit 75) or Lost.")
    not_before: datetime | None = Field(default=None, description="When the back-off ends.")
    waiting_since: datetime | None = Field(default=None, description="Since when it could have run.")
    pool: str | None = None
    slot: str | None = None
    shards: str | None = Field(default=None, description="Self-play shards of this part, FIRST-LAST.")
    parallelism: int | None = Field(default=None, ge=1, description="Slots that it takes.")
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: float | None = Field(default=None, ge=0, le=1, description="Written at most once a minute.")
    progress_at: datetime | None = Field(default=None, description="When the progress last grew.")
    exit_code: int | None = Field(default=None, description="How the last ended try exited.")
    message: str = Field(default="", max_length=1024)
    outputs: dict[str, Artifact] = {}
    metrics: dict[str, float] = {}
    verdict: Verdict | None = None


class CurrentIteration(Value):
    """The iteration under way of one configuration."""

    number: int = Field(ge=1)
    started_at: datetime
    settings: IterationSettings
    champions: dict[str, int] = Field(default={}, description="Champion versions at its start, by track; 0 is none.")
    tasks: tuple[TaskRecord, ...] = Field(default=(), max_length=64)
    outcomes: dict[str, TrackOutcome] = Field(default={}, description="By track, as soon as it is settled.")
