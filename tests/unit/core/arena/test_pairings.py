"""Who meets whom, and what ratings follow: properties over names, games and strengths."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.arena.gate import whole_groups
from ringrift_core.arena.match import Group
from ringrift_core.arena.pairings import Pairing, pairings, rated
from ringrift_core.arena.ratings import Ranking, RatingsError, rate

NAMES = ("network@3", "weights@2", "network@1", "random", "heuristic")

names = st.integers(2, 8).map(lambda count: [f"player-{number}" for number in range(count)])
seats = st.integers(2, 4)


@given(names, st.integers(1, 60), seats)
def test_each_pair_has_its_games_and_no_opening_is_played_twice(names: list[str], games: int, players: int) -> None:
    met = pairings(names, games, players)
    openings = [number for each in met for number in range(each.first_group, each.first_group + each.groups)]
    assert openings == list(range(len(openings))), "groups of one book, each once"
    groups: Counter[frozenset[str]] = Counter()
    for each in met:
        groups[frozenset((each.one, each.other))] += each.groups
    assert set(groups) == {frozenset(pair) for pair in itertools.combinations(names, 2)}
    assert all(games <= count * players < games + players for count in groups.values())


@given(names, st.integers(1, 60), st.integers(3, 4))
def test_with_many_seats_each_of_a_pair_is_the_one_among_copies_of_the_other(
    names: list[str], games: int, players: int
) -> None:
    counts = {(each.one, each.other): each.groups for each in pairings(names, games, players)}
    for one, other in itertools.combinations(names, 2):
        assert counts[one, other] - counts.get((other, one), 0) in (0, 1)


def simulated(strengths: dict[str, float], games: int, players: int, seed: int) -> list[tuple[Pairing, list[Group]]]:
    """Matches in which the one wins with the chance that Plackett and Luce give it, on openings that count nothing."""
    draw, played = random.Random(seed), []
    for pairing in pairings(list(strengths), games, players):
        one, other = strengths[pairing.one], strengths[pairing.other]
        chance = one / (one + (players - 1) * other)
        groups = []
        for number in range(pairing.first_group, pairing.first_group + pairing.groups):
            won = sum(draw.random() < chance for _ in range(players))
            groups.append(Group(won / players, tuple(f"{number}-{seat}" for seat in range(players)), 0))
        played.append((pairing, groups))
    return played


@pytest.mark.parametrize("players", [2, 3, 4])
def test_ratings_find_the_strengths_that_games_were_drawn_from(players: int) -> None:
    strengths = {"strong@1": 10.0, "even@1": 1.0, "heuristic": 1.0, "random": 0.1}
    ratings = rated(simulated(strengths, 600, players, seed=7), tuple(strengths), players, "heuristic")
    found = {rating.player: rating for rating in ratings}
    assert tuple(found) == tuple(strengths), "in the order of the names"
    assert (found["heuristic"].elo, found["heuristic"].low, found["heuristic"].high) == (0, 0, 0)
    for name, elo in (("strong@1", 400), ("even@1", 0), ("random", -400)):
        assert found[name].low <= elo <= found[name].high
        assert found[name].high - found[name].low < 130
    assert found["strong@1"].win_rate > found["even@1"].win_rate > found["random"].win_rate
    assert found["even@1"].win_rate == pytest.approx((1 / 11 + 10 / 11 + 1 / 2) / 3, abs=0.05)


@settings(max_examples=10)
@given(st.permutations(NAMES), seats, st.integers(0, 1000))
def test_the_order_of_the_matches_and_names_changes_nobodys_rating(order: list[str], players: int, seed: int) -> None:
    strengths = dict(zip(NAMES, (8.0, 4.0, 2.0, 0.2, 1.0), strict=True))
    played = simulated(strengths, 24, players, seed)
    usual = {each.player: each for each in rated(played, NAMES, players, "heuristic")}
    shuffled = random.Random(seed).sample(played, len(played))
    turned = rated(shuffled, order, players, "heuristic")
    assert [each.player for each in turned] == order
    for each in turned:
        assert abs(each.elo - usual[each.player].elo) <= 1
        assert each.games == usual[each.player].games == 4 * whole_groups(24, players) * players


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    strengths = {"strong@1": 4.0, "heuristic": 1.0, "random": 0.25}
    truth, covered = 240.8, 0
    for seed in range(60):
        strong = rated(simulated(strengths, 24, 2, seed), tuple(strengths), 2, "heuristic")[0]
        covered += strong.low <= truth <= strong.high
    assert covered >= 0.88 * 60


def test_a_game_that_nobody_won_is_a_tie_of_all_seats() -> None:
    match = Pairing("one@1", "heuristic", 0, 4), [Group(0.75, (f"{number}a", f"{number}b"), 1) for number in range(4)]
    seats = ("one@1", "heuristic")
    games = [Ranking.of_winner(seats, winner, number) for number in range(4) for winner in (0, None)]
    value, low, high = rate(games, pseudo_games=1).difference(*seats)
    one, _ = rated([match], seats, 2, "heuristic")
    assert (one.elo, one.low, one.high) == (round(value), round(low), round(high))
    assert one.win_rate == 0.75


def test_a_match_that_is_no_evidence_counts_for_nothing() -> None:
    good = Pairing("one@1", "heuristic", 0, 2), [Group(0.5, ("a", "b"), 0), Group(1.0, ("c", "d"), 0)]
    repeated = Pairing("one@1", "random", 2, 2), [Group(1.0, ("e", "f"), 0), Group(1.0, ("e", "f"), 0)]
    ratings = rated([good, repeated], ("one@1", "random", "heuristic"), 2, "heuristic")
    assert [rating.player for rating in ratings] == ["one@1", "heuristic"]
    assert [rating.games for rating in ratings] == [4, 4]
    with pytest.raises(RatingsError, match="no games: nothing to rate"):
        rated([repeated], ("one@1", "random"), 2, "heuristic")
    other = Pairing("one@1", "random", 2, 1), [Group(1.0, ("e", "f"), 0)]
    assert rated([other], ("one@1", "random", "heuristic"), 2, "heuristic") == (), "nobody to count from"
