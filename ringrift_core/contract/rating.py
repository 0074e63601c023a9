"""How strong champions are beside each other: the round robin of a configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ringrift_core.contract.base import AskingDevice, AtMost, Contract, split_commas
from ringrift_core.contract.judging import EvidenceResult
from ringrift_core.contract.tracking import TrackedParameters
from ringrift_core.contract.vocabulary import (
    HIGHEST_COUNT,
    Count,
    Device,
    PositiveCount,
    Seed,
    Share,
    Stage,
    Total,
    Track,
)

MOST_ENTRANTS = 10
"""Champions of one round robin: so many, and who never changes, fit a result."""

HIGHEST_ELO = 9999
"""Points above or below the hand-set heuristic that are told; nobody's games say that there are more."""

ENTRANT_PATTERN = r"^[a-z][a-z0-9-]{0,31}@[1-9][0-9]{0,9}$"


@dataclass(frozen=True, slots=True)
class Entrant:
    """A champion of a track, as its track is gated. Written `network@3`, in JSON as on a command line."""

    track: Track
    version: int

    def __str__(self) -> str:
        return f"{self.track}@{self.version}"

    @classmethod
    def parse(cls, text: str) -> Entrant:
        """Reads the written form; ValueError says what was expected."""
        if not re.fullmatch(ENTRANT_PATTERN, text, re.ASCII) or int(text.rpartition("@")[2]) > HIGHEST_COUNT:
            raise ValueError(f"expected TRACK@VERSION, as network@3, found {text!r}")
        track, _, version = text.rpartition("@")
        return cls(Track(track), int(version))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        read = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        known = core_schema.is_instance_schema(cls)
        return core_schema.json_or_python_schema(
            json_schema=read,
            python_schema=core_schema.union_schema([known, read], mode="left_to_right"),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": ENTRANT_PATTERN, "maxLength": 43}


class RoundrobinParameters(TrackedParameters):
    """Plays champions, their predecessors, random play and the hand-set heuristic against each other, and rates them:
    each as its track is gated, each pair from every seat, on openings of its own."""

    stage = Stage.ROUNDROBIN
    entrants: Annotated[tuple[Entrant, ...], BeforeValidator(split_commas)] = Field(
        default=(),
        max_length=MOST_ENTRANTS,
        description="Champions that play, as network@3,network@2, of each track the one to tell of first. "
        "Omitted: the champion of every track, and its predecessor.",
    )
    seed: Seed = Field(default=0, description="Seed of openings and games.")
    games: PositiveCount = Field(default=20, description="Games of each pair, rounded up to whole groups.")
    max_moves: PositiveCount = Field(default=500, description="Cut a game after this many turns of any seat.")
    device: AskingDevice = Device.CPU


Points = Annotated[int, Field(ge=-HIGHEST_ELO, le=HIGHEST_ELO)]


class PlayerRating(Contract):
    """A player's strength by Plackett's and Luce's model, in Elo above the hand-set heuristic, with its 95 % interval.

    400 points are odds of 10 to 1 against one opponent.
    """

    player: Annotated[str, AtMost(43)] = Field(description="A champion, as network@3, or random, or heuristic.")
    elo: Points = Field(description="Points above the hand-set heuristic at one ply.")
    low: Points = Field(description="Lower end of the 95 % interval.")
    high: Points = Field(description="Upper end of the 95 % interval.")
    win_rate: Share = Field(description="Mean of its two-player-equivalent rates against each of the others.")
    games: Count = Field(description="Games that it is rated by.")


class RoundrobinResult(EvidenceResult):
    """How strong everybody is; every group stands in the stored `ratings`."""

    games: Total = Field(description="Games in all.")
    cut_share: Share = Field(description="Share of games cut by the move limit.")
    ratings: tuple[PlayerRating, ...] = Field(
        default=(),
        max_length=MOST_ENTRANTS + 2,
        description="Strength of each player: the entrants as they were named, then random and heuristic.",
    )
