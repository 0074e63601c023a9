"""The test of the mean: finds what is no better, and lets a search that still learns go on."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.arena.scale import share
from ringrift_core.cmaes.mean import (
    MOST_GROUPS,
    OPPONENT_STANDS,
    STEP_BACK,
    is_due,
    is_no_better,
    opponent_generation,
)


class Played:
    """Groups of independent games at a rate, drawn by group."""

    def __init__(self, players: int, rate: float, seed: int = 1) -> None:
        self.players, self.share, self.seed = players, share(rate, players), seed
        self.groups = 0

    def play(self, first: int, groups: int) -> Sequence[float]:
        assert first == self.groups, "groups come one after the other"
        self.groups += groups
        return [self._score(group) for group in range(first, first + groups)]

    def _score(self, group: int) -> float:
        draws = random.Random(self.seed * 10_000 + group)
        return sum(draws.random() < self.share for _ in range(self.players)) / self.players


@pytest.mark.parametrize("players", [2, 3, 4])
def test_a_mean_that_stands_is_no_better_and_one_that_grows_is(players: int) -> None:
    for rate, expected in ((0.50, True), (0.45, True), (0.60, False), (0.70, False)):
        found = [is_no_better(players, Played(players, rate, seed).play) for seed in range(20)]
        assert found.count(expected) >= 17, (rate, found)


def test_a_stopped_match_says_nothing() -> None:
    assert is_no_better(2, lambda _, groups: [0.5] * (groups - 1) if groups < 8 else []) is None


def test_it_costs_a_bounded_number_of_games() -> None:
    played = Played(2, 0.525)
    is_no_better(2, played.play)
    assert played.groups <= MOST_GROUPS


@given(st.integers(0, 10_000))
def test_an_opponent_stands_for_some_generations(generation: int) -> None:
    met = opponent_generation(generation)
    assert met <= generation < met + OPPONENT_STANDS
    assert met % OPPONENT_STANDS == 0
    assert is_due(generation) == (generation >= 2 * STEP_BACK and generation % STEP_BACK == 0)
