"""What the end of a try means: done, again later, a failure that counts, or the end of trying (design.md section 3)."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from ringrift_core.contract import ExitCode
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
    said = task.message or task.reason or "no reason given"
    match task.exit_code:
        case ExitCode.WRONG_INPUT | ExitCode.DIVERGED:
            return Outcome(OutcomeKind.HOPELESS, said)
        case ExitCode.NOT_NOW:
            return Outcome(OutcomeKind.NOT_NOW, said)
        case None:
            return Outcome(OutcomeKind.FAILED, said)
        case code:
            return Outcome(OutcomeKind.FAILED, f"exit code {code}: {said}")


def _of_success(task: TaskObservation, handling: Handling) -> Outcome:
    """Exit 0 is not enough where the next steps need what the stage answers or leaves."""
    if not handling.needs_result:
        return Outcome(OutcomeKind.DONE, task.message)
    if task.result is None or task.result.stage != task.stage or task.result.result is None:
        return Outcome(OutcomeKind.FAILED, f"{task.stage} exited 0 without a valid result")
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
