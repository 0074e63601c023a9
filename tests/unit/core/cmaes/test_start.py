"""Weights by regression: known ones are found again; those of games play better than who played them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core import _engine
from ringrift_core.cmaes.regression import fit, log_loss
from ringrift_core.cmaes.start import fitted_to_games
from ringrift_core.contract import Board

MATERIAL = _engine.heuristic_weights("material")


def drawn(seed: int, rows: int, seats: int, weights: list[float]) -> tuple[Any, Any, Any]:
    """Positions whose winners are drawn by these weights, each of a game of its own."""
    random = np.random.default_rng(seed)
    features = random.standard_normal((rows, seats, len(weights))).astype(np.float32)
    scores = features @ np.array(weights)
    winners = (scores + random.gumbel(size=scores.shape)).argmax(axis=1)
    return features, np.eye(seats, dtype=np.float32)[winners], np.arange(rows, dtype=np.uint64)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=5))
def test_known_weights_are_found_again(seed: int, seats: int, weights: list[float]) -> None:
    data = drawn(seed, 4000, seats, weights)
    found = fit(*data)
    np.testing.assert_allclose(found, weights, atol=0.2)
    assert log_loss(found, *data) <= log_loss(weights, *data) + 1e-3, "the most likely ones"


def test_a_long_game_counts_no_more_than_a_short_one() -> None:
    """One game of 1,000 positions says the opposite of ten games of one."""
    features = np.ones((1010, 2, 1), np.float32)
    features[:, 1] = -1
    outcomes = np.tile(np.array([1, 0], np.float32), (1010, 1))
    outcomes[:1000] = [0, 1]
    games = np.concatenate([np.zeros(1000), np.arange(1, 11)]).astype(np.uint64)
    assert fit(features, outcomes, games)[0] > 0


def test_features_that_never_differ_have_no_weight() -> None:
    features, outcomes, games = drawn(1, 500, 3, [1.0, 0.0])
    features[:, :, 1] = 7.0
    assert fit(features, outcomes, games)[1] == pytest.approx(0, abs=1e-6)


def test_nothing_is_learnt_from_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to learn from"):
        fit(np.zeros((0, 2, 3), np.float32), np.zeros((0, 2), np.float32), np.zeros(0, np.uint64))


def test_weights_fitted_to_games_play_better_than_the_ones_that_played() -> None:
    material = _engine.Player.one_ply(_engine.Judge.linear(MATERIAL), noise=0.05)
    found = fitted_to_games(Board.SQUARE8, 2, material, seed=3, games=600, max_turns=200)
    assert found is not None
    assert found == fitted_to_games(Board.SQUARE8, 2, material, seed=3, games=600, max_turns=200, threads=1)
    fitted = _engine.Player.one_ply(_engine.Judge.linear(found))
    results = _engine.play_match("square8", 2, fitted, material, seed=5, groups=100)
    assert sum(one.score for one in results) / 200 > 0.6


def test_a_stop_ends_the_games() -> None:
    material = _engine.Player.one_ply(_engine.Judge.linear(MATERIAL))
    assert fitted_to_games(Board.HEX8, 3, material, seed=3, games=10**6, max_turns=50, goes_on=lambda _: False) is None
