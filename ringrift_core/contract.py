"""The one contract between the training core and the operator (design.md section 3).

Each stage has one parameters model; the command line of `ringrift <stage>` is made from the same model
(`to_arguments` renders it, `ringrift_core.cli` parses it back). Every stage answers with one `StageResult`.
This module imports pydantic and nothing else, so the operator needs neither torch nor the engine.
"""

from __future__ import annotations

import enum
import re
from datetime import datetime
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

RESULT_LIMIT_BYTES = 4096
"""Largest StageResult as JSON: the size of a container's termination message."""


HIGHEST_SEED = 2**53
"""Exact in JSON, and what follows from a seed fits the generators' 64 bits. A pipeline's own seed ends at 2^31."""

HIGHEST_COUNT = 2**32 - 1
"""Of games, turns, versions and whatever else is counted: the engine does so in 32 bits or more."""

MOST_WORKERS = 1024
"""Threads of one process: far more than any machine has cores for, and few enough to be started."""

SHARDS_PATTERN = r"^\d{1,10}(-\d{1,10})?/\d{1,10}$"
"""`3/20` or `0-4/20`: see Shards."""

Seed = Annotated[int, Field(ge=0, le=HIGHEST_SEED)]
Count = Annotated[int, Field(ge=0, le=HIGHEST_COUNT)]
PositiveCount = Annotated[int, Field(ge=1, le=HIGHEST_COUNT)]


class ExitCode(enum.IntEnum):
    """What a stage's process says by its exit status (design.md section 3)."""

    DONE = 0
    WRONG_INPUT = 2
    DIVERGED = 3
    NOT_NOW = 75
    """Store away, a missing quality-gate model, or SIGTERM after saving: try again, not an attempt."""


class Board(enum.StrEnum):
    SQUARE8 = "square8"
    SQUARE19 = "square19"
    HEX8 = "hex8"
    HEXAGONAL = "hexagonal"


MOVE_LIMITS: dict[Board, tuple[int, int, int]] = {
    Board.SQUARE8: (500, 600, 700),
    Board.HEX8: (500, 600, 700),
    Board.SQUARE19: (800, 800, 800),
    Board.HEXAGONAL: (800, 800, 800),
}
"""Turns of any seat after which a bootstrap game of 2, 3 and 4 players is cut (plan.md, phase 1).

hex8 is not in the plan: it has 61 cells, so it takes square8's.
"""


class Profile(enum.StrEnum):
    """Which reading of the rules: the written ones, or the live game's engines."""

    CANONICAL = "canonical"
    DEPLOYED = "deployed"


class Track(enum.StrEnum):
    """One line of players that is trained, gated and promoted on its own."""

    WEIGHTS = "weights"
    NNUE = "nnue"
    NETWORK = "network"


class EngineMode(enum.StrEnum):
    """Who sits at the boards in self-play (training.md)."""

    RANDOM_ONLY = "random-only"
    HEURISTIC_ONLY = "heuristic-only"
    DESCENT_ONLY = "descent-only"
    MIXED = "mixed"
    NETWORK = "network"


class Stage(enum.StrEnum):
    ADOPT = "adopt"
    SELFPLAY = "selfplay"
    MERGE = "merge"
    EXPORT = "export"
    TRAIN = "train"
    CMAES = "cmaes"
    EVALUATE = "evaluate"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


LIGHT_STAGES = frozenset({Stage.ADOPT, Stage.MERGE, Stage.EXPORT, Stage.PROMOTE, Stage.ROLLBACK})
"""Stages that take no slot: they always run in the pipeline's namespace (design.md section 3)."""


class Device(enum.StrEnum):
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class InitialWeights(enum.StrEnum):
    """Where CMA-ES starts, and whom the first weights candidate must beat."""

    BASELINE = "baseline"
    """The hand-set heuristic weights."""
    MATERIAL = "material"
    """Only material counts: a documented weak setting that leaves room to learn."""


class Contract(BaseModel):
    """Base of all contract models: immutable, camelCase in JSON, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: "".join(
            word if index == 0 else word.capitalize() for index, word in enumerate(name.split("_"))
        ),
        populate_by_name=True,
    )


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Artifact(Contract):
    """An immutable, content-addressed file in the store. On a command line: `URI#SHA256:BYTES`."""

    uri: str
    sha256: Sha256
    bytes: int = Field(ge=0)

    def __str__(self) -> str:
        return f"{self.uri}#{self.sha256}:{self.bytes}"

    @classmethod
    def parse(cls, text: str) -> Artifact:
        """Reads the command-line form back; ValueError says what was expected."""
        uri, separator, rest = text.rpartition("#")
        sha256, colon, size = rest.partition(":")
        if not separator or not colon or not size.isdigit():
            raise ValueError(f"expected URI#SHA256:BYTES, found {text!r}")
        return cls(uri=uri, sha256=sha256, bytes=int(size))


def _artifact_from_text(value: object) -> object:
    return Artifact.parse(value) if isinstance(value, str) else value


ArtifactReference = Annotated[Artifact, BeforeValidator(_artifact_from_text)]


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return [part for part in value.split(",") if part]
    return value


class StageParameters(Contract):
    """What every stage is told. Subclasses name their `stage`."""

    stage: ClassVar[Stage]

    store: str = Field(description="Root URI of the artifact store: file:///path or s3://bucket/prefix.")
    board: Board = Field(description="Board of the configuration.")
    players: int = Field(ge=2, le=4, description="Seats of the configuration.")
    attempt: PositiveCount = Field(default=1, description="Which try this is, counted by the operator.")

    @property
    def configuration(self) -> str:
        return configuration_name(self.board, self.players)


class IterationParameters(StageParameters):
    iteration: PositiveCount = Field(description="Iteration of the loop; 1 is the bootstrap.")


class AdoptParameters(StageParameters):
    """Reads iteration, games, champions and failure counts of one configuration from an existing store."""

    stage = Stage.ADOPT
    tracks: Annotated[tuple[Track, ...], BeforeValidator(_split_commas)] = Field(
        default=(Track.WEIGHTS, Track.NETWORK), description="Tracks the pipeline trains, comma-separated."
    )


class Shards(NamedTuple):
    """Which of the `total` parts that an iteration's games are divided into: `first` to `last`, counted from 0."""

    first: int
    last: int
    total: int

    def __str__(self) -> str:
        some = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{some}/{self.total}"

    @classmethod
    def parse(cls, text: str) -> Shards:
        """Reads `3/20` or `0-4/20`; ValueError says what was expected."""
        if not re.fullmatch(SHARDS_PATTERN, text, re.ASCII):
            raise ValueError(f"expected I/N or FIRST-LAST/N, as 3/20, found {text!r}")
        some, _, total = text.partition("/")
        first, separator, last = some.partition("-")
        return cls(int(first), int(last) if separator else int(first), int(total))


def _shards_text(value: str) -> str:
    Shards.parse(value)
    return value


class SelfplayParameters(IterationParameters):
    """Plays shards of games. Game i of an iteration depends on (seed, i) alone, never on shards or threads."""

    stage = Stage.SELFPLAY
    seed: Seed = Field(description="Run seed: the pipeline's seed + 1000 x iteration.")
    games: PositiveCount = Field(description="Games of the whole iteration.")
    shard: Annotated[str, AfterValidator(_shards_text)] = Field(
        default="0/1",
        description="Which part of the games to play: I/N is the I-th of N, from 0; FIRST-LAST/N are several.",
    )
    index: int | None = Field(
        default=None,
        ge=0,
        le=HIGHEST_COUNT,
        description="Play only the index-th of --shard (an Indexed Job's completion index).",
    )
    engine_modes: Annotated[tuple[EngineMode, ...], BeforeValidator(_split_commas)] = Field(
        default=(EngineMode.HEURISTIC_ONLY,), min_length=1, description="Modes, dealt over the games, comma-separated."
    )
    max_moves: PositiveCount | None = Field(
        default=None, description="Cut a game after this many turns of any seat; omitted: the plan's limit."
    )
    weights_version: Count = Field(default=0, description="Champion weights to play with; 0 is the initial weights.")
    network_version: Count = Field(default=0, description="Champion network to play with; 0 is none.")
    initial_weights: InitialWeights = Field(
        default=InitialWeights.BASELINE, description="What weights version 0 means."
    )
    device: Device = Field(default=Device.CPU, description="Where networks are asked; cuda and mps need torch.")
    tree_positions: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Positions of its tree that descent leaves with each decision, with their values, to train on.",
    )
    log_games: bool = Field(default=True, description="Also leave a line of JSON for each game.")

    @model_validator(mode="after")
    def _shards_exist(self) -> SelfplayParameters:
        first, last, total = self.shards
        if not 1 <= total <= self.games:
            raise ValueError(f"--shard {self.shard}: {self.games} games make 1 to {self.games} shards, not {total}")
        if first > last:
            raise ValueError(f"--shard {self.shard}: the first shard is after the last")
        if last >= total:
            raise ValueError(f"--shard {self.shard}: {total} shards are numbered 0 to {total - 1}")
        if self.index is not None and first + self.index > last:
            raise ValueError(f"--index {self.index}: the last shard of --shard {self.shard} has index {last - first}")
        return self

    @property
    def shards(self) -> Shards:
        """The shards that `shard` names."""
        return Shards.parse(self.shard)

    @property
    def chosen_shards(self) -> range:
        """The shards this process plays."""
        first, last, _ = self.shards
        return range(first, last + 1) if self.index is None else range(first + self.index, first + self.index + 1)

    @property
    def move_limit(self) -> int:
        """Turns after which a game is cut."""
        return MOVE_LIMITS[self.board][self.players - 2] if self.max_moves is None else self.max_moves


class MergeParameters(IterationParameters):
    """Merges every shard not yet merged into one new segment, deduplicated by game id."""

    stage = Stage.MERGE


class ExportParameters(IterationParameters):
    """Turns positions of the games of the window into NPZ shards and a manifest."""

    stage = Stage.EXPORT
    seed: Seed = Field(default=0, description="Seed of the sampling and of the symmetries.")
    window: Count = Field(default=0, description="Newest games to draw from; 0 lets the window grow by a power law.")
    require_completed: bool = Field(default=True, description="Leave out games cut by the move limit.")
    min_moves: Count = Field(default=20, description="Leave out games with fewer recorded moves.")
    positions_per_game: PositiveCount = Field(default=32, description="Positions drawn from a game at most.")
    positions: Count = Field(
        default=0, description="Positions drawn at most, spread evenly over the games; 0 is no limit."
    )
    symmetries: int = Field(
        default=1,
        ge=0,
        le=12,
        description="Random symmetries of the board through which a position is seen, a row each; 0: as it is.",
    )
    exact_state: bool = Field(default=False, description="Keep the exact state of each row as well.")
    tree_positions: bool = Field(
        default=False, description="Make rows of the positions of descent's trees, too, where self-play left them."
    )

    @model_validator(mode="after")
    def _symmetries_exist(self) -> ExportParameters:
        most = 8 if self.board in (Board.SQUARE8, Board.SQUARE19) else 12
        if self.symmetries > most:
            raise ValueError(f"--symmetries {self.symmetries}: {self.board} has {most}")
        return self


class TrainParameters(IterationParameters):
    """Trains a candidate network from the exported dataset, from the champion when there is one."""

    stage = Stage.TRAIN
    seed: Seed = Field(default=0, description="Seed of initialisation and shuffling.")
    dataset: ArtifactReference = Field(description="Manifest written by export.")
    network_version: Count = Field(default=0, description="Champion network to start from; 0 starts anew.")
    epochs: PositiveCount = Field(default=10, description="Upper limit of passes over the dataset.")
    batch_size: PositiveCount = Field(default=256, description="Positions per step.")
    device: Device = Field(default=Device.CPU, description="Where to train.")


class CmaesParameters(IterationParameters):
    """Searches better heuristic weights by CMA-ES, by games against the weights it starts from."""

    stage = Stage.CMAES
    seed: Seed = Field(default=0, description="Seed of the search and its games.")
    weights_version: Count = Field(default=0, description="Champion weights to start from; 0 is the initial ones.")
    initial_weights: InitialWeights = Field(
        default=InitialWeights.BASELINE, description="What weights version 0 means."
    )
    generations: PositiveCount = Field(default=10, description="Generations to run at most.")
    population_size: int = Field(default=20, ge=2, le=HIGHEST_COUNT, description="Candidates per generation.")
    games_per_evaluation: PositiveCount = Field(
        default=12, description="Games per candidate, rounded up to whole groups."
    )
    max_moves: PositiveCount = Field(default=500, description="Cut a game after this many turns of any seat.")
    workers: int = Field(default=0, ge=0, le=MOST_WORKERS, description="Threads that play; 0 is every core.")


class GateKind(enum.StrEnum):
    SPRT = "SPRT"
    FIXED = "Fixed"


class EvaluateParameters(IterationParameters):
    """Plays a candidate against its opponent through the gate, or a champion through the regression test."""

    stage = Stage.EVALUATE
    track: Track = Field(description="Track the candidate belongs to.")
    kind: Literal["candidate", "regression"] = Field(
        default="candidate", description="candidate: against the champion; regression: champion against predecessor."
    )
    candidate: ArtifactReference | None = Field(
        default=None, description="Who is judged; for a regression test the champion itself, and omitted."
    )
    champion_version: Count = Field(default=0, description="Current champion; 0 is the track's baseline.")
    initial_weights: InitialWeights = Field(
        default=InitialWeights.BASELINE, description="Baseline of the weights track."
    )
    seed: Seed = Field(default=0, description="Seed of openings and games.")
    gate: GateKind = Field(default=GateKind.SPRT, description="How the candidate is judged.")
    games: PositiveCount = Field(
        default=20, description="Games of the Fixed gate, and of a regression test in an iteration."
    )
    max_games: PositiveCount = Field(default=200, description="Cap of the SPRT, and of the regression tests of a pair.")
    promotion_threshold: float = Field(default=0.55, gt=0, lt=1, description="Two-player-equivalent rate to pass.")
    regression_threshold: float = Field(default=0.45, gt=0, lt=1, description="Below it a champion has regressed.")
    baseline_games: Count = Field(
        default=0, description="Games also played against random and the hand-set heuristic, for the report."
    )
    max_moves: PositiveCount = Field(default=500, description="Cut a game after this many turns of any seat.")

    @model_validator(mode="after")
    def _candidate_given(self) -> EvaluateParameters:
        if self.kind == "candidate" and self.candidate is None:
            raise ValueError("--candidate: missing, and --kind candidate needs one")
        if self.kind == "regression" and self.champion_version == 0:
            raise ValueError("--champion-version: 0, and --kind regression needs a champion")
        return self


class PointerParameters(StageParameters):
    """A move of one track's champion pointer by compare-and-swap; a request id the registry knows moves nothing."""

    track: Track = Field(description="Track whose champion moves.")
    request_id: str = Field(min_length=1, max_length=200, description="Names this request; never carried out twice.")
    expected_version: Count = Field(description="Champion version the request was made for; 0 is none yet.")
    keep_backup_models: Count = Field(default=3, description="Earlier champions kept.")


class PromoteParameters(PointerParameters):
    """Makes the candidate champion."""

    stage = Stage.PROMOTE
    iteration: PositiveCount = Field(description="Iteration that made the candidate; also the new version's name.")
    candidate: ArtifactReference = Field(description="The new champion.")
    verdict: ArtifactReference | None = Field(
        default=None, description="The verdict that accepted it; any other is refused."
    )


class RollbackParameters(PointerParameters):
    """Makes the previous champion champion again."""

    stage = Stage.ROLLBACK
    cause: str = Field(min_length=1, description="Why, for the registry's history.")


PARAMETERS: dict[Stage, type[StageParameters]] = {
    model.stage: model
    for model in (
        AdoptParameters,
        SelfplayParameters,
        MergeParameters,
        ExportParameters,
        TrainParameters,
        CmaesParameters,
        EvaluateParameters,
        PromoteParameters,
        RollbackParameters,
    )
}
"""The parameters model of each stage."""


METRICS: dict[Stage, tuple[str, ...]] = {
    Stage.ADOPT: (
        "iteration",
        "games",
        "promotions",
        "rollbacks",
        "champion_{track}",
        "predecessor_{track}",
        "failures_{track}",
    ),
    Stage.SELFPLAY: ("games", "cut_games"),
    Stage.MERGE: ("games", "new_games"),
    Stage.CMAES: ("converged",),
    Stage.EVALUATE: ("{opponent}_games", "{opponent}_win_rate", "{opponent}_low", "{opponent}_high"),
    Stage.PROMOTE: ("version", "predecessor"),
    Stage.ROLLBACK: ("version", "predecessor"),
}
"""Metrics of a StageResult that the operator reads; every stage may add others.

`iteration` is the last finished one (every track judged, and promoted where accepted), 0 for none; `games` of merge
and adopt is the configuration's unique total, `games` of selfplay those of this result; versions are 0 where there is
none; `converged` is 1 or 0; `opponent` is `random` or `heuristic` (the hand-set weights), for --baseline-games.
"""


OUTPUTS: dict[Stage, str] = {
    Stage.EXPORT: "dataset",
    Stage.TRAIN: "candidate",
    Stage.CMAES: "candidate",
    Stage.EVALUATE: "verdict",
}
"""The output of a StageResult that the next stage is given (`dataset`, `candidate`, `verdict` of its parameters)."""


class Decision(enum.StrEnum):
    PROMOTE = "Promote"
    REJECT = "Reject"
    REGRESSED = "Regressed"
    KEEP = "Keep"
    """A regression test that found nothing (yet)."""


class Verdict(Contract):
    """What a gate decided, with its evidence. Rates are two-player equivalents (training.md, Gates)."""

    track: Track
    decision: Decision
    candidate: str = Field(description="SHA-256 of the judged artifact.")
    champion: str = Field(description="Version judged against, or the baseline's name.")
    games: int
    win_rate: float
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float
    raw_share: float = Field(description="Share of games won; 1/players is equal.")
    reason: str


class StageResult(Contract):
    """The one answer of a stage, at most RESULT_LIMIT_BYTES as JSON (`to_json` holds it there)."""

    stage: Stage
    attempt: int = 1
    started_at: datetime
    finished_at: datetime
    outputs: dict[str, Artifact] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    verdict: Verdict | None = None
    message: str = ""

    def to_json(self) -> str:
        """One line of JSON; ValueError when it would not fit a termination message."""
        text = self.model_dump_json(by_alias=True, exclude_none=True)
        if len(text.encode()) > RESULT_LIMIT_BYTES:
            raise ValueError(f"the result of {self.stage} has {len(text.encode())} bytes, {RESULT_LIMIT_BYTES} fit")
        return text


class Progress(Contract):
    """One JSON line of a running stage's log; `kind` tells it from other lines."""

    kind: Literal["progress"] = "progress"
    stage: Stage
    progress: float = Field(ge=0, le=1)
    message: str = ""
    rate: float | None = Field(default=None, description="Work per second, in `unit`.")
    unit: str = ""


def configuration_name(board: Board, players: int) -> str:
    """`square8-2p`: the name of a configuration everywhere."""
    return f"{board.value}-{players}p"


def to_arguments(parameters: StageParameters) -> list[str]:
    """The command line (without the program) that `ringrift_core.cli` parses back to equal parameters."""
    arguments = [parameters.stage.value]
    for name, field in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        if value == field.get_default():
            continue
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(flag if value else "--no-" + name.replace("_", "-"))
        elif isinstance(value, tuple):
            arguments += [flag, ",".join(str(item) for item in value)]
        else:
            arguments += [flag, str(value)]
    return arguments
