"""What `local` remembers of a pipeline between runs, beside its store: status, records, logs and what runs now.

<data>/_local/<pipeline>/
    pipeline.json        spec and status, as the API server would hold them; replaced as a whole
    iterations/*.json    one TrainingIteration per finished iteration
    events.jsonl         what happened, a line each
    tasks/<name>.log     what a stage's process said
    tasks/<name>.json    its StageResult, until it is in the status
    tasks/<name>.pid     the process, until it has ended
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from pydantic import ValidationError

from ringrift_core.contract import first_fault, read
from ringrift_operator.api.base import ObjectMeta, Resource
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline import TrainingPipeline
from ringrift_operator.api.pipeline_status import TrainingPipelineStatus
from ringrift_operator.domain.plan import Event
from ringrift_operator.domain.requests import ANNOTATIONS, RECONCILE
from ringrift_operator.files import replace_file
from ringrift_operator.processes.locks import TakenError, held

STATE_FOLDER = "_local"
"""An underscore can be in no claim's name, so this is never taken for a store."""


Written = TypeVar("Written", bound=Resource)


class LocalError(Exception):
    """Why `local` cannot go on, as a sentence for the user."""


class Folder:
    """The state of one pipeline."""

    def __init__(self, data: Path, pipeline: str) -> None:
        self.path = data / STATE_FOLDER / pipeline
        self.tasks = self.path / "tasks"
        self._state = self.path / "pipeline.json"
        self._iterations = self.path / "iterations"
        self._events = self.path / "events.jsonl"

    def load(self) -> TrainingPipeline | None:
        """The pipeline as it was last written; None before its first run. LocalError when it cannot be read."""
        return self._read(self._state, TrainingPipeline)

    def save(self, pipeline: TrainingPipeline) -> None:
        """Writes spec and status as a whole, or not at all."""
        replace_file(self._state, pipeline.model_dump_json(by_alias=True, exclude_none=True, indent=1))

    def add_record(self, record: TrainingIteration) -> None:
        """Keeps the record of an iteration. The first one written stays."""
        path = self._record(record.metadata.name)
        if not path.exists():
            replace_file(path, json.dumps(record.to_manifest(), indent=1))

    def drop_record(self, name: str) -> None:
        self._record(name).unlink(missing_ok=True)

    def records(self) -> list[TrainingIteration]:
        """Records of finished iterations, by configuration and number. LocalError when one cannot be read."""
        found = [self._read(path, TrainingIteration) for path in self._iterations.glob("*.json")]
        records = [record for record in found if record is not None]
        return sorted(records, key=lambda record: (record.spec.configuration, record.spec.iteration))

    def tell(self, now: datetime, events: Iterable[Event]) -> None:
        """Appends events."""
        with self._events.open("a", encoding="utf-8") as file:
            for event in events:
                kind = "Warning" if event.is_warning else "Normal"
                line = {"time": now.isoformat(), "type": kind, "reason": event.reason, "message": event.message}
                file.write(json.dumps(line) + "\n")

    def _record(self, name: str) -> Path:
        return self._iterations / f"{name}.json"

    def _read(self, path: Path, model: type[Written]) -> Written | None:
        """What a file of ours holds; None when there is none."""
        try:
            return read(model, path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        except ValidationError as error:
            why = f"is not a {model.__name__}: {first_fault(error)}"
        raise LocalError(f"{path} {why}; delete {self.path} to read the state from the store anew")


def taken_up(found: TrainingPipeline | None, wanted: TrainingPipeline, now: datetime) -> TrainingPipeline:
    """The pipeline to work on: the file's spec with the state found; another spec is another generation.

    To run again asks for another try of whatever waits for a pause to end, or was given up.
    """
    namespace = wanted.metadata.namespace or "local"
    annotations = {**wanted.metadata.annotations, ANNOTATIONS[RECONCILE]: now.isoformat()}
    if found is None:
        metadata = ObjectMeta(
            name=wanted.metadata.name,
            namespace=namespace,
            uid=str(uuid4()),
            generation=1,
            creation_timestamp=now,
            annotations=annotations,
        )
        return wanted.model_copy(update={"metadata": metadata, "status": TrainingPipelineStatus()})
    generation = (found.metadata.generation or 1) + int(found.spec != wanted.spec)
    metadata = found.metadata.model_copy(update={"generation": generation, "annotations": annotations})
    return found.model_copy(update={"metadata": metadata, "spec": wanted.spec})


@contextmanager
def exclusive(path: Path, what: str) -> Iterator[None]:
    """Holds a lock for the length of the block; the system frees it however the process ends. LocalError when taken."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(path))
        except TakenError as holder:
            raise LocalError(f"another `ringrift-operator local` (process {holder}) works on {what}") from None
        except OSError as error:
            raise LocalError(f"{what}: {path}: {error.strerror} (to lock a file); name another folder") from None
        yield
