"""What is known of each track: what is trained on it, and who is gated. Players are text (docs/players.md)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from ringrift_core.contract.vocabulary import Board, Known, Track

ByConfiguration: TypeAlias = Mapping[tuple[Board, int], str]


def everywhere(player: str) -> ByConfiguration:
    """The same player on every board, for every number of seats."""
    return dict.fromkeys(itertools.product(Board, (2, 3, 4)), player)


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """One track."""

    trained: str
    """What is trained, in words."""
    player: ByConfiguration = field(default_factory=dict)
    """Who is gated. Its judge has no version: a candidate, or a champion, takes the place. CMA-ES fits weights in the
    same player. Empty: there is no player of it yet."""
    first_opponent: ByConfiguration = field(default_factory=dict)
    """Whom a candidate meets while the track has no champion."""


TRACKS: dict[Track, TrackFacts] = {
    Track.WEIGHTS: TrackFacts(
        "weights of the heuristic", everywhere("weights:one-ply"), everywhere("weights@0:one-ply")
    ),
    Track.NNUE: TrackFacts("a network that is small enough for any search"),
    Track.NETWORK: TrackFacts(
        "a network with a policy", everywhere("network:one-ply"), everywhere("weights@0:one-ply")
    ),
}
"""Tracks that people may ask for. What is gated is what plays: whoever names a track as a player gets this one."""

KnownTrack = Annotated[Track, Known(lambda: TRACKS)]
"""A track of the table."""
