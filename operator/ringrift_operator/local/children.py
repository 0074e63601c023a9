"""The processes of one pipeline, as the domain sees children: in the place of its Jobs and their Pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ringrift_core.contract import STAGE_PROGRAM, ExitCode
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation
from ringrift_operator.processes.child import Child
from ringrift_operator.processes.limits import Limits
from ringrift_operator.processes.supervisor import Supervisor


class Children(Supervisor):
    """A supervisor that is told of tasks, and tells of them."""

    def __init__(self, folder: Path, program: Sequence[str] = STAGE_PROGRAM) -> None:
        super().__init__(folder, program)
        self._begun: dict[str, TaskObservation] = {}
        """Each as it was when it began."""

    def begin(self, task: PlacedTask, now: datetime) -> None:
        """Starts a placed task."""
        self.start(task.name, task.parameters, None if task.slot is None else Limits.of(task.slot))
        self._begun[task.name] = TaskObservation(
            name=task.name,
            identity=task.identity,
            phase=ChildPhase.RUNNING,
            stage=task.stage,
            started_at=now,
        )

    def forget(self, name: str) -> None:
        super().forget(name)
        self._begun.pop(name, None)

    def observe(self) -> tuple[TaskObservation, ...]:
        """All of them, with what is new."""
        self.look()
        return tuple(_seen(child, self._begun[name]) for name, child in self.children.items())


def _seen(child: Child, begun: TaskObservation) -> TaskObservation:
    ending, progress = child.ending, child.progress
    if ending is not None:
        is_done = ending.exit_code == ExitCode.DONE
        return replace(
            begun,
            phase=ChildPhase.SUCCEEDED if is_done else ChildPhase.FAILED,
            exit_code=ending.exit_code,
            reason=ending.reason or "",
            result=ending.result,
            progress=None if progress is None else progress.progress,
            message=ending.message,
            finished_at=ending.at,
        )
    if progress is None:
        return replace(begun, heard_at=child.heard_at)
    return replace(begun, heard_at=child.heard_at, progress=progress.progress, message=progress.message)
