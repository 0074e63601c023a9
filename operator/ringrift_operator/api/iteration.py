"""TrainingIteration: the record of one finished iteration of one configuration, written once and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from ringrift_core.contract import MOST_TRACKS, Artifact, Board, Track, Verdict, read
from ringrift_operator.api import released_0_1_0
from ringrift_operator.api.base import ObjectMeta, PrinterColumn, Resource, Value
from ringrift_operator.api.lists import ListMap
from ringrift_operator.api.pipeline_status import PointerMove, Rating, StagePhase, StepFinding, TrackDecision
from ringrift_operator.api.rules import transition


class StageRecord(StepFinding):
    """How one stage went."""

    phase: StagePhase = Field(description="How it ended.")
    attempts: int = Field(default=1, ge=1, description="Tries it took.")
    started_at: datetime | None = Field(default=None, description="When its first attempt began.")
    finished_at: datetime | None = Field(default=None, description="When it ended.")
    message: str = Field(default="", max_length=1024, description="The last thing worth knowing.")


class TrackRecord(Value):
    """What one track came to."""

    track: Track = Field(description="Track.")
    decision: TrackDecision = Field(description="How the iteration ended for it.")
    candidate: Artifact | None = Field(default=None, description="What was judged.")
    verdict: Verdict | None = Field(default=None, description="Evidence of the gate.")
    regression: Verdict | None = Field(default=None, description="Evidence of the champion's regression test.")
    champion: str = Field(default="", max_length=63, description="Champion version when the iteration ended.")
    rating: Rating | None = Field(default=None, description="How strong the round robin found that champion.")


class TrainingIterationSpec(Value):
    """What happened."""

    pipeline: str = Field(max_length=63, description="TrainingPipeline.")
    configuration: str = Field(max_length=63, description="<board>-<players>p.")
    board: Board = Field(description="Board.")
    players: int = Field(ge=2, le=4, description="Seats.")
    iteration: int = Field(ge=1, description="Iteration; 1 is the bootstrap.")
    started_at: datetime | None = Field(default=None, description="When it began.")
    finished_at: datetime = Field(description="When it ended.")
    games: int = Field(default=0, ge=0, description="Unique games when it ended.")
    summary: str = Field(default="", max_length=512, description="Outcome of every track in a line.")
    stages: Annotated[tuple[StageRecord, ...], ListMap(("name",))] = Field(
        default=(), max_length=32, description="How each stage went."
    )
    tracks: Annotated[tuple[TrackRecord, ...], ListMap(("track",))] = Field(
        default=(), max_length=MOST_TRACKS, description="Candidates, verdicts and outcomes."
    )
    promotions: tuple[PointerMove, ...] = Field(default=(), max_length=16, description="New champions.")
    rollbacks: tuple[PointerMove, ...] = Field(default=(), max_length=16, description="Champions that gave way.")

    @transition("self == oldSelf", "a TrainingIteration is a record: it cannot be changed")
    def _unchanged(self, old: TrainingIterationSpec) -> bool:
        return self == old


class TrainingIteration(Resource):
    """The record of one finished iteration."""

    plural: ClassVar[str] = "trainingiterations"
    short_names: ClassVar[tuple[str, ...]] = ("ti",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn("Configuration", ".spec.configuration"),
        PrinterColumn("Iteration", ".spec.iteration", "integer"),
        PrinterColumn("Games", ".spec.games", "integer", description="Unique games when it ended"),
        PrinterColumn("Outcome", ".spec.summary"),
        PrinterColumn("Finished", ".spec.finishedAt", "date"),
        PrinterColumn("Pipeline", ".spec.pipeline", is_wide=True),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date", is_wide=True),
    )

    kind: Literal["TrainingIteration"] = "TrainingIteration"
    metadata: ObjectMeta
    spec: TrainingIterationSpec = Field(description="What happened. Cannot be changed.")

    @field_validator("spec", mode="before")
    @classmethod
    def _of_any_version(cls, spec: Any) -> Any:
        """Written by the operator, of whichever version."""
        return read(TrainingIterationSpec, released_0_1_0.iteration(spec)) if isinstance(spec, Mapping) else spec
