"""What moves or reads the registry of champions."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ringrift_core.contract.base import ArtifactReference, AtMost, Contract, Result, split_commas
from ringrift_core.contract.claims import ClaimParameters
from ringrift_core.contract.tracks import KnownTrack
from ringrift_core.contract.vocabulary import MOST_TRACKS, Count, PositiveCount, Stage, Total, Track


class AdoptParameters(ClaimParameters):
    """Reads iteration, games, champions and failure counts of one configuration from a store, and claims it."""

    stage = Stage.ADOPT
    tracks: Annotated[tuple[KnownTrack, ...], BeforeValidator(split_commas)] = Field(
        default=(Track.WEIGHTS, Track.NETWORK), description="Tracks the pipeline trains, comma-separated."
    )
    give_back: bool = Field(default=False, description="Only give the holder's claim back, if it has one.")


class PointerParameters(ClaimParameters):
    """A move of one track's champion pointer by compare-and-swap; a request id the registry knows moves nothing."""

    track: KnownTrack = Field(description="Track whose champion moves.")
    request_id: str = Field(min_length=1, max_length=200, description="Names this request; never carried out twice.")
    expected_version: Count = Field(description="Champion version the request was made for; 0 is none yet.")
    keep_backup_models: Count = Field(default=3, description="Earlier champions kept.")


class PromoteParameters(PointerParameters):
    """Makes the candidate champion."""

    stage = Stage.PROMOTE
    iteration: Count = Field(
        description="Iteration that made the candidate, 0 before the first; also the new version's name, or the next "
        "where that one or a later one was taken by hand."
    )
    candidate: ArtifactReference = Field(description="The new champion.")
    verdict: ArtifactReference | None = Field(
        default=None, description="The verdict that accepted it; any other is refused."
    )
    cause: str | None = Field(
        default=None, min_length=1, description="Why, for the registry's history, where a person decided it."
    )


class RollbackParameters(PointerParameters):
    """Makes an earlier champion champion again: the previous one, or one before it."""

    stage = Stage.ROLLBACK
    iteration: Count = Field(default=0, description="Iteration under way, for the registry's history; 0 is none.")
    cause: str = Field(min_length=1, description="Why, for the registry's history.")
    to_version: PositiveCount | None = Field(
        default=None, description="Earlier champion that is kept, to go back to; omitted: the champion before this one."
    )


class PointerResult(Result):
    """Whom a promotion or a rollback left champion."""

    version: Count = Field(description="Champion version; 0 is none.")
    predecessor: Count = Field(description="Champion that a rollback would restore; 0 is none.")


class AdoptedTrack(Contract):
    """What the store knows of one track."""

    track: Track = Field(description="Track.")
    champion: Count = Field(description="Champion version; 0 is none.")
    predecessor: Count = Field(description="Champion that a rollback would restore; 0 is none.")
    failures: Count = Field(description="Rejected candidates since the last accepted one or the last rollback.")
    moved_since: Count = Field(
        default=0, description="Moves of the pointer in the iteration after the last finished one."
    )
    start: Count = Field(default=0, description="Champion before these moves; 0 is none.")


class AdoptResult(Result):
    """What a store holds of one configuration; zeros for an empty one."""

    iteration: Count = Field(description="The last finished iteration.")
    games: Total = Field(description="Unique games merged.")
    promotions: Count = Field(description="Promotions ever.")
    rollbacks: Count = Field(description="Rollbacks ever.")
    tracks: tuple[AdoptedTrack, ...] = Field(
        max_length=MOST_TRACKS, description="Champions and failures of each track."
    )
    taken_over: Annotated[str, AtMost(192)] = Field(
        default="", description="From whom the claim was taken over; empty: from nobody."
    )
