from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.arena.ratings import ELO, Ranking, RatingsError, rate

NAMES = ("a", "b", "c", "d")


def draw(strengths: dict[str, float], players: tuple[str, ...], chance: random.Random) -> tuple[int, ...]:
    """Ranks by seat of a game by the Plackett-Luce model."""
    left, ranks = list(range(len(players))), [0] * len(players)
    for rank in range(1, len(players) + 1):
        weights = [math.exp(strengths[players[seat]]) for seat in left]
        (seat,) = chance.choices(left, weights)
        ranks[seat] = rank
        left.remove(seat)
    return tuple(ranks)


@settings(max_examples=20)
@given(st.integers(2, 4), st.lists(st.floats(-1.2, 1.2), min_size=4, max_size=4), st.integers(0, 2**32))
def test_known_strengths_are_recovered_within_their_errors(seats: int, values: list[float], seed: int) -> None:
    chance = random.Random(seed)
    strengths = dict(zip(NAMES, values, strict=True))
    games = []
    for _ in range(1500):
        players = tuple(chance.choice(NAMES) for _ in range(seats))
        games.append(Ranking(players, draw(strengths, players, chance)))
    ratings = rate(games)
    for one in NAMES:
        for two in NAMES:
            value, low, high = ratings.difference(one, two)
            # Five standard deviations: twenty draws of six pairs must not fail by chance.
            assert abs(value - ELO * (strengths[one] - strengths[two])) <= 5 * (high - low) / 2 / 1.96 + 1e-6


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    chance = random.Random(7)
    strengths = {"a": 0.4, "b": 0.0}
    covered = 0
    for _ in range(400):
        games = [Ranking(("a", "b"), draw(strengths, ("a", "b"), chance)) for _ in range(200)]
        _, low, high = rate(games).difference("a", "b")
        covered += low <= ELO * 0.4 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_games_of_a_group_that_repeat_each_other_count_once() -> None:
    wins = [0] * 60 + [1] * 40
    single = rate([Ranking.of_winner(("a", "b"), winner) for winner in wins])
    repeated = [Ranking.of_winner(("a", "b"), winner, group) for group, winner in enumerate(wins) for _ in range(5)]
    assert rate(repeated).difference("a", "b") == pytest.approx(single.difference("a", "b"))


def test_two_players_are_bradley_and_terrys() -> None:
    ratings = rate([Ranking.of_winner(("a", "b"), 0)] * 30 + [Ranking.of_winner(("a", "b"), 1)] * 10)
    value, low, high = ratings.difference("a", "b")
    assert value == pytest.approx(400 * math.log10(3))
    # The binomial's own error: 1 / sqrt(n p q), in log-odds.
    assert (high - low) / 2 == pytest.approx(1.96 * ELO / math.sqrt(40 * 0.75 * 0.25), rel=0.02)
    assert ratings.difference("b", "a")[0] == -value


@given(st.integers(2, 4), st.integers(1, 20), st.integers(1, 20))
def test_a_share_of_wins_against_copies_is_its_two_player_equivalent(seats: int, won: int, lost: int) -> None:
    players = ("a", *["b"] * (seats - 1))
    games = [Ranking.of_winner(players, 0)] * won + [Ranking.of_winner(players, 1)] * lost
    share = won / (won + lost)
    assert rate(games).difference("a", "b")[0] == pytest.approx(ELO * math.log(share * (seats - 1) / (1 - share)))


def test_a_tie_is_half_a_win_each() -> None:
    tied = rate([Ranking(("a", "b"), (1, 1))] * 2 + [Ranking(("a", "b"), (1, 2))])
    split = rate([Ranking(("a", "b"), (1, 2))] * 2 + [Ranking(("a", "b"), (2, 1))])
    assert tied.difference("a", "b")[0] == pytest.approx(split.difference("a", "b")[0])


def test_a_tie_of_three_is_every_order_alike() -> None:
    orders = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]
    games = [Ranking(("a", "b", "c"), (1, 2, 3))] * 6
    tied = rate([*games, *[Ranking(("a", "b", "c"), (1, 1, 1))] * 6], pseudo_games=1)
    all_orders = rate([*games, *[Ranking(("a", "b", "c"), order) for order in orders]], pseudo_games=1)
    assert tied.elo == pytest.approx(all_orders.elo)


@pytest.mark.parametrize(
    ("games", "sentence"),
    [
        ([], "no games"),
        ([Ranking(("a", "b"), (1, 2)), Ranking(("c", "d"), (1, 1))], "a came before c, d"),
        ([Ranking(("a", "b"), (1, 2))] * 9, "a came behind b"),
        ([Ranking(("a", "b"), (1,))], "2 players has 1 ranks"),
    ],
)
def test_games_that_do_not_determine_ratings_are_refused(games: list[Ranking], sentence: str) -> None:
    with pytest.raises(RatingsError, match=sentence):
        rate(games)


def test_a_player_who_never_lost_gets_a_rating_from_pseudo_games() -> None:
    games = [Ranking.of_winner(("a", "b"), 0)] * 99
    value, low, high = rate(games, pseudo_games=1).difference("a", "b")
    assert value == pytest.approx(ELO * math.log(99.5 / 0.5))
    assert low < value < high
    apart = [Ranking(("a", "b"), (1, 2)), Ranking(("c", "d"), (1, 2))]
    with pytest.raises(RatingsError, match="they cannot be rated together"):
        rate(apart, pseudo_games=1)
