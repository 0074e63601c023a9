"""One run of `local`, from the lock to the last word: starts, shows, stops cleanly, says how to go on."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from ringrift_core.contract import STAGE_PROGRAM
from ringrift_operator.api.check import problems_of_change
from ringrift_operator.api.pipeline import TrainingPipeline
from ringrift_operator.api.pipeline_status import PipelinePhase, TrainingPipelineStatus
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from ringrift_operator.domain.snapshot import PoolObservation
from ringrift_operator.local.children import Children
from ringrift_operator.local.folder import Folder, LocalError, exclusive, taken_up
from ringrift_operator.local.reconcile import Local, giving_back, turn
from ringrift_operator.local.show import Show
from ringrift_operator.local.stores import is_gone, local_store, lock_of, shown
from ringrift_operator.telling.pipelines import failed_tracks

SECONDS_BETWEEN_TURNS = 0.1
SECONDS_TO_GIVE_BACK = 30.0
"""A store that does not answer keeps its claim, which is ours for the next run, and anybody's in an hour."""


@dataclass(slots=True)
class Interrupts:
    """Ctrl-C and SIGTERM, counted: the first asks to stop, the second not to wait. The end of the terminal asks once,
    however often it is told, and never under nohup."""

    count: int = 0

    @contextmanager
    def caught(self) -> Iterator[None]:
        def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature is the system's
            if number != signal.SIGHUP or not self.count:
                self.count += 1

        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(slots=True)
class Session:
    """What to run, and with what."""

    pipelines: Sequence[TrainingPipeline]
    pools: tuple[PoolObservation, ...]
    data: Path
    show: Show
    program: Sequence[str] = STAGE_PROGRAM
    recipes: Recipes = SHIPPED
    interrupts: Interrupts = field(default_factory=Interrupts)

    def run(self) -> int:
        """Works until all pipelines are complete, at a standstill, or somebody stops it; the exit status."""
        with ExitStack() as held:
            for lock, what in self._locks().items():
                held.enter_context(exclusive(lock, what))
            locals_ = [self._take_up(pipeline) for pipeline in self.pipelines]
            for local in locals_:
                self.show.begins(local)
            if all(self._is_complete(local) for local in locals_):
                self.show.ends(locals_, was_complete=True)
                return _exit_status(locals_)
            with self.interrupts.caught(), self.show.running(locals_):
                self._work(locals_)
            if self.interrupts.count:
                self.show.stopped()
                return 130
            self.show.ends(locals_)
            return _exit_status(locals_)

    def _locks(self) -> dict[Path, str]:
        """What nobody else may work on meanwhile. Pipelines of one file may share a store."""
        stores = {local_store(pipeline.spec.artifacts, self.data) for pipeline in self.pipelines}
        names = [pipeline.metadata.name for pipeline in self.pipelines]
        return {
            **{Folder(self.data, name).path / "lock": f"pipeline {name}" for name in names},
            **{lock_of(store, self.data): f"the store {shown(store)}" for store in sorted(stores)},
        }

    def _take_up(self, wanted: TrainingPipeline) -> Local:
        local = found(wanted, self.data, datetime.now(UTC), self.program, self.recipes)
        local.folder.save(local.pipeline)
        local.processes.end_leftovers()
        return local

    def _is_complete(self, local: Local) -> bool:
        """Whether the state found is that of a completed pipeline and the spec asks for no more."""
        metadata, status = local.pipeline.metadata, local.pipeline.status
        return status.phase == PipelinePhase.COMPLETED and status.observed_generation == metadata.generation

    def _work(self, locals_: Sequence[Local]) -> None:
        try:
            while not self.interrupts.count:
                turn(locals_, self.pools, self.show.tell)
                self.show.update(locals_)
                if all(local.is_at_rest for local in locals_):
                    return
                time.sleep(SECONDS_BETWEEN_TURNS)
            self.show.stopping()
        finally:
            for local in locals_:
                local.processes.stop(lambda: self.interrupts.count > 1)
            self._give_back(locals_)

    def _give_back(self, locals_: Sequence[Local]) -> None:
        """Gives the claims of the stores back, so that whoever is next need not wait."""
        until = time.monotonic() + SECONDS_TO_GIVE_BACK
        for local in locals_:
            for name, parameters in giving_back(local).items():
                local.processes.start(name, parameters, None)
        while any(local.processes.has_live for local in locals_):
            if self.interrupts.count > 1 or time.monotonic() > until:
                break
            time.sleep(0.05)
            for local in locals_:
                local.processes.look()
        for local in locals_:
            local.processes.stop(lambda: True)


def found(
    wanted: TrainingPipeline,
    data: Path,
    now: datetime,
    program: Sequence[str] = STAGE_PROGRAM,
    recipes: Recipes = SHIPPED,
) -> Local:
    """The pipeline of a file with the state found of it; nothing is written. LocalError when it cannot go on so."""
    store = local_store(wanted.spec.artifacts, data)
    folder = Folder(data, wanted.metadata.name)
    known = folder.load()
    if known is not None:
        # Nothing runs while `local` does not, so any configuration may leave.
        before = known.model_copy(update={"status": TrainingPipelineStatus()})
        if refused := problems_of_change(wanted, before):
            raise LocalError("\n".join(map(str, refused)))
        # A status without its store would tell of games and champions that are gone.
        known = before if is_gone(store) else known
    processes = Children(folder.tasks, program)
    return Local(taken_up(known, wanted, now), store, folder, processes, folder.records(), recipes=recipes)


def _exit_status(locals_: Sequence[Local]) -> int:
    """0 where all pipelines ended well: suspended, or complete without a track that failed in the last iteration."""
    is_well = (
        local.phase == PipelinePhase.SUSPENDED
        or (local.phase == PipelinePhase.COMPLETED and not failed_tracks(local.pipeline.status))
        for local in locals_
    )
    return 0 if all(is_well) else 1
