from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ringrift_core import Game, RulesError, _engine
from ringrift_core._engine import Judge, Player
from ringrift_core.nn.inference import ValueEvaluator

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
    assert share(Player.one_ply(Judge.asked(material)), RANDOM, players) > 1.4 / players
    assert share(Player.one_ply(Judge.asked(material)), Player.one_ply(Judge.asked(reverse)), players) > 0.8


@pytest.mark.parametrize("board", ["square8", "hex8", "square19"])
def test_evaluators_get_what_the_shape_promises(board: str) -> None:
    planes_wanted, height, width, globals_wanted = _engine.encoding_shape(board, 3)

    def evaluate(planes: Array, features: Array) -> Array:
        assert planes.dtype == features.dtype == np.float32
        assert planes.shape[1:] == (planes_wanted, height, width)
        assert features.shape == (len(planes), globals_wanted)
        return np.zeros((len(planes), 3), np.float32)

    (record,) = _engine.play_games(board, 3, [[Player.one_ply(Judge.asked(evaluate))]], seed=1, games=1, max_turns=4)
    assert record.turns == 4


def wave(planes: Array, _: Array) -> Array:
    """Any chances, but the same for a position in whatever batch it comes."""
    weights = np.sin(np.arange(planes[0].size, dtype=np.float32)).reshape(planes.shape[1:])
    value = np.array([1 / (1 + np.exp(-float((row * weights).sum()))) for row in planes], np.float32)
    return np.stack([value, 1 - value], axis=1)


def with_policy(planes: Array, features: Array) -> tuple[Array, Array]:
    """The same chances, and any policy."""
    values = wave(planes, features)
    return values, np.sin(values[:, :1] * np.arange(_engine.policy_size("hex8", 2), dtype=np.float32))


@pytest.mark.parametrize(
    "player",
    [
        Player.one_ply(Judge.asked(wave), noise=0.01),
        Player.tree_search(Judge.asked(wave), 12, variant="puct", noise=0.25),
        Player.tree_search(Judge.asked(with_policy), 12, variant="gumbel", noise=1),
        Player.policy(Judge.asked(with_policy), noise=1),
    ],
    ids=["one ply", "puct", "gumbel with a policy", "policy alone"],
)
def test_games_do_not_depend_on_batches_or_threads(player: Player) -> None:
    options: dict[str, Any] = {"seed": 3, "max_turns": 12, "opening_plies": 2}
    whole = _engine.play_games("hex8", 2, [[player, RANDOM]], games=20, threads=1, **options)
    pieces = [
        record
        for first in range(0, 20, 5)
        for record in _engine.play_games("hex8", 2, [[player, RANDOM]], games=5, first_game=first, threads=3, **options)
    ]
    assert [record.moves for record in pieces] == [record.moves for record in whole]
    assert [record.searches for record in pieces] == [record.searches for record in whole]


def test_players_with_one_evaluator_ask_it_together() -> None:
    asked: list[int] = []

    def count(planes: Array, features: Array) -> Array:
        asked.append(len(planes))
        return wave(planes, features)

    one, other = (Player.tree_search(Judge.asked(count), simulations) for simulations in (6, 8))
    _engine.play_games("hex8", 2, [[one], [other]], seed=1, games=10, max_turns=2)
    assert asked[0] == 10, "the first leaf of every game, whoever plays it"


def test_a_policy_that_no_evaluator_gives_is_missed_in_a_sentence() -> None:
    with pytest.raises(RulesError, match="expected values and policy, found values alone"):
        Player.policy(Judge.asked(wave)).choose(_engine.Position("hex8", 2), 1)


@pytest.mark.parametrize("variant", ["puct", "gumbel"])
def test_a_networks_policy_is_the_prior(variant: str) -> None:
    """The keys of one move get a high number: that move is played, and has the policy's share."""
    game = Game("hex8", 2)
    wanted = str(game.legal_moves()[17])
    keys = list(_engine.move_keys(game._position)[wanted])

    def evaluate(planes: Array, _: Array) -> tuple[Array, Array]:
        policy = np.zeros((len(planes), _engine.policy_size("hex8", 2)), np.float32)
        policy[:, keys] = 8.0
        return np.full((len(planes), 2), 0.5, np.float32), policy

    choice = Player.tree_search(Judge.asked(evaluate), 16, variant=variant).choose(game._position, 1)
    assert str(choice.move) == wanted
    assert choice.policy[0][1] > 0.8


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda planes, _: np.zeros((len(planes), 3), np.float32), "expected an array of shape"),
        (lambda planes, _: np.zeros((len(planes), 2)), "expected a float32 array of shape"),
        (lambda *_: None, "expected a float32 array of shape"),
        (lambda planes, _: (np.zeros((len(planes), 2), np.float32),) * 2, "expected an array of shape"),
        (
            lambda planes, _: (np.zeros((len(planes), 2), np.float32),) * 3,
            "values, or values and policy, found 3 items",
        ),
    ],
)
def test_a_wrong_answer_is_refused(answer: Any, sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        _engine.play_games("hex8", 2, [[Player.one_ply(Judge.asked(answer))]], seed=1, games=1)


def test_an_exception_in_the_evaluator_comes_out() -> None:
    def fail(*_: Array) -> Array:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _engine.play_games("hex8", 2, [[Player.one_ply(Judge.asked(fail))]], seed=1, games=1)


def test_an_evaluator_must_be_callable() -> None:
    with pytest.raises(RulesError, match="evaluator: expected a callable, found <class 'int'>"):
        Judge.asked(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", ["puct", "gumbel"])
@pytest.mark.parametrize("players", [2, 3, 4])
def test_a_search_follows_the_values_of_the_seat_they_name(players: int, variant: str) -> None:
    """As above, through a tree: whoever moves maximises its own value."""

    def chances(sign: float) -> ValueEvaluator:
        def evaluate(planes: Array, features: Array) -> Array:
            odds = np.exp(3 * sign * material(planes, features))
            shares: Array = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
            return shares

        return evaluate

    wants = Player.tree_search(Judge.asked(chances(1)), 40, variant=variant)
    avoids = Player.tree_search(Judge.asked(chances(-1)), 40, variant=variant)
    results = _engine.play_match("hex8", players, wants, avoids, seed=1, groups=12 // players)
    assert sum(one.score for one in results) / 12 > 1.4 / players
