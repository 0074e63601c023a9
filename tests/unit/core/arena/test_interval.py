from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.arena.interval import TWO_SIDED_95, measure, share_interval
from ringrift_core.arena.scale import share


@given(
    st.integers(2, 4).flatmap(
        lambda players: st.tuples(
            st.just(players), st.lists(st.integers(0, players).map(lambda wins: wins / players), min_size=1)
        )
    )
)
def test_the_rate_lies_inside_its_interval(drawn: tuple[int, list[float]]) -> None:
    players, scores = drawn
    found = measure(scores, players)
    assert 0 <= found.low <= found.rate + 1e-9
    assert found.rate - 1e-9 <= found.high <= 1
    assert found.games == len(scores) * players


def test_more_games_make_a_narrower_interval() -> None:
    few, many = measure([0.5, 1.0, 0.0, 0.5] * 2, 2), measure([0.5, 1.0, 0.0, 0.5] * 20, 2)
    assert many.high - many.low < few.high - few.low


def test_nothing_but_wins_still_leaves_doubt() -> None:
    found = measure([1.0] * 10, 2)
    assert found.rate == found.high == 1.0
    assert 0.75 < found.low < 0.95


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("rate", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("opening_bias", [0.0, 0.08])
def test_nineteen_of_twenty_intervals_hold_the_true_share(players: int, rate: float, opening_bias: float) -> None:
    """Also when the games of a group are dependent. 400 simulated matches of 30 groups; the seed is fixed."""
    generator = random.Random(f"{players} {rate} {opening_bias}")
    true = share(rate, players)
    held = 0
    for _ in range(400):
        scores = []
        for _ in range(30):
            chance = true + generator.choice((-opening_bias, opening_bias))
            scores.append(sum(generator.random() < chance for _ in range(players)) / players)
        low, high = share_interval(scores, players, TWO_SIDED_95)
        held += low <= true <= high
    assert 0.915 <= held / 400 <= 0.985
