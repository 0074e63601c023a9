"""The stage selfplay: plays the chosen shards, each an SQLite file with a task record of its own.

The games of all chosen shards are one run of the engine, so that no core waits where one shard ends. A shard that is
recorded is not played again, and of one that is not, no finished game: a kill loses the games under way.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import operator

from ringrift_core import _engine
from ringrift_core.archive import identity, task_key
from ringrift_core.contract import SelfplayParameters, SelfplayResult, StageResult, cut_warning
from ringrift_core.cores import available_cores
from ringrift_core.errors import WrongInputError
from ringrift_core.replay.restarts import Restarts
from ringrift_core.replay.shards import games_of_shard, shard_of_task, shard_task, shard_tasks
from ringrift_core.selfplay.modes import players_of_modes
from ringrift_core.selfplay.shard_work import ShardWork
from ringrift_core.selfplay.tally import Tally
from ringrift_core.stage import Outcome, Run

__all__ = ["selfplay_stage"]

MOST_OPENING_PLIES = 8
"""Up to so many random decisions begin a game: every game sees another part of the game. Some have too few of them to
get past the offer of the pie rule, which their players then decide."""


def selfplay_stage(parameters: SelfplayParameters, run: Run) -> StageResult:
    """Plays what is not finished yet of the chosen shards; the result sums up all of them."""
    results: dict[int, StageResult] = {}
    for shard in parameters.chosen_shards:
        found = run.archive.finished(parameters.iteration, shard_task(shard), parameters)
        if found is not None:
            run.report.log(f"shard {shard} is finished already")
            ShardWork(parameters, run, shard).clear()
            results[shard] = found
    played: Tally | None = None
    left = [shard for shard in parameters.chosen_shards if shard not in results]
    if left:
        run.pause_point()
        _check_siblings(parameters, run)
        run.archive.check_writable(f"{task_key(parameters.iteration, shard_task(left[0]))}.json")
        play = _Play(parameters, run, left)
        results |= play.results()
        played = play.tally
    outcome = _sum_up([results[shard] for shard in parameters.chosen_shards], played, run)
    return run.result(parameters, outcome)


def _check_siblings(parameters: SelfplayParameters, run: Run) -> None:
    """WrongInputError when shards of the same games are recorded that were played for other parameters."""
    _, values = identity(parameters)
    ours = range(parameters.first_game, parameters.first_game + max(parameters.games, parameters.shard.total))
    tasks = (task for _, task in run.archive.tasks(shard_tasks(parameters.iteration)) if shard_of_task(task) in ours)
    # One is enough: it was held against those before it.
    for task in itertools.islice(tasks, 1):
        record = run.archive.record(parameters.iteration, task)
        if record is not None and (differences := record.differences(values)):
            raise WrongInputError(
                f"iteration {parameters.iteration} has {task} in {run.archive.store.uri}, played for {differences}: "
                "all shards of an iteration divide the same games; ask for its parameters, or take another iteration"
            )


class _Play:
    """Self-play of some shards, from what earlier attempts left to the last game."""

    def __init__(self, parameters: SelfplayParameters, run: Run, shards: list[int]) -> None:
        self._parameters = parameters
        self._run = run
        self._games = {shard: games_of_shard(parameters, shard) for shard in shards}
        self._shards = shards
        self._firsts = [self._games[shard].start for shard in shards]
        self._works = {shard: ShardWork(parameters, run, shard) for shard in shards}
        self._missing = {shard: len(games) for shard, games in self._games.items()}
        self._results: dict[int, StageResult] = {}
        self.tally = Tally(parameters.players)
        """Of the games that this process plays itself; of earlier attempts' speed nobody knows."""
        self._wanted = sum(self._missing.values())

    def results(self) -> dict[int, StageResult]:
        """Plays, and returns the result of each shard. NotNowError after SIGTERM, with everything finished saved."""
        try:
            done = self._resume()
            if len(self._results) < len(self._shards):
                self._play(done)
            if len(self._results) < len(self._shards):
                self._hand_over()
                self._run.pause_point()
        finally:
            for work in self._works.values():
                work.close()
        return self._results

    def _resume(self) -> set[int]:
        """What earlier attempts finished; a shard of which nothing is left to play is recorded."""
        done: set[int] = set()
        for shard in self._shards:
            found = self._works[shard].numbers()
            if found:
                self._run.report.log(f"shard {shard} goes on from {len(found)} of {len(self._games[shard])} games")
            done |= found
            self._count(shard, len(found))
        return done

    def _play(self, done: set[int]) -> None:
        parameters = self._parameters
        open_shards = [shard for shard in self._shards if shard not in self._results]
        first, last = self._games[open_shards[0]].start, self._games[open_shards[-1]].stop
        wanted = {number for shard in open_shards for number in self._games[shard]} - done
        all_between = len(wanted) == last - first
        _engine.play_games(
            parameters.board.value,
            parameters.players,
            players_of_modes(parameters, self._run),
            seed=parameters.seed,
            games=last - first,
            first_game=first,
            skip=None if all_between else [number for number in range(first, last) if number not in wanted],
            max_turns=parameters.move_limit,
            opening_plies=MOST_OPENING_PLIES,
            least_opening_plies=0,
            random_move_rate=parameters.random_moves,
            prefixes=self._prefixes(),
            threads=available_cores(),
            receive=self._receive,
        )

    def _prefixes(self) -> list[bytes] | None:
        """What each game of the iteration goes on from, in turn; nothing where its opening is drawn."""
        if self._parameters.restarts is None:
            return None
        restarts = Restarts.load(self._run.archive, self._parameters.restarts)
        games = self._parameters.first_game + self._parameters.games
        return restarts.dealt(games, self._parameters.restart_share)

    def _receive(self, records: list[_engine.GameRecord]) -> bool:
        """Keeps what is finished; records the shards that are complete."""
        self.tally.add(records)
        in_order = sorted(records, key=lambda record: record.index)
        for shard, group in itertools.groupby(in_order, lambda record: self._shard_of(record.index)):
            new = list(group)
            self._works[shard].append(new)
            self._count(shard, len(new))
            if shard not in self._results:
                self._works[shard].save_when_due()
        left = sum(self._missing.values())
        message = f"{self._wanted - left:,} of {self._wanted:,} games, {self.tally}"
        self._run.report.progress(1 - left / self._wanted, message, self.tally.rate, "games/s")
        return not self._run.stop_requested

    def _shard_of(self, game: int) -> int:
        return self._shards[bisect.bisect_right(self._firsts, game) - 1]

    def _count(self, shard: int, finished: int) -> None:
        self._missing[shard] -= finished
        if self._missing[shard] == 0:
            self._results[shard] = self._finish(shard)

    def _finish(self, shard: int) -> StageResult:
        work = self._works[shard]
        # Again: when this began, another that began too may have had nothing recorded yet.
        _check_siblings(self._parameters, self._run)
        outputs, sums = work.finish(self._parameters.log_games)
        result = self._run.result(self._parameters, Outcome(outputs=outputs, result=sums))
        result = self._run.archive.finish(self._parameters.iteration, shard_task(shard), self._parameters, result)
        work.clear()
        self._run.report.log(f"shard {shard}: {_sentence(sums)}", {"shard": shard, **sums.model_dump(by_alias=True)})
        return result

    def _hand_over(self) -> None:
        """After a stop: the next attempt may begin on another machine."""
        self._run.answer()
        for shard in self._shards:
            if shard not in self._results and self._missing[shard] < len(self._games[shard]):
                self._works[shard].hand_over()


def _sum_up(results: list[StageResult], played: Tally | None, run: Run) -> Outcome:
    total = functools.reduce(operator.add, (result.answer(SelfplayResult) for result in results))
    if played is not None and played.games:
        total = total.model_copy(update={"games_played": played.games, "seconds": played.seconds})
    if warning := cut_warning(total.cut_share):
        run.report.warn(warning)
    # Shards can be many and a result is small: the artifacts stand in the task records.
    outputs = results[0].outputs if len(results) == 1 else {}
    return Outcome(outputs=outputs, result=total, message=_sentence(total))


def _sentence(sums: SelfplayResult) -> str:
    return f"{sums.games:,} games of {sums.turns / sums.games:.1f} turns, {sums.cut_games:,} cut by the move limit"
