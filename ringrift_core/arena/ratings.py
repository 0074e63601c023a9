"""Ratings: strengths of players from the rankings of games, by maximum likelihood, with intervals.

The model is Plackett's and Luce's (R. L. Plackett, "The Analysis of Permutations", 1975): the next place goes to each
of the players left with a probability in proportion to its strength; with two players it is Bradley's and Terry's. A
tie counts as the mean of all orders it may stand for, so a game that nobody won is worth 1/n to each seat, as in the
gates.

Games of one opening are not independent, so the covariance is the sandwich over groups (P. J. Huber, 1967), which needs
no assumption about what happens inside one.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ringrift_core.arena.interval import TWO_SIDED_95

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ELO", "Ranking", "Ratings", "RatingsError", "rate"]

ELO = 400 / math.log(10)
"""Elo points of one unit of log-strength: 400 points are odds of 10 to 1."""

_MOST_STEPS = 100
_CONVERGED = 1e-10


class RatingsError(ValueError):
    """The games do not determine the ratings. The message is a sentence for the user."""


@dataclass(frozen=True)
class Ranking:
    """One game: who sat where, and who came where.

    `ranks` by seat: 1 is best, equal ranks are ties. None is behind all ranked seats, and nothing is known of the order
    among several such. `group` names games that are not independent of each other.
    """

    players: tuple[str, ...]
    ranks: tuple[int | None, ...]
    group: Hashable = None

    @classmethod
    def of_winner(cls, players: tuple[str, ...], winner: int | None, group: Hashable = None) -> Ranking:
        """A game of which only the winning seat (from 0) counts; without one it is a tie of all."""
        if winner is None:
            return cls(players, (1,) * len(players), group)
        return cls(players, tuple(1 if seat == winner else None for seat in range(len(players))), group)


@dataclass(frozen=True)
class Ratings:
    """Elo of every player and what is known of their errors."""

    players: tuple[str, ...]
    elo: NDArray[np.float64]
    """[players], of mean 0."""
    covariance: NDArray[np.float64]
    """[players, players], in Elo squared; of ratings with mean 0."""

    def difference(self, player: str, other: str, z: float = TWO_SIDED_95) -> tuple[float, float, float]:
        """Elo of `player` above `other`, and its interval of `z` standard deviations to each side (95 %)."""
        one, two = self.players.index(player), self.players.index(other)
        value = float(self.elo[one] - self.elo[two])
        variance = self.covariance[one, one] + self.covariance[two, two] - 2 * self.covariance[one, two]
        half = z * math.sqrt(max(0.0, float(variance)))
        return value, value - half, value + half


@dataclass(frozen=True)
class _Choice:
    """One of `left` comes first; `weight` times."""

    chosen: int
    left: tuple[int, ...]
    weight: float
    group: Hashable


def rate(games: Iterable[Ranking], pseudo_games: float = 0.0) -> Ratings:
    """The most likely ratings.

    `pseudo_games`: tied games added between all who met, as a prior: without it a player who never lost (or never won)
    has no finite rating. RatingsError when the games do not compare all players with each other.
    """
    known = list(games)
    names = tuple(sorted({player for game in known for player in game.players}))
    if not names:
        raise RatingsError("no games: nothing to rate")
    number = {name: index for index, name in enumerate(names)}
    choices = [choice for index, game in enumerate(known) for choice in _choices(game, number, index)]
    met = {pair for game in known for pair in itertools.combinations(sorted(set(game.players)), 2)}
    for one, two in met if pseudo_games else ():
        pair = Ranking((one, two), (1, 1), (one, two))
        choices += [
            _Choice(choice.chosen, choice.left, choice.weight * pseudo_games, choice.group)
            for choice in _choices(pair, number, pair.group)
        ]
    _check_connected(names, choices)
    strengths = _maximise(len(names), choices)
    information, scores = _derivatives(strengths, choices)
    inverse = _inverse(information)
    groups = sum((np.outer(score, score) for score in scores.values()), np.zeros_like(information))
    # Few groups underestimate their own variance (as MacKinnon and White's HC1 corrects it).
    correction = len(scores) / (len(scores) - 1) if len(scores) > 1 else 1.0
    sandwich = inverse @ groups @ inverse * correction
    return Ratings(names, ELO * strengths, ELO * ELO * sandwich)


def _choices(game: Ranking, number: dict[str, int], index: Hashable) -> list[_Choice]:
    """The choices that a game consists of: from all its seats the first, from the rest the second, and so on."""
    if len(game.players) != len(game.ranks):
        raise RatingsError(f"a game of {len(game.players)} players has {len(game.ranks)} ranks")
    group = index if game.group is None else game.group
    ranked = sorted({rank for rank in game.ranks if rank is not None})
    left = list(range(len(game.players)))
    choices = []
    for rank in ranked:
        tied = [seat for seat in left if game.ranks[seat] == rank]
        orders = list(itertools.permutations(tied))
        for order in orders:
            rest = list(left)
            for seat in order:
                if len({game.players[other] for other in rest}) > 1:
                    players = tuple(number[game.players[other]] for other in rest)
                    choices.append(_Choice(number[game.players[seat]], players, 1 / len(orders), group))
                rest.remove(seat)
        left = [seat for seat in left if seat not in tied]
    return choices


def _check_connected(names: Sequence[str], choices: Sequence[_Choice]) -> None:
    """Every player must have come before and behind the others, directly or through others (L. R. Ford, 1957)."""
    beaten: dict[int, set[int]] = defaultdict(set)
    for choice in choices:
        beaten[choice.chosen].update(choice.left)
    for start, sense in ((0, beaten), (0, _reversed(beaten))):
        reached, open_ends = {start}, [start]
        while open_ends:
            for other in sense[open_ends.pop()] - reached:
                reached.add(other)
                open_ends.append(other)
        if len(reached) < len(names):
            apart = sorted(names[index] for index in range(len(names)) if index not in reached)
            said = "came before" if sense is beaten else "came behind"
            raise RatingsError(
                f"no chain of games in which {names[start]} {said} {', '.join(apart)}: they cannot be rated together; "
                "play more games between them, or allow pseudo-games"
            )


def _reversed(edges: dict[int, set[int]]) -> dict[int, set[int]]:
    turned: dict[int, set[int]] = defaultdict(set)
    for source, targets in edges.items():
        for target in targets:
            turned[target].add(source)
    return turned


def _maximise(players: int, choices: Sequence[_Choice]) -> NDArray[np.float64]:
    """Newton's method; the likelihood is concave, and a step that does not raise it is halved."""
    strengths = np.zeros(players)
    summed = _summed(choices)
    value = _log_likelihood(strengths, summed)
    for _ in range(_MOST_STEPS):
        information, scores = _derivatives(strengths, summed)
        gradient = sum(scores.values(), np.zeros(players))
        step = _inverse(information) @ gradient
        if float(np.abs(step).max()) < _CONVERGED:
            break
        while (raised := _log_likelihood(strengths + step, summed)) < value and float(np.abs(step).max()) > _CONVERGED:
            step = step / 2
        strengths, value = strengths + step, raised  # of mean 0, as every step is
    return strengths


def _inverse(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse among vectors of mean 0: of a common shift of all strengths nothing can be known."""
    shift = np.full_like(information, 1 / len(information))
    inverse: NDArray[np.float64] = np.linalg.inv(information + shift) - shift
    return inverse


def _summed(choices: Sequence[_Choice]) -> list[_Choice]:
    """Equal choices as one, whatever their groups: many games hold few different ones."""
    weights: dict[tuple[int, tuple[int, ...]], float] = defaultdict(float)
    for choice in choices:
        weights[choice.chosen, tuple(sorted(choice.left))] += choice.weight
    return [_Choice(chosen, left, weight, None) for (chosen, left), weight in sorted(weights.items())]


def _log_likelihood(strengths: NDArray[np.float64], choices: Sequence[_Choice]) -> float:
    return sum(
        choice.weight * float(strengths[choice.chosen] - np.logaddexp.reduce(strengths[list(choice.left)]))
        for choice in choices
    )


def _derivatives(
    strengths: NDArray[np.float64], choices: Sequence[_Choice]
) -> tuple[NDArray[np.float64], dict[Hashable, NDArray[np.float64]]]:
    """The observed information [players, players], and the gradient [players] of each group."""
    players = len(strengths)
    information = np.zeros((players, players))
    scores: dict[Hashable, NDArray[np.float64]] = defaultdict(lambda: np.zeros(players))
    shares = {left: _shares(strengths, left) for left in {choice.left for choice in choices}}
    for choice in choices:
        share = shares[choice.left]
        information += choice.weight * (np.diag(share) - np.outer(share, share))
        score = scores[choice.group]
        score -= choice.weight * share
        score[choice.chosen] += choice.weight
    return information, scores


def _shares(strengths: NDArray[np.float64], left: tuple[int, ...]) -> NDArray[np.float64]:
    """The chance of each player [players] to come first among the seats of `left`."""
    seats = np.array(left)
    weights = np.exp(strengths[seats] - np.logaddexp.reduce(strengths[seats]))
    return np.bincount(seats, weights=weights, minlength=len(strengths)).astype(np.float64)
