"""One stage as a process: what it says is read as it goes, and it is ended when it takes more than it may.

A child runs in a process group of its own, so that Ctrl-C reaches its parent alone. When the parent is killed, Linux
kills the child with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from ringrift_core.contract import Progress, StageResult, read, read_result
from ringrift_operator.domain.reasons import ChildReason
from ringrift_operator.processes.deaths import MemoryWatch
from ringrift_operator.processes.leftovers import note, signal_group
from ringrift_operator.processes.limits import Excess, Limits
from ringrift_operator.processes.memory import resident_bytes, tree_bytes

_EXIT_CODES = {ChildReason.OUT_OF_MEMORY: 137, ChildReason.DEADLINE_EXCEEDED: 143}
"""As of a container that was ended so."""
_PR_SET_PDEATHSIG = 1
TREE_SECONDS = 1.0
"""How often the memory of a child and all that it started is summed; its own is looked at each time."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended."""

    exit_code: int
    """A process ended by a signal has the code that a shell, or a container, gives it: 128 + its number."""
    reason: ChildReason | None
    """Why it was ended, from here or by the kernel; None when it ended by itself, or nobody knows."""
    result: StageResult | None
    """What it left; None when that is nothing, or not valid."""
    message: str
    """Why it was ended, else the sentence of its result, else its last line."""
    at: datetime


class Child:
    """A running or ended process. Its files are `<folder>/<name>.log`, `.json` (its result) and, while live, `.pid`."""

    def __init__(
        self, folder: Path, name: str, command: Sequence[str], limits: Limits | None, keeps: Sequence[int] = ()
    ) -> None:
        """Starts it; `--result` is added to the command. It keeps the descriptors `keeps` open: locks, which are then
        held for as long as it lives."""
        folder.mkdir(parents=True, exist_ok=True)
        self._memory = MemoryWatch()
        log, self._result, self._pid = (folder / f"{name}.{ending}" for ending in ("log", "json", "pid"))
        self._result.unlink(missing_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, "--result", str(self._result)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=keeps,
                preexec_fn=_dies_with(os.getpid()),
            )
        try:
            note(self._pid, self._process.pid)
        except OSError:  # a full disk: what nobody could find again must not run
            self.signal(signal.SIGKILL)
            self.wait()
            raise
        self._log = log.open("rb")
        self._limits = limits
        self._started = self._summed_at = time.monotonic()
        self._tree_bytes = 0
        self._unread = b""
        self._last_words = ""
        self._killed_for: Excess | None = None
        self.progress: Progress | None = None
        """The last that it told."""
        self.heard_at = datetime.now(UTC)
        """When it told that, or began."""
        self.ending: Ending | None = None
        """None while it is live, as far as `look` has seen."""

    @property
    def runs(self) -> bool:
        """Whether the process is there, looked at or not."""
        return self._process.poll() is None

    def look(self) -> None:
        """Reads what is new, holds it to its limits, and notices its end."""
        if self.ending is not None:
            return
        code = self._process.poll()
        self._read_log()
        if code is None:
            self._hold_to_limits()
        else:
            self._pid.unlink(missing_ok=True)
            self.ending = self._ended(code)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to it and all that it started."""
        signal_group(self._process.pid, number)

    def wait(self) -> None:
        """Returns when the process is gone."""
        self._process.wait()

    def forget(self) -> None:
        """Removes what is kept of it but its log; it must have ended."""
        self._log.close()
        self._result.unlink(missing_ok=True)
        self._pid.unlink(missing_ok=True)

    def _read_log(self) -> None:
        """Takes the last line of progress, and the last other line for the case that the stage fails."""
        lines = (self._unread + self._log.read()).split(b"\n")
        self._unread = lines.pop()
        for line in lines:
            progress = _progress_of(line)
            if progress is not None:
                self.progress, self.heard_at = progress, datetime.now(UTC)
            elif line.strip() and not line.lstrip().startswith(b"{"):
                self._last_words = line.decode(errors="replace").strip()

    def _hold_to_limits(self) -> None:
        now = time.monotonic()
        if now - self._summed_at >= TREE_SECONDS:
            self._tree_bytes, self._summed_at = tree_bytes(self._process.pid), now
        memory_bytes = max(resident_bytes(self._process.pid), self._tree_bytes)
        self._memory.saw(memory_bytes)
        if self._limits is None or self._killed_for is not None:
            return
        ran = timedelta(seconds=now - self._started)
        self._killed_for = self._limits.exceeded(memory_bytes, ran)
        if self._killed_for is not None:
            self.signal(signal.SIGKILL)

    def _ended(self, code: int) -> Ending:
        result = _read_result(self._result)
        said = result.message if result is not None and result.message else self._last_words
        now = datetime.now(UTC)
        if self._killed_for is not None:
            excess = self._killed_for
            return Ending(_EXIT_CODES[excess.reason], excess.reason, result, excess.message, now)
        reason, known = self._memory.of_killed() if code == -signal.SIGKILL else (None, "")
        return Ending(128 - code if code < 0 else code, reason, result, known or said, now)


def _dies_with(parent: int) -> Callable[[], None] | None:
    """To run in the child before its program: asks Linux to kill it when `parent` dies."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it could be asked
            os._exit(1)

    return ask


def _progress_of(line: bytes) -> Progress | None:
    if not line.startswith(b"{"):
        return None
    try:
        content = json.loads(line)
        return read(Progress, content) if content.get("kind") == "progress" else None
    except (ValueError, ValidationError):
        return None


def _read_result(path: Path) -> StageResult | None:
    try:
        return read_result(path.read_bytes())
    except (OSError, ValueError):
        return None
