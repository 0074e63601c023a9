"""A seed gives the same games: those that it gave when these digests were written, by 0.1.0 before searches had judges.

A change that is meant to alter what a player does renews its digest, and says so; any other leaves them alone.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core._engine import Judge, Player

Array = NDArray[np.float32]


def chances(planes: Array, features: Array) -> Array:
    """Any chances. The sums are exact in float64, so that every machine finds the same."""
    players = (planes.shape[1] - 3) // 7
    numbers = planes.sum(axis=(1, 2, 3), dtype=np.float64) + features.sum(axis=1, dtype=np.float64)
    parts = 0.25 + (numbers[:, None] * 0.618034 + np.arange(players) * 0.37) % 1
    values: Array = (parts / sum(parts.T)[:, None]).astype(np.float32)
    return values


LINEAR = Judge.linear(_engine.heuristic_weights("baseline"))
ASKED = Judge.asked(chances)
DIGESTS = {
    "one ply": (Player.one_ply(LINEAR, 0.3), "bce229dee71cdf2b"),
    "max^n": (Player.minimax(LINEAR, nodes=300, variant="max_n", noise=0.1), "1fc0b1813400efb7"),
    "paranoid": (Player.minimax(LINEAR, nodes=300, variant="paranoid"), "ffe1d242bfbb7ea7"),
    "best reply": (Player.minimax(LINEAR, depth=2, variant="best_reply"), "fa8a3c06eae102fc"),
    "descent": (Player.descent(LINEAR, 300, noise=0.1, inner=4), "41371607d44afe5b"),
    "descent to the end": (Player.descent(LINEAR, 300, to_the_end=True), "98b3683e8b72ab12"),
    "puct": (Player.tree_search(LINEAR, 12, noise=0.25), "0ca7eef2cb7bf878"),
    "gumbel": (Player.tree_search(LINEAR, 12, variant="gumbel", noise=1), "5930b552fe6a419e"),
    "asked, one ply": (Player.one_ply(ASKED, 0.05), "b273e1998489a317"),
    "asked, puct": (Player.tree_search(ASKED, 12, noise=0.25), "7c44de086c7f78d9"),
    "asked, gumbel": (Player.tree_search(ASKED, 12, variant="gumbel", noise=1), "13d367bfdd43e1d2"),
}
"""The first digits of the SHA-256 of the ids of eight games: two players on square8, three on hex8."""


@pytest.mark.parametrize(("player", "digest"), DIGESTS.values(), ids=DIGESTS)
def test_a_seed_gives_the_same_games(player: Player, digest: str) -> None:
    games = [
        game.game_id
        for board, players in (("square8", 2), ("hex8", 3))
        for game in _engine.play_games(
            board,
            players,
            [[player]],
            seed=17,
            games=4,
            opening_plies=2,
            random_move_rate=0.05,
            max_turns=12,
        )
    ]
    assert hashlib.sha256(" ".join(games).encode()).hexdigest().startswith(digest)
