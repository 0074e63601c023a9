"""What self-play is told, and what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from ringrift_core.contract.base import ArtifactReference, AskingDevice, IterationParameters, Result, split_commas
from ringrift_core.contract.marks import Placement
from ringrift_core.contract.vocabulary import (
    HIGHEST_COUNT,
    MOVE_LIMITS,
    Count,
    Device,
    EngineMode,
    InitialWeights,
    PositiveCount,
    Seed,
    Share,
    Stage,
    Total,
)
from ringrift_core.contract.written import Written

SHARDS_PATTERN = r"^\d{1,10}(-\d{1,10})?/\d{1,10}$"
"""`3/20` or `0-4/20`: see Shards."""


@dataclass(frozen=True, slots=True)
class Shards(Written):
    """Which of the `total` parts that an iteration's games are divided into: `first` to `last`, counted from 0.

    Written `3/20` or `0-4/20`, in JSON as on a command line.
    """

    PATTERN = SHARDS_PATTERN

    first: int
    last: int
    total: int

    def __str__(self) -> str:
        some = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{some}/{self.total}"

    @classmethod
    def parse(cls, text: str) -> Shards:
        """Reads the written form; ValueError says what was expected."""
        if not re.fullmatch(SHARDS_PATTERN, text, re.ASCII):
            raise ValueError(f"expected I/N or FIRST-LAST/N, as 3/20, found {text!r}")
        some, _, total = text.partition("/")
        first, separator, last = some.partition("-")
        return cls(int(first), int(last) if separator else int(first), int(total))


def _total(shard: Shards) -> int:
    """Which shard it is, is the task's name; how many there are decides which games it holds."""
    return shard.total


class SelfplayParameters(IterationParameters):
    """Plays shards of games. Game i of an iteration depends on (seed, i) alone, never on shards or threads."""

    stage = Stage.SELFPLAY
    seed: Seed = Field(description="Run seed: the pipeline's seed + 1000 x iteration.")
    games: PositiveCount = Field(description="Games of the whole iteration, or of this round of it.")
    first_game: Count = Field(
        default=0,
        description="Number of the first of these games: a further round for an iteration that asks for more.",
    )
    shard: Annotated[Shards, Placement("shardCount", _total)] = Field(
        default=Shards(0, 0, 1),
        description="Which part of the games to play: I/N is the I-th of N, from 0; FIRST-LAST/N are several.",
    )
    index: Annotated[int | None, Placement()] = Field(
        default=None,
        ge=0,
        le=HIGHEST_COUNT,
        description="Play only the index-th of --shard (an Indexed Job's completion index).",
    )
    engine_modes: Annotated[tuple[EngineMode, ...], BeforeValidator(split_commas)] = Field(
        default=(EngineMode.HEURISTIC_ONLY,), min_length=1, description="Modes, dealt over the games, comma-separated."
    )
    player: str | None = Field(
        default=None,
        max_length=512,
        description="Who plays instead, such as network:gumbel:64: several, comma-separated, are dealt over the seats.",
    )
    random_moves: Share = Field(default=0.05, description="Share of decisions after the opening that are random.")
    restarts: ArtifactReference | None = Field(
        default=None, description="Positions that export left (--restarts), which some of the games go on from."
    )
    restart_share: Share = Field(default=0.25, description="Share of the games that go on from one of these.")
    max_moves: PositiveCount | None = Field(
        default=None, description="Cut a game after this many turns of any seat; omitted: the plan's limit."
    )
    weights_version: Count = Field(default=0, description="Champion weights to play with; 0 is the initial weights.")
    network_version: Count = Field(default=0, description="Champion network to play with; 0 is none.")
    nnue_version: Count = Field(
        default=0, description="Champion NNUE by which minimax and descent search; 0 is none: the weights do."
    )
    initial_weights: InitialWeights = Field(
        default=InitialWeights.BASELINE, description="What weights version 0 means."
    )
    device: AskingDevice = Device.CPU
    tree_positions: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Positions of its tree that descent leaves with each decision, with their values, to train on.",
    )
    log_games: bool = Field(default=True, description="Also leave a line of JSON for each game.")

    @model_validator(mode="after")
    def _shards_exist(self) -> SelfplayParameters:
        first, last, total = self.shard.first, self.shard.last, self.shard.total
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
    def chosen_shards(self) -> range:
        """The shards this process plays; those of a further round count on from the number of its first game."""
        first, last = self.first_game + self.shard.first, self.first_game + self.shard.last
        return range(first, last + 1) if self.index is None else range(first + self.index, first + self.index + 1)

    @property
    def move_limit(self) -> int:
        """Turns after which a game is cut."""
        return MOVE_LIMITS[self.board][self.players - 2] if self.max_moves is None else self.max_moves


class SelfplayResult(Result):
    """The games of the shards that were asked for, whoever played them."""

    games: Total = Field(description="Games.")
    cut_games: Total = Field(description="Games cut by the move limit.")
    turns: Total = Field(description="Turns of all games.")
    moves: Total = Field(description="Recorded moves of all games.")
    decisions: Total = Field(description="Decisions of all games.")
    seat_wins: tuple[Total, ...] = Field(min_length=2, max_length=4, description="Games won by each seat.")
    games_played: Total = Field(default=0, description="Games that the process itself played; the rest was there.")
    seconds: float = Field(default=0, ge=0, allow_inf_nan=False, description="Time that these took it.")

    @property
    def cut_share(self) -> float:
        """Share of the games that were cut."""
        return self.cut_games / max(1, self.games)

    @property
    def games_per_second(self) -> float:
        """Of the games that the process itself played; 0 when it played none."""
        return self.games_played / self.seconds if self.seconds else 0.0

    def __add__(self, other: SelfplayResult) -> SelfplayResult:
        counts = ("games", "cut_games", "turns", "moves", "decisions", "games_played", "seconds")
        return SelfplayResult(
            **{name: getattr(self, name) + getattr(other, name) for name in counts},
            seat_wins=tuple(one + two for one, two in zip(self.seat_wins, other.seat_wins, strict=True)),
        )
