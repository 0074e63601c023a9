"""The PettingZoo environment: its own suite, and what it says against the game itself."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo.test import api_test, render_test, seed_test

from ringrift_core import Game, _engine
from ringrift_core import env as ringrift
from ringrift_core.env import action_path, by_ranks, by_winner

BOARDS = ("square8", "hex8", "square19", "hexagonal")
SMALL = st.sampled_from([("square8", 2), ("square8", 3), ("hex8", 2), ("hex8", 4)])
EXPECTED = (
    "Observation is not a NumPy array",  # it is a dictionary with a mask, as of PettingZoo's own board games,
    "Observation space for each agent probably should be",  # which the suite knows by their names
)


@pytest.fixture
def own_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        for message in EXPECTED:
            warnings.filterwarnings("ignore", message=message)
        yield


@pytest.mark.usefixtures("own_warnings")
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("players", [2, 3, 4])
class TestPettingZoosOwn:
    def test_api_test(self, board: str, players: int, capsys: pytest.CaptureFixture[str]) -> None:
        api_test(ringrift.env(board=board, players=players), num_cycles=1000)
        assert "Passed API test" in capsys.readouterr().out

    def test_seed_test(self, board: str, players: int) -> None:
        seed_test(lambda: ringrift.env(board=board, players=players), num_cycles=200)

    def test_render_test(self, board: str, players: int, capsys: pytest.CaptureFixture[str]) -> None:
        render_test(lambda **options: ringrift.env(board=board, players=players, **options))
        assert "player 1" in capsys.readouterr().out


def play(environment: Any, seed: int, steps: int = 10_000) -> list[str]:
    """Random legal actions; the agents that acted, in order."""
    draw = random.Random(seed)
    acted: list[str] = []
    while not any([*environment.terminations.values(), *environment.truncations.values()]) and len(acted) < steps:
        acted.append(environment.agent_selection)
        mask = environment.observe(environment.agent_selection)["action_mask"]
        environment.step(draw.choice(np.flatnonzero(mask).tolist()))
    return acted


def fresh(board: str = "square8", players: int = 2, **options: Any) -> ringrift.raw_env:
    environment = ringrift.raw_env(board, players, **options)
    environment.reset()
    return environment


def replayed(environment: ringrift.raw_env) -> Game:
    game = Game(environment._position.board, environment._position.players)
    for move in environment._position.moves:
        game.play(move)
    return game


@given(SMALL, st.integers(0, 2**32), st.integers(0, 200))
def test_every_legal_move_has_actions_of_its_own(configuration: tuple[str, int], seed: int, moves: int) -> None:
    game = Game(*configuration, seed=seed)
    game.random_playout(moves)
    if len(game.legal_moves()) < 2:
        return
    keys = _engine.move_keys(game._position)
    paths = [action_path(move, keys[move]) for move in keys]
    assert sorted(keys) == [str(move) for move in game.legal_moves()]
    assert len(set(paths)) == len(paths)
    assert all(0 <= action < _engine.policy_size(*configuration) for path in paths for action in path)
    # None is the beginning of another, so that it is always clear whether a move is complete.
    assert not any(one != other and other[: len(one)] == one for one in paths for other in paths)


@pytest.mark.parametrize("board", ["square19", "hexagonal"])
@pytest.mark.parametrize("players", [2, 4])
def test_on_the_large_boards_as_well(board: str, players: int) -> None:
    game = Game(board, players, seed=1)
    while game.random_playout(7):
        if len(game.legal_moves()) > 1:
            keys = _engine.move_keys(game._position)
            assert len({action_path(move, keys[move]) for move in keys}) == len(keys)


@given(SMALL, st.integers(0, 2**32), st.integers(0, 150))
def test_the_mask_is_the_legal_moves_and_actions_play_them(
    configuration: tuple[str, int], seed: int, steps: int
) -> None:
    environment = fresh(*configuration)
    play(environment, seed, steps)
    if any(environment.terminations.values()):
        return
    agent = environment.agent_selection
    actions = np.flatnonzero(environment.observe(agent)["action_mask"]).tolist()
    offered = sorted(move for action in actions for move in environment.notation(action))
    if environment._begun:
        assert set(offered) < {str(move) for move in replayed(environment).legal_moves()}
    else:
        assert offered == [str(move) for move in replayed(environment).legal_moves()]
    assert len(offered) >= 2
    action = actions[seed % len(actions)]
    moves = environment.notation(action)
    before = len(environment._position.moves)
    environment.step(action)
    if len(moves) == 1:
        assert str(environment._position.moves[before]) == moves[0]
    else:
        assert len(environment._position.moves) == before
        assert environment.agent_selection == agent
    assert replayed(environment).hash() == environment._position.identity_key()


RECOVERY = {
    "p": 1,
    "ph": "movement",
    "stk": {"6,6": "1222", "0,7": "122", "7,0": "2"},
    "mk": {"3,3": 1, "1,1": 1},
    "col": {},
    "hand": [0, 12],
    "elim": [8, 8],
    "terr": [0, 0],
}
"""Seat 1 has markers and buried rings but no stack: it may slide a marker and pay with a buried ring (R110)."""


def test_a_recovery_slide_takes_two_actions_and_shows_the_first() -> None:
    environment = ringrift.raw_env()
    environment.reset(options={"state": RECOVERY})
    agent = environment.agent_selection
    slide = next(
        action
        for action in np.flatnonzero(environment.observe(agent)["action_mask"])
        if any(move.startswith("recovery_slide 3,3>3,4 ") for move in environment.notation(int(action)))
    )
    assert environment.notation(int(slide)) == [
        "recovery_slide 3,3>3,4 mode=fallback extract=6,6",
        "recovery_slide 3,3>3,4 mode=fallback extract=0,7",
    ]
    assert environment.observe(agent)["observation"][-1].sum() == 0
    environment.step(int(slide))
    assert environment.agent_selection == agent
    observed = environment.observe(agent)
    assert [tuple(place) for place in np.argwhere(observed["observation"][-1])] == [(3, 3), (4, 3)]
    payers = np.flatnonzero(observed["action_mask"])
    assert [environment.notation(int(payer)) for payer in payers] == [
        ["recovery_slide 3,3>3,4 mode=fallback extract=6,6"],
        ["recovery_slide 3,3>3,4 mode=fallback extract=0,7"],
    ]
    environment.step(int(payers[0]))
    assert str(environment._position.moves[0]) == "recovery_slide 3,3>3,4 mode=fallback extract=6,6"
    assert environment.observe(agent)["observation"][-1].sum() == 0


def test_a_slide_that_completes_a_long_line_is_paid_by_a_ring_or_by_giving_up_cells() -> None:
    environment = ringrift.raw_env()
    markers = dict.fromkeys(["0,0", "1,0", "2,0", "4,0", "3,1"], 1)
    environment.reset(options={"state": RECOVERY | {"mk": markers}})
    (slide,) = (
        action
        for action in np.flatnonzero(environment.observe("player_0")["action_mask"]).tolist()
        if any(move.startswith("recovery_slide 3,1>3,0 ") for move in environment.notation(action))
    )
    environment.step(slide)
    ways = np.flatnonzero(environment.observe("player_0")["action_mask"]).tolist()
    assert sorted(move for way in ways for move in environment.notation(way)) == [
        "recovery_slide 3,1>3,0 mode=line opt=1 extract=0,7",
        "recovery_slide 3,1>3,0 mode=line opt=1 extract=6,6",
        "recovery_slide 3,1>3,0 mode=line opt=2 collapse=[0,0;1,0;2,0;3,0]",
        "recovery_slide 3,1>3,0 mode=line opt=2 collapse=[1,0;2,0;3,0;4,0]",
    ]
    assert len(ways) == 4


@pytest.mark.parametrize("board", ["square8", "hex8"])
@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("by", ["winner", "ranks"])
def test_rewards_are_the_agents_and_sum_to_nothing(board: str, players: int, by: str) -> None:
    for seed in range(8):
        environment = fresh(board, players, rewards=by)
        play(environment, seed)
        outcome = environment._position.outcome()
        assert outcome is not None
        assert sum(environment.rewards.values()) == pytest.approx(0)
        swapped = any(str(move) == "swap_sides" for move in environment._position.moves)
        seat = outcome.winner if not swapped or outcome.winner > 2 else 3 - outcome.winner
        assert environment.rewards[f"player_{seat - 1}"] == max(environment.rewards.values()) == 1
        assert all(environment.terminations.values())


def test_a_swap_exchanges_the_agents() -> None:
    environment = fresh()
    acted = play(environment, 1, 2)
    assert acted == ["player_0", "player_0"]  # place, move
    (swap,) = (
        action
        for action in np.flatnonzero(environment.observe("player_1")["action_mask"])
        if environment.notation(int(action)) == ["swap_sides"]
    )
    assert (environment.agent_selection, environment.infos["player_1"]) == ("player_1", {"seat": 2})
    environment.step(int(swap))
    assert (environment.agent_selection, environment.infos["player_0"]) == ("player_0", {"seat": 2})


def test_ranks_that_tie_share() -> None:
    class Ended:
        winner, ranks = 3, (2, 2, 1, 4)

    assert by_ranks(Ended()) == pytest.approx([0, 0, 1, -1])  # type: ignore[arg-type]
    assert by_winner(Ended()) == pytest.approx([-1 / 3, -1 / 3, 1, -1 / 3])  # type: ignore[arg-type]


def test_a_long_game_is_truncated_without_rewards() -> None:
    environment = fresh(max_turns=4)
    play(environment, 1)
    assert environment._position.turn == 5
    assert all(environment.truncations.values())
    assert not any(environment.terminations.values())
    assert not any(environment.rewards.values())


def test_an_illegal_action_is_refused_or_loses() -> None:
    environment = fresh()
    illegal = int(np.flatnonzero(environment.observe("player_0")["action_mask"] == 0)[0])
    with pytest.raises(ValueError, match="not legal for player_0 in phase ring_placement"):
        environment.step(illegal)
    with pytest.raises(ValueError, match="action None"):
        environment.step(None)
    wrapped = ringrift.env()
    wrapped.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped.step(illegal)
    assert wrapped.rewards == {"player_0": -1, "player_1": 0}
    assert all(wrapped.terminations.values())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"board": "chess"}, 'board: "chess"'),
        ({"players": 5}, "2, 3 or 4 players"),
        ({"max_turns": 0}, "max_turns: 0"),
        ({"rewards": "all"}, "rewards: 'all'"),
        ({"render_mode": "rgb_array"}, "render_mode: 'rgb_array'"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ringrift.env(**options)


def test_a_game_may_begin_anywhere_but_at_its_end() -> None:
    game = Game("hex8", 3, seed=5)
    game.random_playout(50)
    environment = ringrift.raw_env("hex8", 3)
    environment.reset(options={"state": game.state()})
    assert json.loads(environment._position.to_json())["stk"] == game.state()["stk"]
    game.random_playout()
    with pytest.raises(ValueError, match="is over"):
        environment.reset(options={"state": game.state()})


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_the_observation_holds_planes_then_features(seed: int) -> None:
    environment = fresh("hex8", 3)
    play(environment, seed, 30)
    planes, features = _engine.encode_position(environment._position)
    observed = environment.observe(environment.agent_selection)["observation"]
    np.testing.assert_array_equal(observed[: len(planes)], planes)
    np.testing.assert_array_equal(observed[len(planes) : -1, 0, 0], features)
    assert (observed[len(planes) : -1] == features[:, None, None]).all()


def test_render_says_who_won() -> None:
    environment = fresh(render_mode="ansi")
    play(environment, 3)
    text = environment.render()
    assert text is not None
    assert " wins by " in text.splitlines()[-1]


def test_without_pettingzoo_it_is_said_what_to_install() -> None:
    program = "import sys; sys.modules['pettingzoo'] = None; import ringrift_core.env"
    found = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert found.stderr.endswith("ModuleNotFoundError: pettingzoo is not installed: pip install 'ringrift[env]'\n")
