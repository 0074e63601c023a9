from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.arena.gate import FixedGate, Gate, Judgement, RegressionTest, SprtGate, whole_groups
from ringrift_core.contract import Decision

SPRT = SprtGate(players=2, max_games=200, threshold=0.55)
FIXED = FixedGate(players=2, games=20, threshold=0.55)
REGRESSION = RegressionTest(players=2, max_games=200, threshold=0.45)


def decide(gate: Gate, scores: list[float]) -> Judgement:
    judgement = gate.judge(scores)
    assert judgement is not None
    return judgement


@pytest.mark.parametrize(("games", "players", "rounded"), [(20, 3, 21), (50, 3, 51), (200, 3, 201), (200, 2, 200)])
def test_games_round_up_to_whole_groups(games: int, players: int, rounded: int) -> None:
    assert whole_groups(games, players) * players == rounded


def test_the_fixed_gate_counts_exactly_its_games() -> None:
    assert FIXED.judge([1.0] * 9) is None
    assert decide(FIXED, [0.5] * 8 + [1.0] * 2).decision is Decision.PROMOTE
    assert decide(FIXED, [0.5] * 9 + [1.0]).decision is Decision.REJECT
    assert decide(FIXED, [0.5] * 10 + [1.0] * 10).groups == 10


def test_the_sprt_stops_early_on_a_clear_difference() -> None:
    assert decide(SPRT, [1.0] * 50).decision is Decision.PROMOTE
    assert decide(SPRT, [1.0] * 50).groups < 20
    assert decide(SPRT, [0.0] * 50).decision is Decision.REJECT
    assert "SPRT accepts H1 (rate 0.60) after" in decide(SPRT, [1.0] * 50).reason


def test_at_the_cap_rate_and_lower_bound_decide() -> None:
    ten = [1.0, 0.5, 0.0, 1.0, 0.5, 0.5, 1.0, 0.5, 0.0, 0.5]
    assert SPRT.judge((ten * 10)[:99]) is None
    at_the_threshold = decide(SPRT, ten * 10)
    assert (at_the_threshold.decision, at_the_threshold.groups) == (Decision.REJECT, 100)
    assert at_the_threshold.reason.startswith("undecided at the cap of 200 games: rate 0.550 not above 0.55")
    doubtful = decide(SPRT, [*ten * 9, *ten[:9], 1.0])
    assert doubtful.decision is Decision.REJECT
    assert "above 0.55, lower bound 0.49" in doubtful.reason
    above = decide(SPRT, ten * 9 + [1.0] * 5 + [0.5] * 5)
    assert (above.decision, above.groups) == (Decision.PROMOTE, 100)


def test_a_champion_that_loses_to_its_predecessor_has_regressed() -> None:
    assert decide(REGRESSION, [0.0, 0.5] * 30).decision is Decision.REGRESSED
    assert decide(REGRESSION, [1.0, 0.5] * 30).decision is Decision.KEEP
    assert REGRESSION.judge([0.5, 0.0, 0.5, 1.0]) is None


def test_at_the_cap_of_a_regression_test_rate_and_upper_bound_decide() -> None:
    """Of four seats and 50 groups: an equal champion wins one game a group."""
    test = RegressionTest(players=4, max_games=200, threshold=0.45)
    worse = [0.0, 0.25, 0.25, 0.0, 0.25] * 10
    assert test.judge(worse[:49]) is None
    lost = decide(test, worse)
    assert (lost.decision, lost.groups) == (Decision.REGRESSED, 50)
    assert lost.reason == ("undecided in all 200 games of the test: rate 0.346 below 0.45, upper bound 0.425 below 0.5")
    doubtful = decide(test, [0.0, 0.0, 0.75, 0.25, 0.0] * 10)
    assert doubtful.decision is Decision.KEEP
    assert "rate 0.429 below 0.45, upper bound 0.5" in doubtful.reason
    above = decide(test, [0.0, 0.0, 0.75, 0.25, 0.0] * 6 + [0.0, 0.25, 0.75, 0.25, 0.0] * 4)
    assert above.decision is Decision.KEEP
    assert "not below 0.45" in above.reason


def test_an_equal_champion_is_hardly_ever_rolled_back() -> None:
    """300 simulated tests of up to 200 games; alpha is 0.01, and as much again at the cap."""
    generator = random.Random(4)
    regressed = 0
    for _ in range(300):
        scores = [(generator.random() < 0.5) / 2 + (generator.random() < 0.5) / 2 for _ in range(100)]
        regressed += decide(REGRESSION, scores).decision is Decision.REGRESSED
    assert regressed <= 9


@given(
    st.sampled_from([SPRT, FIXED, REGRESSION]),
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), max_size=110),
    st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=20),
)
def test_a_decision_does_not_depend_on_groups_played_ahead(gate: Gate, seen: list[float], ahead: list[float]) -> None:
    judgement = gate.judge(seen)
    if judgement is not None:
        assert gate.judge(seen + ahead) == judgement
        assert judgement.groups <= gate.most_groups
    assert len(seen) < gate.most_groups or judgement is not None
