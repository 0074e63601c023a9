"""What a TrainingPipeline has come to. Totals are copied from stage results, never counted up here (design.md)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from ringrift_core.contract import (
    HIGHEST_ELO,
    MOST_TRACKS,
    Artifact,
    Board,
    Result,
    Shards,
    Stage,
    StageOwnResult,
    Track,
    Verdict,
    changed,
)
from ringrift_operator.api.base import Value
from ringrift_operator.api.conditions import Conditions
from ringrift_operator.api.lists import ListMap
from ringrift_operator.api.resolved import ResolvedConfiguration

MAX_CONFIGURATIONS = 64
"""Room for every board and player count several times over; bounds what the CEL rules walk."""

MOST_TURNS = 64
"""Slots at which a pipeline has a turn of its own to remember."""

MOST_TOP_UPS = 3
"""Further rounds of a bootstrap's self-play."""

ResultT = TypeVar("ResultT", bound=Result)

SHORT = 512
ShortText = Annotated[str, Field(max_length=SHORT)]

Version = Annotated[str, Field(max_length=63)]
"""Of a champion: the iteration that made it."""


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


class Standing(enum.StrEnum):
    """How far a step is, for people."""

    PENDING = "Pending"
    """Its needs, or its pause, are not over."""
    QUEUED = "Queued"
    """Its Job is held: its queue has not admitted it yet, or has given its machine to others."""
    WAITING = "Waiting"
    """It could run, and has no room, no node or no runner, or its Pod does not start."""
    RUNNING = "Running"
    """A Pod runs, or a runner works."""
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


ENDED = frozenset({StagePhase.SUCCEEDED, StagePhase.FAILED, StagePhase.SKIPPED})
"""Phases of which nothing more comes."""


def _only_what_is_known(written: dict[str, Any], *kept: str) -> dict[str, Any]:
    """Most fields of most tasks and tracks are empty, and a status has to stay small; keys of lists stay."""
    empty: tuple[Any, ...] = (None, "", 0, False, {})
    return {name: value for name, value in written.items() if name in kept or value not in empty}


class Placement(Value):
    """Work given to one slot of one pool, held until its task has ended."""

    pool: str = Field(max_length=63, description="WorkerPool.")
    slot: str = Field(max_length=63, description="Slot of the pool.")
    count: int = Field(default=1, ge=1, description="Slots taken at once.")
    shards: Shards | None = Field(default=None, description="Shards of self-play, I/N or FIRST-LAST/N.")


class StepFinding(Value):
    """What a step of an iteration has left, as its task's status and its record hold it."""

    name: str = Field(max_length=63, description="Stage, with its track where there are several: evaluate-network.")
    stage: Stage = Field(description="Stage that the step runs.")
    result: StageOwnResult | None = Field(default=None, description="What its stage found, with four digits.")
    outputs: dict[str, Artifact] = Field(default={}, max_length=32, description="Artifacts of its result.")

    def found(self, model: type[ResultT]) -> ResultT | None:
        """The result, where it is there already and one of `model`."""
        return self.result if isinstance(self.result, model) else None

    def answer(self, model: type[ResultT]) -> ResultT:
        """The result of a step that has succeeded; ValueError when it is none of `model`."""
        if not isinstance(self.result, model):
            raise ValueError(f"{self.name}: its result holds no {model.__name__}")
        return self.result


class TaskStatus(StepFinding):
    """One task of the iteration under way: how often it was tried, where, and what came out."""

    part: int = Field(
        default=0,
        ge=0,
        description="Which part of the iteration's self-play, or which merge while it goes on; 0 elsewhere.",
    )
    phase: StagePhase = Field(default=StagePhase.PENDING, description="How far it is.")
    attempt: int = Field(default=1, ge=1, description="The newest try, by its number; part of the child's name.")
    failures: int = Field(default=0, ge=0, description="Tries that failed and count towards the limit of three.")
    repeats: int = Field(default=0, ge=0, description="Times in a row that all its attempts failed and it began anew.")
    delays: int = Field(
        default=0, ge=0, description="Times in a row it said `not now` (exit 75), found the store held (4) or was lost."
    )
    not_before: datetime | None = Field(default=None, description="Not tried again before this time.")
    waiting_since: datetime | None = Field(default=None, description="Since when it could have run.")
    placement: Placement | None = Field(default=None, description="Where its newest try runs or ran.")
    request: str = Field(default="", max_length=256, description="Of a rollback: the cause, or the annotation's value.")
    take_over: bool = Field(default=False, description="Takes the store's claim over, since somebody asked for it.")
    applied: bool = Field(
        default=False, description="Of a rollback, or what was superseded: its pointers have been taken over."
    )
    progress: float = Field(default=0, ge=0, le=1, description="Part done, written at most once a minute.")
    progress_at: datetime | None = Field(default=None, description="When the progress last grew.")
    started_at: datetime | None = Field(default=None, description="When its first attempt began.")
    finished_at: datetime | None = Field(default=None, description="When it ended.")
    exit_code: int | None = Field(default=None, description="How the last try that ended exited.")
    message: ShortText = Field(default="", description="The last thing worth knowing.")
    verdict: Verdict | None = Field(default=None, description="What its gate decided.")

    @model_serializer(mode="wrap")
    def _small(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _only_what_is_known(serialise(self), "name", "part")

    @property
    def has_ended(self) -> bool:
        return self.phase in ENDED

    def pauses(self, now: datetime) -> bool:
        """It is to begin, or to begin again, at a certain time."""
        return self.phase == StagePhase.PENDING and self.not_before is not None and self.not_before > now

    def waits(self, now: datetime) -> Self:
        """It could run, and waits for room."""
        return changed(self, waiting_since=now)

    def as_part(self, part: int) -> Self:
        """One part of divided self-play."""
        return changed(self, part=part)

    def placed(self, placement: Placement | None, now: datetime) -> Self:
        """A try begins, in a slot or without one."""
        return changed(
            self,
            phase=StagePhase.RUNNING,
            placement=placement,
            started_at=self.started_at or now,
            progress=0.0,
            progress_at=None,
        )

    def seen_waiting(self) -> Self:
        """Its child is there, and nothing of it runs: its silence has not begun, nor what it will tell of progress."""
        return changed(self, phase=StagePhase.RUNNING, progress=0.0, progress_at=None)

    def seen_running(self, now: datetime) -> Self:
        """Its child runs."""
        return changed(
            self,
            phase=StagePhase.RUNNING,
            started_at=self.started_at or now,
            progress_at=self.progress_at or now,
        )

    def progressed(self, progress: float, now: datetime) -> Self:
        return changed(self, progress=progress, progress_at=now)

    def ended(self, exit_code: int | None, message: str, began: datetime) -> Self:
        """The newest try has ended; what that means for the task comes next."""
        return changed(
            self,
            exit_code=exit_code,
            message=message[:SHORT],
            progress_at=None,
            started_at=self.started_at or began,
        )

    def succeeded(self, now: datetime) -> Self:
        return changed(
            self,
            phase=StagePhase.SUCCEEDED,
            finished_at=now,
            progress=0.0,
            not_before=None,
            waiting_since=None,
            repeats=0,
        )

    def answered(
        self,
        *,
        result: Result | None,
        outputs: Mapping[str, Artifact],
        verdict: Verdict | None,
        message: str,
        placement: Placement | None,
    ) -> Self:
        """What is kept of its result."""
        return changed(
            self, result=result, outputs=outputs, verdict=verdict, message=message[:SHORT], placement=placement
        )

    def failed(self) -> Self:
        """A try has failed that counts; whether there is another comes next."""
        return changed(self, failures=self.failures + 1, delays=0)

    def given_up(self, now: datetime) -> Self:
        return changed(self, phase=StagePhase.FAILED, finished_at=now, not_before=None)

    def again(self, not_before: datetime | None) -> Self:
        """To be tried once more."""
        return changed(
            self,
            phase=StagePhase.PENDING,
            attempt=self.attempt + 1,
            not_before=not_before,
            waiting_since=None,
        )

    def repeated(self, not_before: datetime) -> Self:
        """All its attempts have failed, and it has as many again."""
        return changed(self, failures=0, repeats=self.repeats + 1).again(not_before)

    def delayed(self, not_before: datetime) -> Self:
        """To be tried once more, and nobody's failure."""
        return changed(self, delays=self.delays + 1).again(not_before)

    def revived(self) -> Self:
        """Given up, and to be tried afresh because someone asked for it or changed the spec."""
        return changed(self, failures=0, delays=0, finished_at=None).again(None)

    def paused(self, not_before: datetime) -> Self:
        """Not before this time after all."""
        return changed(self, not_before=not_before)

    def released(self) -> Self:
        """Its pause ends now."""
        return changed(self, not_before=None)

    def taking_over(self) -> Self:
        """Its next try takes the store's claim over, at once."""
        return changed(self, take_over=True, not_before=None if self.attempt > 1 else self.not_before)

    def skipped(self, message: str, now: datetime) -> Self:
        """What it needs can no longer succeed."""
        return changed(self, phase=StagePhase.SKIPPED, message=message[:SHORT], finished_at=now)

    def taken_over(self) -> Self:
        """A move or a test whose pointers stand in the status."""
        return changed(self, applied=True)


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

    version: Version = Field(description="Champion version.")
    against: dict[str, WinRate] = Field(default={}, max_length=8, description="By opponent: random, heuristic.")


class Rating(Value):
    """How strong a champion was in a round robin, in Elo above the hand-set heuristic, with its 95 % interval."""

    version: Version = Field(description="Champion version.")
    iteration: int = Field(ge=1, description="Iteration whose round robin it was.")
    elo: int = Field(ge=-HIGHEST_ELO, le=HIGHEST_ELO, description="Points above the hand-set heuristic.")
    low: int = Field(ge=-HIGHEST_ELO, le=HIGHEST_ELO, description="Lower end of the 95 % interval.")
    high: int = Field(ge=-HIGHEST_ELO, le=HIGHEST_ELO, description="Upper end of the 95 % interval.")
    games: int = Field(ge=0, description="Games that it is rated by.")


class TrackStatus(Value):
    """What one track of a configuration has come to."""

    name: Track = Field(description="Track.")
    champion: Version = Field(default="", description="Champion version; absent: there is none yet.")
    predecessor: Version = Field(default="", description="Champion that a rollback would restore.")
    strength: Strength | None = Field(default=None, description="The champion against the baselines.")
    rating: Rating | None = Field(default=None, description="The champion in the newest round robin that it was in.")
    consecutive_failures: int = Field(default=0, ge=0, description="Rejected candidates in a row.")
    warned_champion: Version = Field(
        default="", description="Champion for which too many rejections in a row were answered last."
    )
    start_champion: Version = Field(
        default="", description="Champion when the iteration under way began; 0 is none, of one that was adopted."
    )
    decision: TrackDecision | None = Field(
        default=None, description="How the iteration under way ended for it; absent: not yet."
    )
    failure: ShortText = Field(default="", description="How it failed in the last finished iteration.")
    regression: ShortText = Field(
        default="", description="How its champion lost to its predecessor in the last finished iteration."
    )
    converged: str = Field(default="", max_length=63, description="What its search has converged under.")
    evaluator: ShortText = Field(default="", description="What scored its last search, and why.")
    unjudged: int = Field(
        default=0, ge=0, description="Iterations in a row that came to no verdict: its games were no evidence."
    )
    refusal: ShortText = Field(default="", description="Why the last of these did.")

    @model_serializer(mode="wrap")
    def _small(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _only_what_is_known(serialise(self), "name")

    @property
    def champion_version(self) -> int:
        """0 when there is none; likewise the next two."""
        return int(self.champion or 0)

    @property
    def predecessor_version(self) -> int:
        return int(self.predecessor or 0)

    @property
    def start_version(self) -> int:
        return int(self.start_champion or 0)

    @property
    def keeps_its_champion(self) -> bool:
        """Whether who was champion when the iteration began still is."""
        return self.champion_version == self.start_version

    def adopted(self, champion: int, predecessor: int, failures: int) -> Self:
        """As the store tells it; version 0 is none."""
        return changed(self.pointed(champion, predecessor), consecutive_failures=failures)

    def begun(self, champion: int) -> Self:
        """An iteration begins, from this champion."""
        return changed(self, start_champion=_version(champion))

    def resumed(self, champion: int) -> Self:
        """An iteration that began from this champion is to be gone on with."""
        return changed(self, start_champion=str(champion))

    def decided(self, decision: TrackDecision) -> Self:
        return changed(self, decision=decision)

    def rejected(self) -> Self:
        return changed(self, decision=TrackDecision.REJECTED, consecutive_failures=self.consecutive_failures + 1)

    def pointed(self, champion: int, predecessor: int) -> Self:
        """The registry's pointer stands so; version 0 is none."""
        return changed(self, champion=_version(champion), predecessor=_version(predecessor))

    def promoted(self, champion: int, predecessor: int, against: Mapping[str, WinRate]) -> Self:
        """A candidate is champion, this strong against the baselines."""
        pointed = self.pointed(champion, predecessor)
        strength = Strength(version=pointed.champion, against=dict(against))
        return changed(pointed, decision=TrackDecision.PROMOTED, consecutive_failures=0, strength=strength, rating=None)

    def rolled_back(self, champion: int, predecessor: int) -> Self:
        return changed(self.pointed(champion, predecessor), consecutive_failures=0, strength=None, rating=None)

    def moved_by_others(self, champion: int, predecessor: int) -> Self:
        """Somebody else moved the pointer, and nobody has measured who is champion now."""
        return self.rolled_back(champion, predecessor)

    def warned(self) -> Self:
        """Too many rejections in a row have been answered for this champion."""
        return changed(self, warned_champion=self.champion)

    def settled(
        self, *, failure: str, regression: str, converged: str, evaluator: str, refusal: str, rating: Rating | None
    ) -> Self:
        """Its part of an iteration is over."""
        return changed(
            self,
            start_champion="",
            decision=None,
            failure=failure[:SHORT],
            regression=regression[:SHORT],
            converged=converged,
            evaluator=evaluator[:SHORT],
            unjudged=self.unjudged + 1 if refusal else 0,
            refusal=refusal[:SHORT],
            rating=rating or self.rating,
        )


def _version(number: int) -> str:
    return str(number) if number else ""


class TopUp(Value):
    """A further round of the bootstrap's self-play, for games of which another was the same."""

    part: int = Field(ge=0, description="Part of the iteration's self-play that plays it.")
    first_game: int = Field(ge=1, description="Number of its first game, after all that were played before.")
    games: int = Field(ge=1, description="Games that were missing.")


class ConfigurationStatus(Value):
    """What one configuration has come to."""

    name: str = Field(max_length=63, description="<board>-<players>p.")
    board: Board = Field(description="Board.")
    players: int = Field(ge=2, le=4, description="Seats.")
    running: bool = Field(default=False, description="A task of it is under way; it cannot be removed meanwhile.")
    adopted: bool = Field(default=False, description="What the store held before has been read.")
    iteration: int = Field(default=0, ge=0, description="Iterations completed.")
    games: int = Field(default=0, ge=0, description="Unique games merged.")
    stages: dict[str, Standing] = Field(
        default={}, max_length=32, description="Stages of the iteration under way, with their track where it matters."
    )
    tasks: Annotated[tuple[TaskStatus, ...], ListMap(("name", "part"))] = Field(
        default=(), max_length=64, description="The same stages in detail."
    )
    tracks: Annotated[tuple[TrackStatus, ...], ListMap(("name",))] = Field(
        default=(), max_length=MOST_TRACKS, description="Champions, and how each track fares."
    )
    top_ups: Annotated[tuple[TopUp, ...], ListMap(("part",))] = Field(
        default=(),
        max_length=MOST_TOP_UPS,
        description="Further rounds of self-play that the bootstrap under way has had, for want of unique games.",
    )
    missing_games: int = Field(
        default=0, ge=0, description="Unique games that the bootstrap under way goes on without, after these rounds."
    )
    frozen: ResolvedConfiguration | None = Field(
        default=None, description="Every value that holds for the iteration under way, defaults among them."
    )
    started_at: datetime | None = Field(default=None, description="When the iteration under way began.")
    last_evaluation: LastEvaluation | None = Field(default=None, description="The newest verdict.")
    diverged: ShortText = Field(default="", description="How training diverged in the last finished iteration.")
    failed: ShortText = Field(
        default="",
        description="How the last finished iteration came to nothing: no track of it was judged, and some failed.",
    )
    games_cut: ShortText = Field(
        default="", description="Steps of the last finished iteration of whose games the move limit cut more than 5 %."
    )

    def track(self, name: Track) -> TrackStatus:
        """The track; one that nothing is known of yet is blank."""
        return next((track for track in self.tracks if track.name == name), TrackStatus(name=name))

    def with_track(self, track: TrackStatus) -> Self:
        """With this track in place of the one of its name, or added."""
        others = (each for each in self.tracks if each.name != track.name)
        return changed(self, tracks=tuple(sorted((*others, track), key=lambda each: each.name)))

    def with_tasks(self, tasks: tuple[TaskStatus, ...]) -> Self:
        return changed(self, tasks=tasks)

    def top_up_of(self, part: int) -> TopUp | None:
        """The round that a part of self-play plays; None of the parts of the first."""
        return next((each for each in self.top_ups if each.part == part), None)

    def topped_up(self, top_up: TopUp) -> Self:
        """Self-play gets a further round."""
        return changed(self, top_ups=(*self.top_ups, top_up))

    def lacking(self, games: int) -> Self:
        """So many unique games stay missing."""
        return changed(self, missing_games=games)

    def with_games(self, games: int) -> Self:
        return changed(self, games=games)

    def judged(self, evaluation: LastEvaluation) -> Self:
        return changed(self, last_evaluation=evaluation)

    def taken_up(self, iteration: int, games: int) -> Self:
        """Adopted, with what the store held."""
        return changed(self, adopted=True, iteration=iteration, games=games)

    def begun(self, frozen: ResolvedConfiguration, now: datetime) -> Self:
        """An iteration begins with these values."""
        return changed(self, frozen=frozen, started_at=now)

    def begun_anew(self, frozen: ResolvedConfiguration) -> Self:
        """The iteration under way goes on with other values."""
        return changed(self, frozen=frozen, top_ups=(), missing_games=0)

    def finished(self, diverged: str, failed: str, games_cut: str) -> Self:
        """The iteration under way is over."""
        return changed(
            self,
            iteration=self.iteration + 1,
            tasks=(),
            top_ups=(),
            missing_games=0,
            frozen=None,
            started_at=None,
            diverged=diverged[:SHORT],
            failed=failed[:SHORT],
            games_cut=games_cut[:SHORT],
        )

    def summarised(self, stages: Mapping[str, Standing]) -> Self:
        """What the tasks come to, for people and rules."""
        is_running = any(task.phase == StagePhase.RUNNING for task in self.tasks)
        return changed(self, stages=stages, running=is_running)


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


class SlotTurn(Value):
    """A pipeline was given a slot while more of its tasks waited."""

    pool: str = Field(max_length=63, description="WorkerPool.")
    slot: str = Field(max_length=63, description="Slot of the pool.")
    selfplay: bool = Field(description="Self-play's turn, which on a pool with a cool-down is one of its own.")
    at: datetime = Field(description="When.")


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
    turns: Annotated[tuple[SlotTurn, ...], ListMap(("pool", "slot", "selfplay"))] = Field(
        default=(),
        max_length=MOST_TURNS,
        description="When it was last given a slot that older tasks of its wait for: pipelines take turns.",
    )
    left_configurations: Annotated[tuple[Annotated[str, Field(max_length=63)], ...], Field(max_length=64)] = Field(
        default=(), description="Configurations that left the spec; the totals still count their promotions."
    )
    conditions: Conditions = Field(default=(), description="Ready, Reconciling, Stalled and what is wrong.")

    def decided(
        self,
        *,
        generation: int,
        configurations: tuple[ConfigurationStatus, ...],
        left_configurations: tuple[str, ...],
        promotions: tuple[PointerMove, ...],
        rollbacks: tuple[PointerMove, ...],
        handled_requests: Mapping[str, str],
    ) -> Self:
        """After a pass's decisions, with what has newly moved; totals of configurations follow."""
        return changed(
            self,
            observed_generation=generation,
            configurations=configurations,
            left_configurations=left_configurations,
            iteration=min((each.iteration for each in configurations), default=0),
            games=sum(each.games for each in configurations),
            promotions=self.promotions + len(promotions),
            rollbacks=self.rollbacks + len(rollbacks),
            last_promotion=promotions[-1] if promotions else self.last_promotion,
            last_rollback=rollbacks[-1] if rollbacks else self.last_rollback,
            handled_requests=handled_requests,
        )

    def counted(self, *, promotions: int, rollbacks: int, succeeded: int, failed: int) -> Self:
        """With so many more moves that a registry remembers, and tasks that ended."""
        return changed(
            self,
            promotions=self.promotions + promotions,
            rollbacks=self.rollbacks + rollbacks,
            tasks=TaskCounts(succeeded=self.tasks.succeeded + succeeded, failed=self.tasks.failed + failed),
        )

    def concluded(
        self,
        configurations: tuple[ConfigurationStatus, ...],
        phase: PipelinePhase,
        running: str,
        plan: tuple[str, ...],
        turns: tuple[SlotTurn, ...],
    ) -> Self:
        """Once tasks have found room."""
        return changed(
            self, configurations=configurations, phase=phase, running=running[:SHORT], plan=plan, turns=turns
        )

    def with_conditions(self, conditions: Conditions) -> Self:
        return changed(self, conditions=conditions)
