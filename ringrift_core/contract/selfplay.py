"""What self-play is told."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ringrift_core.contract.base import IterationParameters, split_commas
from ringrift_core.contract.vocabulary import (
    HIGHEST_COUNT,
    MOVE_LIMITS,
    Count,
    Device,
    EngineMode,
    InitialWeights,
    PositiveCount,
    Seed,
    Stage,
)

SHARDS_PATTERN = r"^\d{1,10}(-\d{1,10})?/\d{1,10}$"
"""`3/20` or `0-4/20`: see Shards."""


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
    engine_modes: Annotated[tuple[EngineMode, ...], BeforeValidator(split_commas)] = Field(
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
