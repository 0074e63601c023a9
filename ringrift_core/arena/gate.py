"""Gates: from the scores of seat-rotated groups to a decision.

A gate is a pure function of the scores seen so far, so how many games are played at once never changes a decision.
Rates are two-player equivalents (`ringrift_core.arena.scale`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ringrift_core.arena.interval import ONE_SIDED_95, ONE_SIDED_99, measure, share_interval
from ringrift_core.arena.scale import share, two_player_equivalent
from ringrift_core.arena.sprt import Conclusion, SequentialTest
from ringrift_core.contract import Decision

__all__ = ["FixedGate", "Gate", "Judgement", "RegressionTest", "SprtGate", "whole_groups"]

H1_RATE = 0.60
REGRESSION_MARGIN = 0.05


@dataclass(frozen=True)
class Judgement:
    """A decision, the number of groups it rests on, and why in a sentence."""

    decision: Decision
    groups: int
    reason: str


class Gate(Protocol):
    """Decides from group scores; None means that more groups are wanted."""

    @property
    def most_groups(self) -> int:
        """The groups after which a decision is certain."""

    def judge(self, scores: Sequence[float]) -> Judgement | None:
        """The decision after these groups, or None."""


def whole_groups(games: int, players: int) -> int:
    """Groups that hold at least `games` games: 3 players need 201 games for 200."""
    return -(-games // players)


@dataclass(frozen=True)
class FixedGate:
    """A fixed number of games; passes above the threshold. An equal candidate passes far too often: the plan's gate."""

    players: int
    games: int
    threshold: float

    @property
    def most_groups(self) -> int:
        return whole_groups(self.games, self.players)

    def judge(self, scores: Sequence[float]) -> Judgement | None:
        if len(scores) < self.most_groups:
            return None
        rate = measure(scores[: self.most_groups], self.players).rate
        passed = rate > self.threshold
        return Judgement(
            Decision.PROMOTE if passed else Decision.REJECT,
            self.most_groups,
            f"rate {rate:.3f} in {self.most_groups * self.players} fixed games, "
            f"{'above' if passed else 'not above'} {self.threshold:.2f}",
        )


@dataclass(frozen=True)
class SprtGate:
    """H0 rate 0.50 against H1 rate 0.60, alpha 0.05, beta 0.20, up to a cap (training.md, Gates).

    At the cap: promoted when the rate is above the threshold and its one-sided 95 % bound above 0.5.
    """

    players: int
    max_games: int
    threshold: float

    @property
    def most_groups(self) -> int:
        return whole_groups(self.max_games, self.players)

    def judge(self, scores: Sequence[float]) -> Judgement | None:
        test = SequentialTest(self.players, 1 / self.players, share(H1_RATE, self.players), alpha=0.05, beta=0.20)
        groups, conclusion = test.first_conclusion(scores[: self.most_groups])
        if conclusion is Conclusion.UNDECIDED:
            return self._at_the_cap(scores[: self.most_groups]) if len(scores) >= self.most_groups else None
        accepted = conclusion is Conclusion.H1
        return Judgement(
            Decision.PROMOTE if accepted else Decision.REJECT,
            groups,
            f"SPRT accepts {f'H1 (rate {H1_RATE:.2f})' if accepted else 'H0 (rate 0.50)'} "
            f"after {groups * self.players} games, LLR {test.ratio(scores[:groups]):.2f}",
        )

    def _at_the_cap(self, scores: Sequence[float]) -> Judgement:
        rate = measure(scores, self.players).rate
        bound = two_player_equivalent(share_interval(scores, self.players, ONE_SIDED_95)[0], self.players)
        passed = rate > self.threshold and bound > 0.5
        return Judgement(
            Decision.PROMOTE if passed else Decision.REJECT,
            len(scores),
            f"undecided at the cap of {len(scores) * self.players} games: rate {rate:.3f} "
            f"{'above' if rate > self.threshold else 'not above'} {self.threshold:.2f}, "
            f"lower bound {bound:.3f} {'above' if bound > 0.5 else 'not above'} 0.5",
        )


@dataclass(frozen=True)
class RegressionTest:
    """Champion against predecessor: H0 rate 0.50 against H1 `threshold` - 0.05, alpha 0.01, beta 0.20, up to a cap.

    At the cap: regressed when the rate is below the threshold and its one-sided 99 % bound below 0.5. With four seats
    the test itself never condemns anybody within 200 games.
    The scores of all iterations of one pair are judged together, from the first; the test is never restarted, since
    a test repeated every iteration sooner or later condemns a good champion.
    """

    players: int
    max_games: int
    threshold: float

    @property
    def most_groups(self) -> int:
        return whole_groups(self.max_games, self.players)

    def judge(self, scores: Sequence[float]) -> Judgement | None:
        h1_rate = self.threshold - REGRESSION_MARGIN
        test = SequentialTest(self.players, 1 / self.players, share(h1_rate, self.players), alpha=0.01, beta=0.20)
        groups, conclusion = test.first_conclusion(scores[: self.most_groups])
        games = groups * self.players
        if conclusion is Conclusion.H1:
            return Judgement(Decision.REGRESSED, groups, f"SPRT accepts H1 (rate {h1_rate:.2f}) after {games} games")
        if conclusion is Conclusion.H0:
            return Judgement(Decision.KEEP, groups, f"SPRT accepts H0 (rate 0.50) after {games} games")
        return self._at_the_cap(scores[: self.most_groups]) if len(scores) >= self.most_groups else None

    def _at_the_cap(self, scores: Sequence[float]) -> Judgement:
        rate = measure(scores, self.players).rate
        bound = two_player_equivalent(share_interval(scores, self.players, ONE_SIDED_99)[1], self.players)
        regressed = rate < self.threshold and bound < 0.5
        return Judgement(
            Decision.REGRESSED if regressed else Decision.KEEP,
            len(scores),
            f"undecided in all {len(scores) * self.players} games of the test: rate {rate:.3f} "
            f"{'below' if rate < self.threshold else 'not below'} {self.threshold:.2f}, "
            f"upper bound {bound:.3f} {'below' if bound < 0.5 else 'not below'} 0.5",
        )
