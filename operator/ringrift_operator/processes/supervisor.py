"""Many children by name: started, looked at, stopped in order, and none left behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ringrift_core.contract import STAGE_PROGRAM, Progress, StageParameters, to_arguments
from ringrift_operator.processes.child import Child
from ringrift_operator.processes.leftovers import end_leftovers
from ringrift_operator.processes.limits import Limits

GRACE_SECONDS = 60.0
"""From SIGTERM to SIGKILL, as in a Pod."""


class Supervisor:
    """The children whose files lie in one folder."""

    def __init__(self, folder: Path, program: Sequence[str] = STAGE_PROGRAM) -> None:
        self._folder = folder
        self._program = tuple(program)
        self._children: dict[str, Child] = {}

    @property
    def children(self) -> Mapping[str, Child]:
        """All that were started and not forgotten, live or ended."""
        return MappingProxyType(self._children)

    @property
    def has_live(self) -> bool:
        return any(child.ending is None for child in self._children.values())

    def end_leftovers(self) -> int:
        """Ends children of an earlier supervisor of this folder that was killed; how many there were."""
        return end_leftovers(self._folder)

    def start(self, name: str, parameters: StageParameters, limits: Limits | None, keeps: Sequence[int] = ()) -> Child:
        """Starts a stage, which keeps the descriptors `keeps` open."""
        child = Child(self._folder, name, [*self._program, *to_arguments(parameters)], limits, keeps)
        self._children[name] = child
        return child

    def look(self) -> None:
        """Takes what is new of all of them."""
        for child in self._children.values():
            child.look()

    def progress(self) -> dict[str, Progress]:
        """The last progress of every live child, by name."""
        return {
            name: child.progress
            for name, child in self._children.items()
            if child.progress is not None and child.ending is None
        }

    def forget(self, name: str) -> None:
        """Drops an ended child; ends a live one that is no longer wanted."""
        child = self._children.pop(name, None)
        if child is None:
            return
        if child.runs:
            _stop([child])
        child.forget()

    def stop(self, is_impatient: Callable[[], bool] = lambda: False) -> None:
        """SIGTERM to all, and SIGKILL to those that are still there after a grace, or when the user is impatient."""
        _stop([child for child in self._children.values() if child.runs], is_impatient)
        for name in tuple(self._children):
            self.forget(name)


def _stop(children: Sequence[Child], is_impatient: Callable[[], bool] = lambda: False) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while any(child.runs for child in children):
        if time.monotonic() > until or is_impatient():
            for child in children:
                child.signal(signal.SIGKILL)
                child.wait()
            return
        time.sleep(0.05)
