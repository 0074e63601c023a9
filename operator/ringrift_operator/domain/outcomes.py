"""What the end of a try means: done, again later, a failure that counts, or the end of trying (design.md section 3)."""

from __future__ import annotations

import enum
import signal
from collections.abc import Iterable
from dataclasses import dataclass

from ringrift_core.contract import EvidenceResult, ExitCode, PointerResult
from ringrift_operator.domain.recipe import Handling
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation


class OutcomeKind(enum.Enum):
    DONE = enum.auto()
    NOT_NOW = enum.auto()
    """Again after a pause; counts as no attempt."""
    FAILED = enum.auto()
    """Counts as an attempt."""
    HOPELESS = enum.auto()
    """Not tried again: the input is wrong, or training diverged."""
    SUPERSEDED = enum.auto()
    """Not tried again, and nobody's failure: somebody else moved the champion's pointer before it could."""


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: OutcomeKind
    message: str = ""


def outcome_of(task: TaskObservation, handling: Handling) -> Outcome:
    """Reads an ended try. ValueError while it is live."""
    if task.is_live:
        raise ValueError(f"{task.name} is {task.phase.value}: it has no outcome yet")
    if task.phase == ChildPhase.LOST:
        return Outcome(OutcomeKind.NOT_NOW, task.message or f"pool {task.identity.pool} was lost")
    if task.phase == ChildPhase.SUCCEEDED:
        return _of_success(task, handling)
    said = task.message or task.reason
    match task.exit_code:
        case ExitCode.WRONG_INPUT if task.result is not None and isinstance(task.result.result, PointerResult):
            return Outcome(OutcomeKind.SUPERSEDED, said)
        case ExitCode.WRONG_INPUT | ExitCode.DIVERGED:
            return Outcome(OutcomeKind.HOPELESS, said)
        case ExitCode.NOT_NOW | ExitCode.HELD:
            return Outcome(OutcomeKind.NOT_NOW, said)
        case None:
            return Outcome(OutcomeKind.FAILED, said or "it ended without a word")
        case code:
            return Outcome(OutcomeKind.FAILED, f"exit code {code}: {_why(task, code)}")


_FIRST_SIGNAL_CODE = 128
"""A shell, and a container, give a process that a signal ended 128 + its number."""

_SIGNALS = {
    signal.SIGHUP: "the terminal it ran in has gone",
    signal.SIGINT: "it was interrupted",
    signal.SIGILL: "this CPU lacks an instruction that it needs: use another machine, or a build for this one",
    signal.SIGABRT: "native code gave up: it found something impossible, or got no memory",
    signal.SIGBUS: "memory that it had mapped was not there: a full disk, a full /dev/shm, a file cut meanwhile",
    signal.SIGFPE: "native code divided by zero",
    signal.SIGKILL: "it was killed: by the kernel for want of memory, or by somebody",
    signal.SIGSEGV: "native code crashed",
    signal.SIGPIPE: "what read its output has gone",
    signal.SIGTERM: "it was told to end before it could save",
    signal.SIGXCPU: "it took more CPU time than its limit (ulimit -t)",
    signal.SIGXFSZ: "it wrote a larger file than its limit (ulimit -f)",
    signal.SIGSYS: "a system call is forbidden here (seccomp)",
}
"""What ends a process by each signal."""


def _why(task: TaskObservation, code: int) -> str:
    """What is known of a failure: the platform's or the stage's words, and what a signal means."""
    said = task.message or task.reason
    number = code - _FIRST_SIGNAL_CODE
    # Who ended it has said why.
    if task.reason or number not in signal.valid_signals():
        return said or "it ended without a word"
    name = signal.Signals(number)
    means = f"{_SIGNALS[name]} ({name.name})" if name in _SIGNALS else f"it was ended by {name.name}"
    return f"{means}: {said}" if said else means


def _of_success(task: TaskObservation, handling: Handling) -> Outcome:
    """Exit 0 is not enough where the next steps need what the stage answers or leaves."""
    if not handling.needs_result:
        return Outcome(OutcomeKind.DONE, task.message)
    if task.result is None or task.result.stage != task.stage or task.result.result is None:
        return Outcome(OutcomeKind.FAILED, f"{task.stage} exited 0 without a valid result")
    if isinstance(task.result.result, EvidenceResult) and task.result.result.refused:
        # Games that are no evidence make no candidate and no verdict, and to play them again would change nothing.
        return Outcome(OutcomeKind.DONE, task.result.message)
    output = handling.facts.output
    if handling.needs_output and output not in task.result.outputs:
        return Outcome(OutcomeKind.FAILED, f"{task.stage} exited 0 without the output {output!r}")
    if handling.needs_verdict and task.result.verdict is None:
        return Outcome(OutcomeKind.FAILED, f"{task.stage} exited 0 without a verdict")
    return Outcome(OutcomeKind.DONE, task.result.message)


def worst_exit_code(codes: Iterable[int]) -> int | None:
    """The one that decides over several indexes: hopeless before failed before not now; None of none."""

    def severity(code: int) -> int:
        if code in (ExitCode.WRONG_INPUT, ExitCode.DIVERGED):
            return 3
        if code == ExitCode.NOT_NOW:
            return 1
        return 0 if code == ExitCode.DONE else 2

    return max(codes, key=severity, default=None)
