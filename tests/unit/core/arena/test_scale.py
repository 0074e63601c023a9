from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.arena.scale import share, two_player_equivalent


@pytest.mark.parametrize(("players", "expected"), [(2, 0.55), (3, 0.379), (4, 0.289)])
def test_a_rate_of_055_is_the_share_that_the_plan_of_the_gates_names(players: int, expected: float) -> None:
    assert share(0.55, players) == pytest.approx(expected, abs=5e-4)


@given(st.floats(0, 1), st.integers(2, 4))
def test_share_and_rate_are_each_others_inverse(rate: float, players: int) -> None:
    assert two_player_equivalent(share(rate, players), players) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize("players", [2, 3, 4])
def test_an_equal_player_has_rate_one_half(players: int) -> None:
    assert two_player_equivalent(1 / players, players) == pytest.approx(0.5)


@given(st.floats(0.01, 100), st.integers(2, 4))
def test_the_rate_is_that_of_luces_choice_axiom(strength: float, players: int) -> None:
    won = strength / (strength + players - 1)
    assert two_player_equivalent(won, players) == pytest.approx(strength / (strength + 1))
