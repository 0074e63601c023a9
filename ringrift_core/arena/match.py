"""Playing a gate's groups: seat-rotated matches in the engine, until the gate decides."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ringrift_core import _engine
from ringrift_core.arena.gate import Gate, Judgement
from ringrift_core.contract import MOST_CUT_EVIDENCE, Board, EvaluateParameters, percent
from ringrift_core.cores import available_cores
from ringrift_core.stage import Run

__all__ = ["MOST_IDENTICAL_GAMES", "Group", "Match", "identical_share", "play_until_decided", "refusal", "unwon_share"]

MOST_IDENTICAL_GAMES = 0.05
"""A match in which a larger share of games repeats another one is refused as evidence."""

GROUPS_AT_ONCE = 8
"""Groups per call of the engine: enough to fill the cores, few enough to stop soon after the decision."""


@dataclass(frozen=True)
class Group:
    """One opening, the candidate in each seat in turn."""

    score: float
    """Share of the group's games that the candidate won; a cut game counts 1/players."""
    game_ids: tuple[str, ...]
    cut_games: int


@dataclass(frozen=True)
class Match:
    """Candidate against copies of an opponent. Group g depends on (seed, g) and the players alone."""

    board: Board
    players: int
    candidate: _engine.Player
    opponent: _engine.Player
    seed: int
    max_turns: int

    @classmethod
    def of(
        cls, parameters: EvaluateParameters, candidate: _engine.Player, opponent: _engine.Player, seed: int
    ) -> Match:
        """On the board of the parameters, with their move limit."""
        return cls(parameters.board, parameters.players, candidate, opponent, seed, parameters.max_moves)

    def play(self, first: int, groups: int, progress: Callable[[int], bool]) -> list[Group]:
        """Groups first .. first + groups - 1; fewer when `progress` (games finished) returned False."""
        results = _engine.play_match(
            self.board.value,
            self.players,
            self.candidate,
            self.opponent,
            seed=self.seed,
            groups=groups,
            first_group=first,
            max_turns=self.max_turns,
            threads=available_cores(),
            progress=progress,
        )
        return [_group(result, self.players) for result in results]


def _group(result: _engine.GroupResult, players: int) -> Group:
    return Group(
        score=result.score / players,
        game_ids=tuple(record.game_id for record in result.records),
        cut_games=sum(won is None for won in result.candidate_won),
    )


def play_until_decided(
    match: Match,
    gate: Gate,
    run: Run,
    said: str,
    before: Sequence[Group] = (),
    at_most: int | None = None,
    passed_over: int = 0,
) -> tuple[list[Group], Judgement | None]:
    """Plays on from the groups `before` until the gate decides; returns every group that counts, and the judgement.

    `at_most` limits the groups played now: the judgement is None when that was not enough. `passed_over` groups more
    were played before and do not count: their openings are not played again.
    """
    groups = list(before)
    most = gate.most_groups if at_most is None else min(gate.most_groups, len(groups) + at_most)
    started, played = time.monotonic(), 0
    judgement = gate.judge([group.score for group in groups])
    while judgement is None and len(groups) < most:
        run.pause_point()
        wanted = min(GROUPS_AT_ONCE, most - len(groups))

        def progress(finished: int) -> bool:
            games = (len(groups) * match.players) + finished  # noqa: B023 - called before the loop goes on
            rate = (played * match.players + finished) / max(1e-9, time.monotonic() - started)  # noqa: B023
            run.report.progress(games / (gate.most_groups * match.players), f"{said}, {games} games", rate, "games/s")
            return not run.stop_requested

        new = match.play(passed_over + len(groups), wanted, progress)
        if len(new) < wanted:
            run.pause_point()
        groups += new
        played += len(new)
        judgement = gate.judge([group.score for group in groups])
    return groups[: judgement.groups] if judgement else groups, judgement


def refusal(groups: Sequence[Group]) -> str:
    """Why a match is no evidence: nobody won too many of its games, or too many repeat another; empty when it is."""
    games = sum(len(group.game_ids) for group in groups)
    if (cut := unwon_share(groups)) > MOST_CUT_EVIDENCE:
        return (
            f"refused as evidence: {percent(cut)} of {games} games were cut by the move limit, "
            f"{MOST_CUT_EVIDENCE:.0%} may be"
        )
    if (identical := identical_share(groups)) > MOST_IDENTICAL_GAMES:
        most = f"{MOST_IDENTICAL_GAMES:.0%} may be"
        return f"refused as evidence: {percent(identical)} of {games} games are identical, {most}"
    return ""


def unwon_share(groups: Sequence[Group]) -> float:
    """The share of games that nobody won: the move limit cut them."""
    games = sum(len(group.game_ids) for group in groups)
    return sum(group.cut_games for group in groups) / max(1, games)


def identical_share(groups: Sequence[Group]) -> float:
    """The share of games that repeat a game of another group move by move.

    Within a group repeats are no flaw of the evidence: players that decide alike play an opening alike from every seat,
    share the group's points evenly, and groups are what the tests count.
    """
    counts = Counter(game for group in groups for game in set(group.game_ids))
    games = sum(len(group.game_ids) for group in groups)
    return 0.0 if games == 0 else (counts.total() - len(counts)) / games
