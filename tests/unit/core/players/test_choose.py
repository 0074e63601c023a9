"""A single decision of a player, asked for from Python."""

from __future__ import annotations

import math
import signal
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core._engine import Judge, Player, Position, RulesError

BASELINE = Judge.linear(_engine.heuristic_weights("baseline"))


def centre_first(planes: NDArray[np.float32], _features: NDArray[np.float32]) -> NDArray[np.float32]:
    """A network that knows nothing: every seat has the same chance."""
    return np.full((len(planes), 2), 0.5, dtype=np.float32)


def players() -> list[Player]:
    return [
        Player.random(),
        Player.one_ply(BASELINE, noise=20.0),
        Player.minimax(BASELINE, depth=1, noise=20.0),
        Player.descent(BASELINE, nodes=200, noise=0.5),
        Player.tree_search(BASELINE, 32, variant="gumbel", noise=50.0),
        Player.one_ply(Judge.asked(centre_first), noise=0.5),
    ]


@pytest.mark.parametrize("player", players(), ids=lambda player: player.name)
def test_a_choice_is_legal_and_repeats_with_its_seed(player: Player) -> None:
    position = Position("hex8", 2)
    position.play_random(5, 40)
    choices = [str(player.choose(position, seed).move) for seed in range(12)]
    assert choices == [str(player.choose(position, seed).move) for seed in range(12)]
    assert len(set(choices)) > 1
    assert set(choices) <= {str(move) for move in position.legal_moves()}


def test_a_search_tells_chances_and_shares() -> None:
    position = Position("square8", 3)
    position.play_random(3, 60)
    choice = Player.descent(BASELINE, nodes=200).choose(position, 1)
    assert choice.values is not None
    assert sum(choice.values) == pytest.approx(1)
    moves, shares = zip(*choice.policy, strict=True)
    assert sorted(map(str, moves)) == [str(move) for move in position.legal_moves()]
    assert list(shares) == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert moves[0] == choice.move
    assert choice.nodes > len(moves)


def test_searches_are_surer_of_their_moves_than_the_judge_at_first_sight() -> None:
    """Log-odds of the best move against the third, four times those of one ply."""

    def log_odds(player: Player, position: Position) -> float:
        first, _, third, *_ = (share for _, share in player.choose(position, 1).policy)
        return math.log(first / third) if third else math.inf

    found = []
    for seed in range(120):
        position = Position("square8", 2)
        position.play_random(seed, 20)
        if len(position.legal_moves()) >= 3:
            searches = (Player.one_ply(BASELINE), Player.descent(BASELINE, nodes=1), Player.minimax(BASELINE, depth=1))
            found.append([log_odds(player, position) for player in searches])
    one_ply, descent, minimax = np.array(found).T
    told = np.isfinite(descent)
    assert told.sum() > len(found) / 2
    assert descent[told] == pytest.approx(4 * one_ply[told], rel=1e-3, abs=1e-4)
    # Alpha-beta judges where a move leads, one ply the end of its turn.
    told = np.isfinite(minimax)
    assert minimax[told].mean() == pytest.approx(4 * one_ply[told].mean(), rel=0.25)


def test_nothing_is_searched_for_a_random_or_a_forced_move() -> None:
    start = Position()
    assert Player.random().choose(start, 1).values is None
    forced = Position()
    while len(forced.legal_moves()) != 1:
        forced.play_random(2, 1)
    for player in players():
        choice = player.choose(forced, 1)
        assert (choice.move, choice.values, choice.policy) == (forced.legal_moves()[0], None, ())


def test_after_the_end_there_is_nothing_to_choose() -> None:
    position = Position()
    position.play_random(1)
    with pytest.raises(RulesError, match="the game is over"):
        Player.random().choose(position, 1)


def test_what_an_evaluator_raises_comes_out() -> None:
    def broken(_planes: NDArray[np.float32], _features: NDArray[np.float32]) -> NDArray[np.float32]:
        raise ZeroDivisionError("network")

    with pytest.raises(ZeroDivisionError, match="network"):
        Player.one_ply(Judge.asked(broken)).choose(Position(), 1)


@pytest.mark.parametrize(
    "player",
    [
        Player.minimax(BASELINE, depth=60),
        Player.descent(BASELINE, nodes=2_000_000_000),
        Player.tree_search(BASELINE, 2_000_000_000),
    ],
    ids=lambda player: player.name,
)
def test_ctrl_c_ends_a_search_that_would_not_end(player: Player) -> None:
    position = Position("hexagonal", 2)
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        player.choose(position, 1)
