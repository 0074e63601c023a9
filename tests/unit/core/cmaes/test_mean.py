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
    OPPONENTS_STAND,
    STEP_BACK,
    is_due,
    is_no_better,
    opponents,
    shared_out,
)


class Played:
    """Groups of independent games of two means against the same opponents, at a rate each, drawn by group."""

    def __init__(self, players: int, now: float, before: float, seed: int = 1) -> None:
        self.players, self.seed = players, seed
        self.shares = share(now, players), share(before, players)
        self.groups = 0

    def play(self, first: int, groups: int) -> Sequence[float]:
        assert first == self.groups, "groups come one after the other"
        self.groups += groups
        return [self._difference(group) for group in range(first, first + groups)]

    def _difference(self, group: int) -> float:
        draws = random.Random(self.seed * 10_000 + group)
        now, before = (sum(draws.random() < each for _ in range(self.players)) for each in self.shares)
        return (now - before) / self.players


@pytest.mark.parametrize("players", [2, 3, 4])
def test_a_mean_that_stands_is_no_better_and_one_that_grows_is(players: int) -> None:
    for now, before, expected in ((0.60, 0.60, True), (0.50, 0.55, True), (0.65, 0.60, False), (0.80, 0.60, False)):
        found = [is_no_better(players, Played(players, now, before, seed).play) for seed in range(20)]
        assert found.count(expected) >= 17, (now, before, found)


def test_a_stopped_match_says_nothing() -> None:
    assert is_no_better(2, lambda _, groups: [0.0] * (groups - 1) if groups < 8 else []) is None


def test_it_costs_a_bounded_number_of_games() -> None:
    played = Played(2, 0.515, 0.50)
    is_no_better(2, played.play)
    assert played.groups <= MOST_GROUPS


@given(st.integers(0, 10_000))
def test_the_start_and_means_of_several_ages_are_met_for_some_generations(generation: int) -> None:
    met = opponents(generation)
    stand = generation // OPPONENTS_STAND * OPPONENTS_STAND
    assert met == opponents(stand), "the same while they stand"
    assert (met[0], met[-1]) == (0, stand)
    assert list(met) == sorted(set(met))
    assert len(met) <= 4
    assert all(opponent % OPPONENTS_STAND == 0 for opponent in met)
    if generation >= 4 * OPPONENTS_STAND:
        assert len(met) == 4
        assert any(abs(opponent - generation / 2) <= OPPONENTS_STAND for opponent in met), "one of half its age"


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_groups_are_shared_out_evenly_and_over_the_generations_everybody_is_met_as_often(
    generation: int, groups: int
) -> None:
    met = opponents(generation)
    shares = shared_out(groups, generation)
    assert sum(shares.values()) == groups
    assert set(shares) <= set(met)
    assert max(shares.values()) <= -(-groups // len(met))
    stand = generation // OPPONENTS_STAND * OPPONENTS_STAND
    counts = dict.fromkeys(met, 0)
    for each in range(stand, stand + len(met)):
        for opponent, played in shared_out(groups, each).items():
            counts[opponent] += played
    assert len(set(counts.values())) == 1, counts


@given(st.integers(0, 10_000))
def test_the_mean_is_tested_now_and_then(generation: int) -> None:
    assert is_due(generation) == (generation >= 2 * STEP_BACK and generation % STEP_BACK == 0)
