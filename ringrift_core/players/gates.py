"""Who is gated: the players that each track's candidates and champions play as, by board and number of players.

What is gated is what plays: self-play, `ringrift play` and the ladder seat the same judges, and whoever names a track
for a player gets the one of the contract's table (`TRACKS`).
"""

from __future__ import annotations

from collections.abc import Mapping

from ringrift_core.contract import TRACKS, Board, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import JudgeKind, Specification

__all__ = ["TRACK_OF", "first_opponent", "gate_judge", "gate_player"]

TRACK_OF: Mapping[JudgeKind, Track] = {
    JudgeKind.WEIGHTS: Track.WEIGHTS,
    JudgeKind.NNUE: Track.NNUE,
    JudgeKind.NETWORK: Track.NETWORK,
}
"""Whose champions a judge's versions are."""


def gate_player(track: Track, board: Board, players: int) -> Specification:
    """The player of a track; WrongInputError when it has none yet."""
    if track not in TRACKS or not TRACKS[track].player:
        raise WrongInputError(f"track {track}: there is no player of it yet")
    return Specification.parse(TRACKS[track].player[board, players])


def first_opponent(track: Track, board: Board, players: int) -> Specification:
    """Whom a track's candidates meet before there is a champion; KeyError when it has no player."""
    return Specification.parse(TRACKS[track].first_opponent[board, players])


def gate_judge(track: Track, board: Board, players: int) -> JudgeKind:
    """What judges for the players of a track: what its candidates consist of. WrongInputError as `gate_player`."""
    judge = gate_player(track, board, players).judge
    if judge is None:
        raise ValueError(f"track {track}: its player is random, and nothing can be made of that")
    return judge.kind
