"""Stages as processes of their own, side by side: they save what they have when the time is over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.learning.ledger import Ledger
from ringrift_core.contract import STAGE_PROGRAM, ExitCode, StageParameters, StageResult, read_result, to_arguments


class OutOfTimeError(Exception):
    """The time of this piece is over."""


@dataclass(frozen=True)
class Stages:
    """Runs them."""

    folder: Path
    """Of their log, scratch folders and results."""
    ledger: Ledger
    until: float
    """By the monotonic clock."""

    def run_all(self, work: Sequence[tuple[StageParameters, list[int]]]) -> list[StageResult]:
        """Stages side by side, each on its cores. SystemExit where one fails; OutOfTimeError once all have stopped."""
        children = [self._start(number, *one) for number, one in enumerate(work)]
        try:
            while any(child.poll() is None for child in children):
                time.sleep(0.2)
                self.ledger.beat(str(work[0][0].stage), [child.pid for child in children])
                if time.monotonic() >= self.until:
                    raise OutOfTimeError
        finally:
            # At a stop, too: they save what they have.
            for child in children:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
            for child in children:
                child.wait()
            self.ledger.book()
        codes = {child.returncode for child in children}
        if codes != {ExitCode.DONE}:
            raise SystemExit(f"{work[0][0].stage}: exit status {max(codes)}: {self.folder / 'log.txt'} says why")
        return [read_result((self.folder / f"result-{number}.json").read_bytes()) for number in range(len(work))]

    def _start(self, number: int, parameters: StageParameters, cores: list[int]) -> subprocess.Popen[bytes]:
        places = ["--result", self.folder / f"result-{number}.json", "--work-dir", self.folder / "work" / f"{number}"]
        command = [*STAGE_PROGRAM, *to_arguments(parameters), *map(str, places)]
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=False,  # The lock is theirs as well.
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
