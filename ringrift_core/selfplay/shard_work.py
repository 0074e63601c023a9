"""A shard under way: a file of this machine that loses no finished game, saved to the store now and then.

The file survives a crash of the process. Its copy in the store survives the machine: the next attempt, wherever it
runs, goes on from whichever of the two has more games.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ringrift_core.archive import Checkpoint, identity
from ringrift_core.contract import Artifact, SelfplayParameters, SelfplayResult, released_0_1_0
from ringrift_core.errors import StoreAwayError, StoreRefusedError
from ringrift_core.replay.games import GamesWriter, RecordedGame, Rules, open_games, read_games
from ringrift_core.replay.shards import SHARD_OUTPUT, shard_task
from ringrift_core.stage import WORK_SUFFIX

if TYPE_CHECKING:
    from ringrift_core._engine import GameRecord
    from ringrift_core.stage import Run

__all__ = ["ShardWork"]

SECONDS_BETWEEN_CHECKPOINTS = 60.0
MOST_CHECKPOINT_TIME = 0.05
"""Share of the time that checkpoints may take: those of large shards come less often."""


class ShardWork:
    """The games of one shard that are finished so far."""

    def __init__(self, parameters: SelfplayParameters, run: Run, shard: int) -> None:
        self.shard = shard
        self._run = run
        self._rules = Rules.usual(parameters.board, parameters.players)
        # Games of other parameters are none of this shard's.
        digest, values = identity(parameters)
        self._path = run.folder / f"{shard_task(shard)}-{digest[:12]}{WORK_SUFFIX}"
        self._checkpoint, self._checkpoint_of_0_1_0 = (
            Checkpoint(run.archive, parameters.iteration, f"{shard_task(shard)}-{each[:12]}", parameters.attempt)
            for each in (digest, released_0_1_0.digest(parameters.stage, values))
        )
        self._writer: GamesWriter | None = None
        self._next_checkpoint = time.monotonic() + SECONDS_BETWEEN_CHECKPOINTS

    def numbers(self) -> set[int]:
        """The games that an earlier attempt finished, here or elsewhere."""
        here = self._numbers_here()
        saved = self._checkpoint.load() or self._checkpoint_of_0_1_0.load()
        if saved is not None:
            copy = self._run.archive.get_file(saved, self._run.folder)
            there = _numbers(copy)
            if len(there) > len(here):
                # Row by row, as they came: a sealed file goes on counting its own versions, and would end as others.
                self._remove()
                with GamesWriter(self._path, self._rules) as writer:
                    writer.append(read_games(copy))
                here = there
            if copy.parent == self._run.folder:
                copy.unlink()
        return here

    def _numbers_here(self) -> set[int]:
        if not self._path.exists():
            return set()
        try:
            with GamesWriter(self._path, self._rules) as writer:
                return writer.numbers()
        except StoreRefusedError as damaged:
            # A machine that lost its power may leave such a file; what it held is played again.
            self._run.report.warn(f"{damaged}: begun anew")
            self._remove()
            return set()

    def append(self, records: Iterable[GameRecord]) -> None:
        """Keeps finished games, from the moment this returns."""
        if self._writer is None:
            self._writer = GamesWriter(self._path, self._rules)
        self._writer.append(RecordedGame.from_record(record, self._rules) for record in records)

    def save_when_due(self) -> None:
        """Saves to the store when the last time is long enough ago; a store that is away is tried again later."""
        if time.monotonic() < self._next_checkpoint:
            return
        began = time.monotonic()
        try:
            self.save()
        except StoreAwayError as away:
            self._run.report.warn(f"shard {self.shard} is not saved for now: {away}")
        now = time.monotonic()
        self._next_checkpoint = now + max(SECONDS_BETWEEN_CHECKPOINTS, (now - began) / MOST_CHECKPOINT_TIME)

    def hand_over(self) -> None:
        """Saves what is finished to the store, and leaves nothing on this machine, which may be gone soon."""
        self.save()
        self._remove()

    def save(self) -> None:
        """Saves what is finished to the store."""
        copy = self._path.with_suffix(".saved")
        self._seal(copy)
        self._checkpoint.save(copy, "sqlite")
        copy.unlink()

    def finish(self, log_games: bool) -> tuple[dict[str, Artifact], SelfplayResult]:
        """Stores the finished shard, and a log of its games where wanted; the artifacts, and sums over the games."""
        path = self._path.with_suffix(".sqlite")
        self._seal(path)
        artifacts = {SHARD_OUTPUT: self._run.archive.put_file(path, "sqlite")}
        if log_games:
            log = self._path.with_suffix(".jsonl")
            _write_log(path, self._run.archive.configuration, log)
            artifacts["log"] = self._run.archive.put_file(log, "jsonl")
            log.unlink()
        sums = _sums(path, self._rules.players)
        path.unlink()
        return artifacts, sums

    def clear(self) -> None:
        """Removes what was kept for another attempt, once the shard is recorded as finished."""
        self._remove()
        self._checkpoint.clear()
        self._checkpoint_of_0_1_0.clear()

    def close(self) -> None:
        """Ends the work; the file stays."""
        if self._writer is not None:
            self._writer.__exit__(None, None, None)
            self._writer = None

    def _seal(self, target: Path) -> None:
        if self._writer is None:
            self._writer = GamesWriter(self._path, self._rules)
        self._writer.seal(target)

    def _remove(self) -> None:
        self.close()
        for companion in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + companion).unlink(missing_ok=True)


def _numbers(path: Path) -> set[int]:
    with closing(open_games(path)) as connection:
        return {number for (number,) in connection.execute("SELECT number FROM games")}


def _sums(path: Path, players: int) -> SelfplayResult:
    wins = ", ".join(f"sum(winner IS {seat + 1})" for seat in range(players))
    with closing(open_games(path)) as connection:
        games, cut, turns, moves, decisions, *seats = connection.execute(
            f"SELECT count(*), sum(winner IS NULL), sum(turns), sum(recorded_moves), sum(decisions), {wins} FROM games"
        ).fetchone()
    return SelfplayResult(
        games=games, cut_games=cut, turns=turns, moves=moves, decisions=decisions, seat_wins=tuple(seats)
    )


def _write_log(games: Path, configuration: str, log: Path) -> None:
    """A line of JSON a game, for people and their tools; the moves stay in the shard."""
    with closing(open_games(games)) as connection, log.open("w") as file:
        lines = connection.execute(
            "SELECT json_object('game', number, 'id', lower(hex(id)), 'configuration', ?, 'seats', json(seats), "
            "'winner', winner, 'ranks', json(ranks), 'reason', reason, 'swapped', json(iif(swapped, 'true', 'false')), "
            "'turns', turns, 'moves', recorded_moves, 'decisions', decisions) FROM games ORDER BY number",
            (configuration,),
        )
        file.writelines(f"{line}\n" for (line,) in lines)
