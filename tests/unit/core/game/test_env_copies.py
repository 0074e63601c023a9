"""Copies of the environment and of positions: tree search, checkpoints and vector wrappers all rest on them."""

from __future__ import annotations

import copy
import pickle
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import supersuit
from hypothesis import given
from hypothesis import strategies as st
from pettingzoo.utils.conversions import turn_based_aec_to_parallel

from ringrift_core import RulesError
from ringrift_core import env as ringrift
from ringrift_core._engine import Position

TWINS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda original: pickle.loads(pickle.dumps(original)),
}
MAKERS = {"raw_env": ringrift.raw_env, "env": ringrift.env}


def step_randomly(environment: Any, draw: random.Random, steps: int) -> list[tuple[str, int]]:
    """Random legal actions until the game is over or `steps` are done; agents and actions, in order."""
    taken: list[tuple[str, int]] = []
    while len(taken) < steps and not environment.terminations[environment.agent_selection]:
        agent = environment.agent_selection
        action = draw.choice(np.flatnonzero(environment.observe(agent)["action_mask"]).tolist())
        taken.append((agent, action))
        environment.step(action)
    return taken


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
class TestTwins:
    def test_a_twin_made_before_reset_plays_like_a_new_environment(
        self, maker: Callable[..., Any], twin: Callable[[Any], Any]
    ) -> None:
        original = maker(board="hex8", players=3, max_turns=40)
        made = twin(original)
        for each in (original, made):
            each.reset(seed=1)
        assert step_randomly(made, random.Random(1), 60) == step_randomly(original, random.Random(1), 60)
        assert made.rewards == original.rewards

    @pytest.mark.parametrize("steps", [0, 1, 25])
    def test_a_twin_goes_on_from_where_the_original_is_and_leaves_it_there(
        self, maker: Callable[..., Any], twin: Callable[[Any], Any], steps: int
    ) -> None:
        original = maker(board="square8", players=2)
        original.reset(seed=1)
        step_randomly(original, random.Random(7), steps)
        before = original.last()
        made = twin(original)
        rest = step_randomly(made, random.Random(8), 10_000)
        for key, found in original.last()[0].items():
            np.testing.assert_array_equal(found, before[0][key])
        assert step_randomly(original, random.Random(8), 10_000) == rest
        assert made.terminations == original.terminations
        assert made.rewards == original.rewards


def test_a_slide_half_made_is_copied_with_what_is_begun() -> None:
    draw = random.Random(3)
    environment = ringrift.raw_env("square8", 4)
    for _ in range(200):
        environment.reset()
        while not any([*environment.terminations.values(), *environment.truncations.values()]):
            if environment._begun:
                for twin in TWINS.values():
                    made = twin(environment)
                    assert made._begun == environment._begun
                    seen = made.observe(made.agent_selection)
                    for key, found in environment.observe(environment.agent_selection).items():
                        np.testing.assert_array_equal(found, seen[key])
                return
            step_randomly(environment, draw, 1)
    pytest.fail("no recovery slide with a choice of payment came up")


def test_vector_wrappers_run_games_side_by_side() -> None:
    parallel = turn_based_aec_to_parallel(ringrift.env(board="square8", players=2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the wrappers' own
        vector = supersuit.concat_vec_envs_v1(
            supersuit.pettingzoo_env_to_vec_env_v1(parallel), 3, num_cpus=0, base_class="gymnasium"
        )
    observations, _ = vector.reset(seed=1)
    draw = np.random.default_rng(1)
    for _ in range(30):
        masks = observations["action_mask"]
        assert masks.shape[0] == 6, "three games of two agents"
        actions = [int(draw.choice(np.flatnonzero(mask))) if mask.any() else 0 for mask in masks]
        observations, *_ = vector.step(actions)
    boards = observations["observation"][::2]
    assert not any(np.array_equal(boards[0], other) for other in boards[1:]), "the games go their own ways"


@given(st.sampled_from([("square8", 2), ("hex8", 4)]), st.integers(0, 2**32), st.integers(0, 300))
def test_a_position_is_copied_with_its_history(configuration: tuple[str, int], seed: int, moves: int) -> None:
    position = Position(*configuration)
    position.play_random(seed, moves)
    for twin in (*TWINS.values(), copy.copy):
        made = twin(position)
        assert (made.to_json(), made.moves) == (position.to_json(), position.moves)
        assert (made.profile, made.swap) == (position.profile, position.swap)
        while made.moves:
            made.undo()
        assert made.to_json() == Position(*configuration).to_json()


def test_a_pickled_position_of_the_deployed_profile_stays_in_it() -> None:
    position = Position("square8", 2, "deployed", False)
    made = pickle.loads(pickle.dumps(position))
    assert (made.profile, made.swap) == ("deployed", False)


def test_a_state_that_is_none_is_refused_and_changes_nothing() -> None:
    position = Position("square8", 2)
    position.play_random(1, 5)
    before = position.to_json()
    for state in (("{}", []), (before, ["place_ring 99,99"])):
        with pytest.raises(RulesError):
            position.__setstate__(state)
    assert position.to_json() == before
