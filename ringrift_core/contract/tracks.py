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


def by_size(small: str, large: str) -> ByConfiguration:
    """One player on the boards of 61 and 64 cells, another one on the larger ones."""
    players = {Board.SQUARE8: small, Board.HEX8: small, Board.SQUARE19: large, Board.HEXAGONAL: large}
    return {(board, seats): player for board, player in players.items() for seats in (2, 3, 4)}


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
    # An NNUE is for alpha-beta, so that is what it is judged in: rung 5 of the ladder, which it has to be good for.
    Track.NNUE: TrackFacts(
        "a network that is small enough for any search",
        by_size("nnue:minimax:25000", "nnue:minimax:6000"),
        by_size("weights@0:minimax:25000", "weights@0:minimax:6000"),
    ),
    # Of the searches that can wait for a network PUCT makes most of the linear heuristic, which is the first to be met.
    # On large boards an evaluation takes ten times as long, and games have more decisions.
    Track.NETWORK: TrackFacts(
        "a network with a policy",
        by_size("network:puct:64", "network:puct:16"),
        by_size("weights@0:puct:64", "weights@0:puct:16"),
    ),
}
"""Tracks that people may ask for. What is gated is what plays: whoever names a track as a player gets this one."""

KnownTrack = Annotated[Track, Known(lambda: TRACKS)]
"""A track of the table."""
