"""Stages as processes of this machine: started, watched, stopped, and never left behind.

A child runs in a process group of its own, so that Ctrl-C reaches `local` alone. When `local` is killed, Linux kills
its children with it; elsewhere, and for a child that escaped, the next `local` finds their .pid files and ends them.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from ringrift_core.contract import STAGE_PROGRAM, Progress, StageResult, read, to_arguments
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.reasons import ChildReason
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation
from ringrift_operator.local.folder import replace_file

GRACE_SECONDS = 60.0
"""From SIGTERM to SIGKILL, as in a Pod."""

_EXIT_CODES = {ChildReason.OUT_OF_MEMORY: 137, ChildReason.DEADLINE_EXCEEDED: 143}
"""As of a container that was ended so."""
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class _Child:
    """A process and what has been read of it."""

    task: PlacedTask
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    started: float
    observation: TaskObservation
    progress: Progress | None = None
    unread: bytes = b""
    last_words: str = ""
    killed_for: ChildReason | None = None
    """When `local` ended it."""


class Processes:
    """The children of one pipeline."""

    def __init__(self, folder: Path, program: Sequence[str] = STAGE_PROGRAM) -> None:
        self._folder = folder
        self._program = tuple(program)
        self._children: dict[str, _Child] = {}

    def end_leftovers(self) -> int:
        """Ends children of an earlier `local` that was killed; how many there were."""
        ended = 0
        for path in self._folder.glob("*.pid"):
            ended += _end_leftover(path)
            path.unlink()
        return ended

    def start(self, task: PlacedTask, now: datetime) -> None:
        """Starts a placed task."""
        self._folder.mkdir(parents=True, exist_ok=True)
        result = self._file(task.name, "json")
        result.unlink(missing_ok=True)
        command = [*self._program, *to_arguments(task.parameters), "--result", str(result)]
        log = self._file(task.name, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_dies_with(os.getpid()),
            )
        replace_file(self._file(task.name, "pid"), f"{process.pid} {_started_at(process.pid)}")
        observation = TaskObservation(
            name=task.name,
            identity=task.identity,
            phase=ChildPhase.RUNNING,
            stage=task.stage,
            started_at=now,
        )
        self._children[task.name] = _Child(task, process, log.open("rb"), time.monotonic(), observation)

    def observe(self) -> tuple[TaskObservation, ...]:
        """All children, with what is new of them."""
        for child in self._children.values():
            if child.observation.is_live:
                self._look_at(child)
        return tuple(child.observation for child in self._children.values())

    def progress(self) -> dict[str, Progress]:
        """The last progress of every live child, by name."""
        return {
            name: child.progress
            for name, child in self._children.items()
            if child.progress is not None and child.observation.is_live
        }

    @property
    def has_live(self) -> bool:
        return any(child.observation.is_live for child in self._children.values())

    def forget(self, name: str) -> None:
        """Drops an ended child; ends a live one that is no longer wanted."""
        child = self._children.pop(name, None)
        if child is None:
            return
        if child.process.poll() is None:
            _stop([child])
        child.log.close()
        self._file(name, "json").unlink(missing_ok=True)
        self._file(name, "pid").unlink(missing_ok=True)

    def stop(self, is_impatient: Callable[[], bool] = lambda: False) -> None:
        """SIGTERM to all, and SIGKILL to those that are still there after a grace, or when the user is impatient."""
        _stop([child for child in self._children.values() if child.process.poll() is None], is_impatient)
        for name in tuple(self._children):
            self.forget(name)

    def _look_at(self, child: _Child) -> None:
        code = child.process.poll()
        self._read_log(child)
        if code is None:
            self._hold_to_limits(child)
            if child.progress is not None:
                child.observation = replace(
                    child.observation, progress=child.progress.progress, message=child.progress.message
                )
            return
        self._file(child.task.name, "pid").unlink(missing_ok=True)
        child.observation = self._ended(child, code)

    def _ended(self, child: _Child, code: int) -> TaskObservation:
        result = _read_result(self._file(child.task.name, "json"))
        # A process ended by a signal has the exit code that a shell, or a container, gives it.
        code = 128 - code if code < 0 else code
        if child.killed_for is not None:
            code = _EXIT_CODES[child.killed_for]
        is_done = code == 0
        said = result.message if result is not None and result.message else child.last_words
        return replace(
            child.observation,
            phase=ChildPhase.SUCCEEDED if is_done else ChildPhase.FAILED,
            exit_code=code,
            reason=child.killed_for or "",
            result=result if is_done else None,
            message=child.killed_for or said,
            finished_at=datetime.now(UTC),
        )

    def _read_log(self, child: _Child) -> None:
        """Takes the last line of progress, and the last other line for the case that the stage fails."""
        lines = (child.unread + child.log.read()).split(b"\n")
        child.unread = lines.pop()
        for line in lines:
            progress = _progress_of(line)
            if progress is not None:
                child.progress = progress
            elif line.strip() and not line.lstrip().startswith(b"{"):
                child.last_words = line.decode(errors="replace").strip()

    def _hold_to_limits(self, child: _Child) -> None:
        """Ends a child above its slot's memory or past its deadline, as a kubelet would."""
        slot = child.task.slot
        if slot is None or child.killed_for:
            return
        limit = int(quantity_value(slot.resources["memory"]))
        if _resident_bytes(child.process.pid) > limit:
            child.killed_for = ChildReason.OUT_OF_MEMORY
        elif time.monotonic() - child.started > slot.deadline.total_seconds():
            child.killed_for = ChildReason.DEADLINE_EXCEEDED
        if child.killed_for:
            _signal_group(child.process.pid, signal.SIGKILL)

    def _file(self, name: str, ending: str) -> Path:
        return self._folder / f"{name}.{ending}"


def _stop(children: Sequence[_Child], is_impatient: Callable[[], bool] = lambda: False) -> None:
    for child in children:
        _signal_group(child.process.pid, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while any(child.process.poll() is None for child in children):
        if time.monotonic() > until or is_impatient():
            for child in children:
                _signal_group(child.process.pid, signal.SIGKILL)
                child.process.wait()
            return
        time.sleep(0.05)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


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


def _end_leftover(path: Path) -> int:
    """Kills the process group of a .pid file if it is still the process that was started."""
    try:
        number, _, started = path.read_text(encoding="utf-8").partition(" ")
        pid = int(number)
    except (OSError, ValueError):
        return 0
    if not started or _started_at(pid) != started:
        return 0
    _signal_group(pid, signal.SIGKILL)
    while _started_at(pid) == started:
        time.sleep(0.05)
    return 1


def _started_at(pid: int) -> str:
    """When a process was started, in the system's own words, to tell it from a later one of the same number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        state, *fields = stat.rpartition(")")[2].split()
        return "" if state == "Z" else fields[18]
    except FileNotFoundError:
        program = shutil.which("ps") if sys.platform != "linux" else None
    if program is None:
        return ""
    found = subprocess.run([program, "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _resident_bytes(pid: int) -> int:
    """Memory of a process; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


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
        return read(StageResult, path.read_bytes())
    except (OSError, ValidationError):
        return None
