"""Where a search begins: the weights it is given, or a regression on games that they play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ringrift_core import _engine
from ringrift_core.cmaes.regression import fit
from ringrift_core.contract import Board

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["POSITIONS_PER_GAME", "fitted_to_games", "positions_of_games"]

POSITIONS_PER_GAME = 16
"""Positions of one game share its outcome: more of them tell little more."""

GAMES_AT_ONCE = 200
"""Encoded together: large boards take a kilobyte a position."""

MOST_OPENING_PLIES = 8
"""Games begin with so many random decisions at most: else a player without noise plays the same one again and again."""


def fitted_to_games(
    board: Board,
    players: int,
    player: _engine.Player,
    *,
    seed: int,
    games: int,
    max_turns: int,
    threads: int = 0,
    goes_on: Callable[[int], bool] = lambda _: True,
) -> list[float] | None:
    """Weights by regression on the outcomes of games that a player plays against itself; None when it was stopped.

    `goes_on` hears now and then how many games are finished.
    """
    played: list[_engine.GameRecord] = []

    def receive(finished: list[_engine.GameRecord]) -> bool:
        played.extend(finished)
        return goes_on(len(played))

    _engine.play_games(
        board.value,
        players,
        [[player]],
        seed=seed,
        games=games,
        max_turns=max_turns,
        opening_plies=MOST_OPENING_PLIES,
        least_opening_plies=0,
        threads=threads,
        receive=receive,
    )
    if len(played) < games:
        return None
    played.sort(key=lambda record: record.index)
    return fit(*positions_of_games(board, players, played, seed))


def positions_of_games(
    board: Board, players: int, games: list[_engine.GameRecord], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint64]]:
    """Some positions of each game: features [rows, seats, F], outcomes [rows, seats], games [rows].

    Seats count from the one to move. Games without a winner are left out: they say nothing of who was ahead.
    """
    parts = list(_parts(board, players, [game for game in games if game.winner is not None], seed))
    if not parts:
        raise ValueError("no game has a winner: nothing to learn from")
    return (
        np.concatenate([part["features"] for part in parts]),
        np.concatenate([part["outcomes"] for part in parts]).astype(np.float32),
        np.concatenate([part["games"] for part in parts]),
    )


def _parts(board: Board, players: int, games: list[_engine.GameRecord], seed: int) -> Iterator[dict[str, Any]]:
    for first in range(0, len(games), GAMES_AT_ONCE):
        chosen = [
            (
                game.game_id,
                game.moves,
                b"",
                _engine.draw_decisions(seed, game.game_id, game.decisions, POSITIONS_PER_GAME),
            )
            for game in games[first : first + GAMES_AT_ONCE]
        ]
        yield _engine.encode_rows(board.value, players, chosen, seed=seed, features=True)
