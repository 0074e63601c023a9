"""How far two judges agree on what follows the moves of a position."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.nnue.measures import agreement, ranks

numbers = st.integers(2, 12).flatmap(lambda count: st.permutations(range(count))).map(np.array)


@given(numbers)
def test_judges_who_order_all_moves_alike_agree_and_in_reverse_they_do_not(one: np.ndarray) -> None:
    alike, reverse = agreement([(one, np.exp(one / 3))]), agreement([(one, -one)])
    assert (alike.positions, alike.top, reverse.top) == (1, 1.0, 0.0)
    assert (alike.spearman, reverse.spearman) == pytest.approx((1, -1))


@given(numbers.flatmap(lambda one: st.tuples(st.just(one), st.permutations(list(one)).map(np.array))))
def test_without_ties_it_is_spearmans_own_formula(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """C. Spearman, "The Proof and Measurement of Association between Two Things", 1904."""
    one, other = pair
    count, found = len(one), agreement([pair])
    assert found.spearman == pytest.approx(1 - 6 * ((one - other) ** 2).sum() / (count * (count**2 - 1)))
    assert found.top == float(one.argmax() == other.argmax())


def test_equal_numbers_share_the_mean_of_their_ranks() -> None:
    assert ranks(np.array([0.5, 0.1, 0.5, 0.9])).tolist() == [1.5, 0.0, 1.5, 3.0]


def test_positions_of_which_a_judge_says_one_thing_count_nowhere() -> None:
    told = (np.array([0.1, 0.9]), np.array([0.2, 0.8]))
    says_nothing = (np.array([0.5, 0.5]), np.array([0.2, 0.8]))
    found = agreement([told, says_nothing, (told[0], says_nothing[0])])
    assert (found.positions, found.top) == (1, 1.0)
    assert found.spearman == pytest.approx(1)
    nothing = agreement([says_nothing])
    assert (nothing.positions, nothing.spearman, nothing.top) == (0, 0.0, 0.0)
