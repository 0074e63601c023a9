"""Who is gated: the players that each track's candidates and champions play as, by board and number of players.

What is gated is what plays: self-play, `ringrift play` and the ladder seat the same judges, and whoever names a track
for a player gets the one of this table.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TypeAlias

from ringrift_core.contract import Board, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import Specification

__all__ = ["FIRST_OPPONENTS", "GATE_PLAYERS", "gate_player"]

ByConfiguration: TypeAlias = Mapping[tuple[Board, int], Specification]


def everywhere(text: str) -> ByConfiguration:
    """The same player on every board, for every number of seats."""
    specification = Specification.parse(text)
    return dict.fromkeys(itertools.product(Board, (2, 3, 4)), specification)


GATE_PLAYERS: Mapping[Track, ByConfiguration] = {
    Track.WEIGHTS: everywhere("weights:one-ply"),
    Track.NETWORK: everywhere("network:one-ply"),
}
"""The judge without a version: a candidate's artifact, or a champion's, takes its place. CMA-ES fits weights in the
same player."""

FIRST_OPPONENTS: Mapping[Track, ByConfiguration] = {
    Track.WEIGHTS: everywhere("weights@0:one-ply"),
    Track.NETWORK: everywhere("weights@0:one-ply"),
}
"""Whom a candidate meets while its track has no champion."""


def gate_player(track: Track, board: Board, players: int) -> Specification:
    """The player of a track; WrongInputError when it has none yet."""
    if track not in GATE_PLAYERS:
        raise WrongInputError(f"track {track}: there is no player of it yet")
    return GATE_PLAYERS[track][board, players]
