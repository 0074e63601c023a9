"""What every stage's process has in common: exit codes, the result file, signals, progress, finished tasks.

A stage is a function of its parameters and a `Run` to an `Outcome`; `execute` is the shell around it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TypeVar

from ringrift_core import _engine
from ringrift_core.archive import Archive, task_key
from ringrift_core.contract import (
    MESSAGE_LIMIT,
    Artifact,
    ExitCode,
    Result,
    StageParameters,
    StageResult,
    TrainParameters,
    Verdict,
    clipped,
)
from ringrift_core.errors import NotNowError, RingRiftError, WrongInputError
from ringrift_core.files import LONGEST_PATH, is_too_long, new_file, scratch_folder, temporary_folder
from ringrift_core.reporting import Reporter

__all__ = ["WORK_SUFFIX", "Outcome", "Run", "execute"]

WORK_SUFFIX = ".work"
"""Part of the names of scratch files that the next attempt goes on from."""

_LONGEST_NAME = 80
"""Characters of the longest name of a scratch file: a SHA-256 and what stands around it."""

CRASH = 1
"""Exit status of a defect; the operator tries again."""

TO_ANSWER = 25.0
"""Seconds from a signal to the end of a stage that does not answer it."""

TO_SAVE = 50.0
"""Seconds from a signal to the end of a stage that has answered and saves: less than a Pod is given."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
"""Stands in a result that is written later."""

_DEAF = (
    f"did not answer a signal within {TO_ANSWER:.0f} s, and ended itself: a library does not come back, or a step "
    "takes longer; what was finished is saved, and the next attempt goes on from there"
)


@dataclass(frozen=True)
class Outcome:
    """What a stage has to say; `execute` adds stage, attempt and times."""

    outputs: dict[str, Artifact] = field(default_factory=dict)
    result: Result | None = None
    verdict: Verdict | None = None
    message: str = ""


ParametersT = TypeVar("ParametersT", bound=StageParameters)


@dataclass
class Run:
    """One process's surroundings: where artifacts are, where scratch files go, who hears of progress."""

    archive: Archive
    folder: Path
    report: Reporter
    started_at: datetime
    stop_requested: bool = False
    on_answer: Callable[[], None] = lambda: None

    def answer(self) -> None:
        """To be called where a stage that was asked to stop has heard it, and begins to save: that may take longer."""
        self.on_answer()

    def pause_point(self) -> None:
        """To be called wherever stopping loses nothing; NotNowError after SIGTERM or Ctrl-C."""
        if self.stop_requested:
            self.answer()
            raise NotNowError("stopped on request; what was finished is saved, and the next attempt goes on from there")

    def result(self, parameters: StageParameters, outcome: Outcome) -> StageResult:
        """The outcome as a StageResult that ends now."""
        return StageResult(
            stage=parameters.stage,
            attempt=parameters.attempt,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            outputs=outcome.outputs,
            result=outcome.result,
            verdict=outcome.verdict,
            message=outcome.message,
        )

    def once(self, iteration: int, task: str, parameters: ParametersT, body: Callable[[], Outcome]) -> StageResult:
        """Runs `body` unless the task is recorded as finished, and records it; a repeat reports the same again."""
        finished = self.archive.finished(iteration, task, parameters)
        if finished is not None:
            self.report.log(f"{task} of iteration {iteration} is finished already")
            return finished
        self.archive.check_writable(f"{task_key(iteration, task)}.json")
        return self.archive.finish(iteration, task, parameters, self.result(parameters, body()))


def execute(
    parameters: ParametersT,
    body: Callable[[ParametersT, Run], StageResult],
    *,
    result_path: Path | None = None,
    work_dir: Path | None = None,
) -> int:
    """Runs a stage and returns its exit status; failures are one sentence on stderr and in the result file.

    Of several processes of one task the first alone says anything else.
    """
    started_at = datetime.now(UTC)
    if follows := isinstance(parameters, TrainParameters) and parameters.distributed and os.environ.get("RANK") != "0":
        result_path = None
    with Reporter.for_complaints(parameters.stage) if follows else Reporter.for_stdout(parameters.stage) as report:
        if result_path is not None and (fault := _result_path_fault(result_path)):
            report.fail(f"--result {result_path}: {fault}; name a file that can be written")
            return int(ExitCode.WRONG_INPUT)
        try:
            with _scratch(work_dir, parameters) as folder, _disk_errors_explained(folder):
                run = Run(Archive.of(parameters), folder, report, started_at)
                with _stop_signals(run), _watched(run, parameters, result_path):
                    result = body(parameters, run)
        except RingRiftError as failure:
            report.fail(str(failure))
            _write_failure(result_path, parameters, started_at, str(failure), failure.found)
            return int(failure.exit_code)
        except Exception as defect:
            report.fail("".join(traceback.format_exception(defect)).rstrip())
            _write_failure(result_path, parameters, started_at, f"{type(defect).__name__}: {defect}")
            return CRASH
        except BaseException as panic:
            # A panic in a Rust library: no Exception to Python, and its frames tell the user nothing.
            if type(panic).__module__ != "pyo3_runtime":
                raise
            sentence = f"defect in a native library: {panic}"
            report.fail(sentence)
            _write_failure(result_path, parameters, started_at, sentence)
            return CRASH
        try:
            if result_path is not None:
                write_result(result_path, result)
        except OSError as error:
            # The path was good before the work, and a repeat finds the work done.
            report.fail(f"the work is done, but --result {result_path}: {error.strerror}; begin again to hear of it")
            return int(ExitCode.NOT_NOW)
        report.finish(result)
    return int(ExitCode.DONE)


def write_result(path: Path, result: StageResult) -> None:
    """Writes the result as a whole, also over a mounted file such as a container's termination message."""
    content = result.to_json().encode()
    if path.exists() and not path.is_file():
        # A pipe or a terminal: to be written to, not to be replaced.
        path.write_bytes(content)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = new_file(path.parent, ".ringrift-")
    except OSError:
        # A read-only folder with a writable file in it: /dev/termination-log in a Pod.
        path.write_bytes(content)
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        partial.replace(path)
    except OSError:
        # A mount point cannot be renamed over.
        partial.unlink()
        path.write_bytes(content)


def _result_path_fault(path: Path) -> str | None:
    """Why no result could be written to `path`, or None; leaves the path as it is."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() or path.is_dir():
            path.open("ab").close()
        elif not path.exists():
            with tempfile.TemporaryFile(dir=path.parent):
                pass
    except OSError as error:
        return error.strerror
    return None


def _failure(
    parameters: StageParameters, started_at: datetime, sentence: str, found: Result | None = None
) -> StageResult:
    return StageResult(
        stage=parameters.stage,
        attempt=parameters.attempt,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        result=found,
        message=clipped(sentence, MESSAGE_LIMIT),
    )


def _write_failure(
    path: Path | None, parameters: StageParameters, started_at: datetime, sentence: str, found: Result | None = None
) -> None:
    if path is None:
        return
    try:
        write_result(path, _failure(parameters, started_at, sentence, found))
    except OSError as error:
        print(f"ringrift: the result could not be written to {path}: {error}", file=sys.stderr)


@contextmanager
def _scratch(work_dir: Path | None, parameters: StageParameters) -> Iterator[Path]:
    """The folder for scratch files: the one asked for, or one by the task's name in the system's temporary folder.

    The same task finds the same folder again, so work that a killed process left there (WORK_SUFFIX) is not lost. It
    is removed when the stage is done. Where another process has it, this one takes a new one.
    """
    if work_dir is not None:
        try:
            with _disk_errors_explained(work_dir):
                work_dir.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=work_dir):
                    pass
        except OSError as error:
            raise WrongInputError(f"--work-dir {work_dir}: {error.strerror}; name a folder to write to") from error
        _check_length(work_dir, "--work-dir")
        yield work_dir
        return
    told = parameters.model_dump_json(exclude={"attempt"})
    folder = temporary_folder() / f"ringrift-{parameters.stage}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    _check_length(folder, "TMPDIR")
    with _claimed(folder) as is_ours:
        if not is_ours:
            with scratch_folder() as another:
                yield another
            return
        try:
            yield folder
        except BaseException:
            _keep_work_alone(folder)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _check_length(folder: Path, named_by: str) -> None:
    """WrongInputError when files in a scratch folder would have paths that SQLite does not open."""
    if is_too_long(folder, "/" + "x" * _LONGEST_NAME):
        raise WrongInputError(
            f"{named_by}: {folder} is too long: SQLite opens paths of {LONGEST_PATH} bytes; name a shorter one"
        )


def _keep_work_alone(folder: Path) -> None:
    """Removes all but what the next attempt goes on from."""
    for path in folder.iterdir():
        if WORK_SUFFIX not in path.name:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Makes a folder that nobody else may read, or takes it over from a process that is gone; False where it cannot."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            opened, there = os.fstat(descriptor), folder.stat()
            # Not one that its owner was removing just now, nor one that somebody else laid ready.
            is_ours = opened.st_ino == there.st_ino and opened.st_uid == os.getuid()
        except OSError:
            is_ours = False
        yield is_ours
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors_explained(folder: Path) -> Iterator[None]:
    """NotNowError when the scratch folder's disk is full: nothing is lost, and there may be room later."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NotNowError(
            f"scratch folder {folder}: {error.strerror}; make room, or name another --work-dir"
        ) from error


@contextmanager
def _stop_signals(run: Run) -> Iterator[None]:
    """SIGTERM, the end of the terminal and the first Ctrl-C ask the stage to stop at its next pause point; a second
    Ctrl-C is immediate. Under nohup the end of the terminal means nothing."""

    def request(number: int, _frame: FrameType | None) -> None:
        run.stop_requested = True
        signal.signal(number, before[number])

    before = {int(number): signal.getsignal(number) for number in _STOP_SIGNALS}
    if before[signal.SIGHUP] is signal.SIG_IGN:
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, request)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _watched(run: Run, parameters: StageParameters, result_path: Path | None) -> Iterator[None]:
    """A stage that does not answer a stop signal is ended, though native code holds the interpreter.

    Python notes a signal in C, whatever it runs, and writes its number to a pipe; threads of the engine read it.
    """
    watching, told = os.pipe()
    os.set_blocking(told, False)
    result = None
    if result_path is not None:
        answer = _failure(parameters, run.started_at, _DEAF).model_copy(update={"finished_at": _LAST_MOMENT})
        moment = json.dumps(answer.model_dump(mode="json")["finished_at"])
        result = (str(result_path), answer.to_json().replace(moment, '"{now}"'))
    _engine.watch_signals(
        watching,
        list(_STOP_SIGNALS),
        to_answer=TO_ANSWER,
        to_save=TO_SAVE,
        exit_code=ExitCode.NOT_NOW,
        sentence=f"ringrift {parameters.stage}: {_DEAF}",
        result=result,
    )

    def answer_signal() -> None:
        with suppress(BlockingIOError):
            os.write(told, b"\0")

    run.on_answer = answer_signal
    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        run.on_answer = lambda: None
        os.close(told)
