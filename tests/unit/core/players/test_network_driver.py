from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ringrift_core import RulesError, _engine
from ringrift_core._engine import Player

Array = NDArray[np.float32]
RANDOM = Player.random()


def material(planes: Array, features: Array) -> Array:
    """Values seats by what they have, less the others': hand, eliminations, territory, stacks and their heights."""
    players = (planes.shape[1] - 3) // 7
    score = sum(features[:, kind : 9 * players : 9] for kind in (0, 2, 3))
    score += (
        planes[:, 0 : 7 * players : 7].sum(axis=(2, 3)) / 8 + planes[:, 1 : 7 * players : 7].sum(axis=(2, 3)) * 8 / 18
    )
    values: Array = (score - score.mean(axis=1, keepdims=True)).astype(np.float32)
    return values


def reverse(planes: Array, features: Array) -> Array:
    return -material(planes, features)


def share(candidate: Player, opponent: Player, players: int) -> float:
    results = _engine.play_match("hex8", players, candidate, opponent, seed=1, groups=60 // players)
    return sum(one.score for one in results) / sum(len(one.records) for one in results)


@pytest.mark.parametrize("players", [2, 3, 4])
def test_values_belong_to_the_seat_they_name(players: int) -> None:
    """Who wants material beats who avoids it: a rotation or sign mistaken anywhere turns one into the other."""
    assert share(Player.network(material), RANDOM, players) > 1.4 / players
    assert share(Player.network(material), Player.network(reverse), players) > 0.8


@pytest.mark.parametrize("board", ["square8", "hex8", "square19"])
def test_evaluators_get_what_the_shape_promises(board: str) -> None:
    planes_wanted, height, width, globals_wanted = _engine.encoding_shape(board, 3)

    def evaluate(planes: Array, features: Array) -> Array:
        assert planes.dtype == features.dtype == np.float32
        assert planes.shape[1:] == (planes_wanted, height, width)
        assert features.shape == (len(planes), globals_wanted)
        return np.zeros((len(planes), 3), np.float32)

    (record,) = _engine.play_games(board, 3, [[Player.network(evaluate)]], seed=1, games=1, max_turns=4)
    assert record.turns == 4


def test_games_do_not_depend_on_batches_or_threads() -> None:
    def evaluate(planes: Array, _: Array) -> Array:
        weights = np.sin(np.arange(planes[0].size, dtype=np.float32)).reshape(planes.shape[1:])
        value = np.array([float((row * weights).sum()) for row in planes], np.float32)
        return np.stack([value, -value], axis=1)

    modes = [[Player.network(evaluate, noise=0.01), RANDOM]]
    options: dict[str, Any] = {"seed": 3, "max_turns": 12, "opening_plies": 2}
    whole = _engine.play_games("hex8", 2, modes, games=20, threads=1, **options)
    pieces = [
        record
        for first in range(0, 20, 5)
        for record in _engine.play_games("hex8", 2, modes, games=5, first_game=first, threads=3, **options)
    ]
    assert [record.moves for record in pieces] == [record.moves for record in whole]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda planes, _: np.zeros((len(planes), 3), np.float32), "expected an array of shape"),
        (lambda planes, _: np.zeros((len(planes), 2)), "expected a float32 array of shape"),
        (lambda *_: None, "expected a float32 array of shape"),
    ],
)
def test_a_wrong_answer_is_refused(answer: Any, sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        _engine.play_games("hex8", 2, [[Player.network(answer)]], seed=1, games=1)


def test_an_exception_in_the_evaluator_comes_out() -> None:
    def fail(*_: Array) -> Array:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _engine.play_games("hex8", 2, [[Player.network(fail)]], seed=1, games=1)


def test_an_evaluator_must_be_callable() -> None:
    with pytest.raises(RulesError, match="evaluator: expected a callable, found <class 'int'>"):
        Player.network(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", ["puct", "gumbel"])
@pytest.mark.parametrize("players", [2, 3, 4])
def test_a_search_follows_the_values_of_the_seat_they_name(players: int, variant: str) -> None:
    """As above, through a tree: whoever moves maximises its own value."""

    def chances(sign: float) -> _engine._Evaluator:
        def evaluate(planes: Array, features: Array) -> Array:
            odds = np.exp(3 * sign * material(planes, features))
            return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)

        return evaluate

    wants = Player.mcts(evaluator=chances(1), simulations=40, variant=variant)
    avoids = Player.mcts(evaluator=chances(-1), simulations=40, variant=variant)
    results = _engine.play_match("hex8", players, wants, avoids, seed=1, groups=12 // players)
    assert sum(one.score for one in results) / 12 > 1.4 / players
