"""Who decides by itself and who asks a network play in lanes of their own: neither waits for the other, and no game
depends on what waits beside it."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from ringrift_core import _engine
from ringrift_core._engine import Player
from tests.unit.core.players.test_same_games import ASKED, LINEAR

LONG = Player.descent(LINEAR, 20_000, name="long")


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize(
    ("player", "digest"),
    [
        (Player.one_ply(ASKED, 0.05), "4cf71fe918323694"),
        (Player.tree_search(ASKED, 12, variant="gumbel", noise=1), "53b7dc59f5d418a7"),
    ],
    ids=["one ply", "gumbel"],
)
def test_games_against_a_long_search_are_the_same_on_any_number_of_threads(
    player: Player, digest: str, threads: int
) -> None:
    """The digests were written while all games of a batch still waited for one another."""
    games = [
        record.game_id
        for board, players in (("square8", 2), ("hex8", 3))
        for group in _engine.play_match(board, players, player, LONG, seed=11, groups=3, max_turns=10, threads=threads)
        for record in group.records
    ]
    assert hashlib.sha256(" ".join(games).encode()).hexdigest()[:16] == digest


def test_who_asks_does_not_wait_for_a_long_decision() -> None:
    """One thread is at a decision that does not end before the run does. Every game of those who ask is played, and
    they ask together, a position each: if they waited for the decision, nothing would ever come."""
    program = """
import numpy as np
from ringrift_core import _engine
from ringrift_core._engine import Judge, Player

asked, done = [], []

def evaluate(planes, features):
    asked.append(len(planes))
    return np.full((len(planes), 2), 0.5, np.float32)

def receive(games):
    done.extend(game.index for game in games)
    return len(done) < 5

endless = Player.minimax(Judge.linear(_engine.heuristic_weights("baseline")), 99)
asking = Player.tree_search(Judge.asked(evaluate), 8)
options = {"seed": 1, "games": 10, "max_turns": 6, "threads": 1, "receive": receive}
_engine.play_games("hex8", 2, [[endless], [asking]], **options)
print(sorted(done), max(asked), len(asked) < sum(asked) / 3)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.stdout == "[1, 3, 5, 7, 9] 5 True\n", done.stderr
