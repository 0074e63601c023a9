"""The test statistic by its properties, the error rates by simulation.

The simulations' seeds are fixed, so each gives one figure; the bounds are what training.md promises, plus three
standard errors of the simulation.
"""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.arena.scale import share
from ringrift_core.arena.sprt import (
    FEWEST_GROUPS,
    Conclusion,
    SequentialTest,
    log_likelihood_ratio,
    pseudo_counts,
    weighted,
)

SCORES = st.integers(2, 4).flatmap(
    lambda players: st.tuples(
        st.just(players),
        st.lists(st.integers(0, players).map(lambda wins: wins / players), min_size=1, max_size=60),
    )
)


def promotion_test(players: int) -> SequentialTest:
    return SequentialTest(players, 1 / players, share(0.6, players), alpha=0.05, beta=0.20)


def test_with_outcomes_0_and_1_alone_the_ratio_is_that_of_two_binomials() -> None:
    """A multinomial on two scores is a binomial: the constrained likelihoods are then exact and simple."""
    counts = {0.0: 30.0, 1.0: 50.0}
    expected = 50 * math.log(0.6 / 0.5) + 30 * math.log(0.4 / 0.5)
    assert log_likelihood_ratio(counts, 80, 0.5, 0.6) == pytest.approx(expected)


@given(SCORES)
def test_the_ratio_changes_sign_with_the_hypotheses(drawn: tuple[int, list[float]]) -> None:
    players, scores = drawn
    counts = weighted(scores, players)
    s0, s1 = 1 / players, share(0.6, players)
    forward = log_likelihood_ratio(counts, len(scores), s0, s1)
    assert log_likelihood_ratio(counts, len(scores), s1, s0) == pytest.approx(-forward)
    assert log_likelihood_ratio(counts, len(scores), s0, s0) == 0


@given(SCORES)
def test_the_order_of_groups_does_not_matter(drawn: tuple[int, list[float]]) -> None:
    players, scores = drawn
    test = promotion_test(players)
    assert test.ratio(scores) == pytest.approx(test.ratio(sorted(scores)))


@given(SCORES)
def test_a_won_group_more_speaks_for_h1_and_a_lost_one_for_h0(drawn: tuple[int, list[float]]) -> None:
    players, scores = drawn
    test = promotion_test(players)
    assert test.ratio([*scores, 1.0]) > test.ratio([*scores, 0.0])


@given(SCORES)
def test_groups_played_ahead_do_not_change_the_conclusion(drawn: tuple[int, list[float]]) -> None:
    players, scores = drawn
    test = promotion_test(players)
    count, conclusion = test.first_conclusion(scores)
    assert test.first_conclusion([*scores[:count], 1.0, 1.0, 1.0])[0] <= max(count, FEWEST_GROUPS) or (
        conclusion is Conclusion.UNDECIDED
    )
    if conclusion is not Conclusion.UNDECIDED:
        assert test.first_conclusion(scores[:count]) == (count, conclusion)


def test_nothing_is_concluded_from_fewer_than_eight_groups() -> None:
    """Not even between hypotheses so far apart that three groups would do."""
    test = SequentialTest(2, 0.5, 0.95, alpha=0.05, beta=0.20)
    assert test.ratio([0.0] * 7) < test.lower
    assert test.conclude([0.0] * 7) is Conclusion.UNDECIDED
    assert test.first_conclusion([0.0] * 20) == (8, Conclusion.H0)


def test_a_cut_game_counts_the_share_of_an_equal_player() -> None:
    unseen = dict(pseudo_counts(4))
    assert weighted([2.5 / 4], 4) == {**unseen, 2.5 / 4: 1.0}
    with_a_cut_game, with_three = (1 + 1 / 3) / 3, (1 / 3 + 1 / 3 + 1 / 3) / 3
    counts = weighted([with_a_cut_game, with_three], 3)
    assert sorted(counts) == pytest.approx([0.0, 1 / 3, 4 / 9, 2 / 3, 1.0])
    assert counts[1 / 3] == 1 + dict(pseudo_counts(3))[1 / 3]


@pytest.mark.parametrize("players", [2, 3, 4])
def test_what_is_unseen_speaks_for_neither_hypothesis(players: int) -> None:
    counts = pseudo_counts(players)
    assert [score for score, _ in counts] == [wins / players for wins in range(players + 1)]
    total = sum(count for _, count in counts)
    assert total == pytest.approx((players + 1) / 2)
    assert sum(score * count for score, count in counts) / total == pytest.approx(1 / players)
    assert all(count > 0 for _, count in counts)


def simulate(players: int, rate: float, repeats: int, opening_bias: float = 0.0) -> tuple[float, float, float]:
    """Shares of tests that accept H1 and H0 within 200 games, and the mean number of games.

    With `opening_bias` each group's opening moves the candidate's chance up or down by this much, so that the games of
    one group are dependent.
    """
    generator = random.Random(f"{players} {rate} {opening_bias}")
    test, chance = promotion_test(players), share(rate, players)
    accepted = rejected = games = 0
    for _ in range(repeats):
        scores: list[float] = []
        conclusion = Conclusion.UNDECIDED
        while conclusion is Conclusion.UNDECIDED and len(scores) * players < 200:
            shifted = chance + generator.choice((-opening_bias, opening_bias))
            scores.append(sum(generator.random() < shifted for _ in range(players)) / players)
            conclusion = test.conclude(scores)
        accepted += conclusion is Conclusion.H1
        rejected += conclusion is Conclusion.H0
        games += len(scores) * players
    return accepted / repeats, rejected / repeats, games / repeats


@pytest.mark.parametrize(("players", "opening_bias"), [(2, 0.0), (2, 0.3), (3, 0.0), (4, 0.0)])
def test_an_equal_candidate_is_accepted_in_about_one_test_of_twenty(players: int, opening_bias: float) -> None:
    repeats = 250
    accepted, _, _ = simulate(players, 0.50, repeats, opening_bias)
    assert accepted <= 0.06 + 3 * math.sqrt(0.06 * 0.94 / repeats)


@pytest.mark.parametrize("players", [2, 3, 4])
def test_a_clearly_stronger_candidate_is_accepted_soon(players: int) -> None:
    accepted, rejected, games = simulate(players, 0.75, 60)
    assert accepted >= 0.95
    assert rejected <= 0.02
    assert games < 80


def test_a_candidate_at_h1_is_seldom_rejected() -> None:
    _, rejected, _ = simulate(2, 0.60, 200)
    assert rejected <= 0.20 + 3 * math.sqrt(0.2 * 0.8 / 200)
