"""Who meets whom in a round robin, and how strong that says everybody is: pure functions of names and groups."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringrift_core.arena.gate import whole_groups
from ringrift_core.arena.match import Group, refusal
from ringrift_core.arena.ratings import Ranking, rate
from ringrift_core.arena.scale import two_player_equivalent
from ringrift_core.contract import HIGHEST_ELO, PlayerRating

__all__ = ["Pairing", "pairings", "rated"]

PSEUDO_GAMES = 1.0
"""Tied games between all who met: without them somebody who never lost has no rating."""


@dataclass(frozen=True)
class Pairing:
    """`one` in each seat in turn, copies of `other` in the rest, on `groups` openings from `first_group` on."""

    one: str
    other: str
    first_group: int
    groups: int


def pairings(names: Sequence[str], games: int, players: int) -> tuple[Pairing, ...]:
    """Each pair of names in at least `games` games, on openings that no other pair has.

    With three seats and more, half of a pair's groups are one against copies of the other, half the other way.
    """
    groups, first, found = whole_groups(games, players), 0, []
    for one, other in itertools.combinations(names, 2):
        turned = 0 if players == 2 else groups // 2
        for here, there, count in ((one, other, groups - turned), (other, one, turned)):
            if count:
                found.append(Pairing(here, there, first, count))
                first += count
    return tuple(found)


def rated(
    played: Iterable[tuple[Pairing, Sequence[Group]]], names: Sequence[str], players: int, anchor: str
) -> tuple[PlayerRating, ...]:
    """Everybody's rating above `anchor`, in the order of the names; RatingsError when the games do not tell.

    Matches that are no evidence count for nothing, and who has no others is left out.
    """
    counted = [(pairing, groups) for pairing, groups in played if groups and not refusal(groups)]
    ratings = rate((game for match in counted for game in _rankings(*match, players)), PSEUDO_GAMES)
    if anchor not in ratings.players:
        return ()
    games, rates = _games(counted), _win_rates(counted, players)
    found = []
    for name in names:
        if name in ratings.players:
            elo, low, high = (_points(value) for value in ratings.difference(name, anchor))
            win_rate = sum(rates[name]) / len(rates[name])
            found.append(PlayerRating(player=name, elo=elo, low=low, high=high, win_rate=win_rate, games=games[name]))
    return tuple(found)


def _points(elo: float) -> int:
    return max(-HIGHEST_ELO, min(HIGHEST_ELO, round(elo)))


def _rankings(pairing: Pairing, groups: Sequence[Group], players: int) -> Iterator[Ranking]:
    """The games of a match. The model knows a player's copies by one name, so it does not matter which of them won."""
    seats = (pairing.one, *[pairing.other] * (players - 1))
    for number, group in enumerate(groups, pairing.first_group):
        won = round(group.score * players - group.cut_games / players)
        lost = players - won - group.cut_games
        for winner, count in ((0, won), (1, lost), (None, group.cut_games)):
            yield from [Ranking.of_winner(seats, winner, number)] * count


def _games(played: Iterable[tuple[Pairing, Sequence[Group]]]) -> dict[str, int]:
    """Of each player."""
    games: dict[str, int] = defaultdict(int)
    for pairing, groups in played:
        for name in (pairing.one, pairing.other):
            games[name] += sum(len(group.game_ids) for group in groups)
    return games


def _win_rates(played: Iterable[tuple[Pairing, Sequence[Group]]], players: int) -> dict[str, list[float]]:
    """Of each player its two-player-equivalent rate against each other one; of both ways to seat them their mean."""
    matches: dict[tuple[str, str], list[float]] = defaultdict(list)
    for pairing, groups in played:
        rate_of_one = two_player_equivalent(sum(group.score for group in groups) / len(groups), players)
        matches[pairing.one, pairing.other].append(rate_of_one)
        matches[pairing.other, pairing.one].append(1 - rate_of_one)
    rates: dict[str, list[float]] = defaultdict(list)
    for (one, _), found in matches.items():
        rates[one].append(sum(found) / len(found))
    return rates
