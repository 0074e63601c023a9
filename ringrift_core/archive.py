"""One configuration's folder in the store: objects, task records, checkpoints (docs/store.md)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from ringrift_core.contract import (
    STAGES,
    URI_LIMIT,
    Artifact,
    Contract,
    StageParameters,
    StageResult,
    absent_values,
    digest_of,
    first_fault,
    json_bytes,
    read,
    released_0_1_0,
    set_values,
)
from ringrift_core.contract.reading import CONTRACT_VERSION, IncompatibleVersionError, Upgrade, read_versioned
from ringrift_core.errors import StoreRefusedError
from ringrift_core.store import LocalStore, ObjectCache, Store, open_store

__all__ = [
    "Archive",
    "Checkpoint",
    "TaskRecord",
    "from_stored_json",
    "identity",
    "recorded_task",
    "task_key",
    "to_stored_json",
]


class TaskRecord(Contract):
    """What a finished task left: its result, and the parameters it was done for."""

    contract_version: str = Field(default=CONTRACT_VERSION, description="Version of the contract it was written by.")
    digest: str = Field(description="SHA-256 of the parameters.")
    parameters: dict[str, Any] = Field(description="Those that were set; the others stand for what they always did.")
    result: StageResult

    def differences(self, parameters: Mapping[str, Any]) -> str:
        """What it was done for and `parameters` (of `identity`) are not: `games 100, not 400`, or nothing."""
        absent = absent_values(STAGES[self.result.stage].parameters)
        names = sorted({*parameters, *self.parameters})
        found = [
            (name, *(each.get(name, absent.get(name)) for each in (self.parameters, parameters))) for name in names
        ]
        return ", ".join(f"{name} {here}, not {there}" for name, here, there in found if here != there)


class CheckpointPointer(Contract):
    """The newest checkpoint of a running task."""

    attempt: int
    number: int
    state: Artifact
    digest: str = ""
    layout: str = Field(default="", description="SHA-256 of the names of what a state holds; empty: not told.")
    older: tuple[Artifact, ...] = Field(default=(), description="Those before it that are kept, the newest first.")


def identity(parameters: StageParameters) -> tuple[str, dict[str, Any]]:
    """SHA-256 and values of the parameters that make a task what it is: those that were set (contract/identity.py)."""
    values = set_values(parameters)
    return digest_of(values), values


def to_stored_json(model: Contract) -> bytes:
    """A model as it is written inside the store: artifacts by their names alone, without the store's address.

    So equal contents are equal bytes in every store, and a store can be copied.
    """
    return json.dumps(_without_addresses(model.model_dump(mode="json", by_alias=True)), sort_keys=True).encode()


StoredT = TypeVar("StoredT", bound=Contract)


def from_stored_json(
    model: type[StoredT], content: bytes, place: str, kind: str, upgraded: Upgrade | None = None
) -> StoredT:
    """Reads a model back, whatever a later version added to it; of one with versions, `upgraded` reads 0.1.0's.

    StoreRefusedError names the place, and what was expected there with the first fault, or the version that it needs.
    """
    try:
        return read(model, content) if upgraded is None else read_versioned(model, content, upgraded)
    except ValidationError as error:
        raise StoreRefusedError(f"{place}: not {kind}: {first_fault(error)}") from error
    except IncompatibleVersionError as error:
        raise StoreRefusedError(f"{place}: {error}") from error


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"uri", "sha256", "bytes"}:
            return {**value, "uri": "objects/" + value["uri"].rpartition("/")[2]}
        return {name: _without_addresses(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_addresses(inner) for inner in value]
    return value


def task_key(iteration: int, task: str) -> str:
    """`tasks/i0001/train`, without an extension."""
    return f"tasks/i{iteration:04d}/{task}"


def recorded_task(key: str) -> tuple[int, str] | None:
    """Iteration and name of the task whose record lies under a key of a store, or of a configuration; None for others.

    A checkpoint is no record.
    """
    match = re.search(r"(?:^|/)tasks/i(\d+)/([^/.]+)\.json$", key)
    return (int(match.group(1)), match.group(2)) if match else None


class Archive:
    """Objects and records of one configuration."""

    def __init__(self, store: Store, configuration: str) -> None:
        self.store = store
        self.configuration = configuration

    @classmethod
    def of(cls, parameters: StageParameters) -> Archive:
        """The folder that `parameters` name."""
        return cls(open_store(parameters.store), parameters.configuration)

    def key(self, name: str) -> str:
        """The store's key of a name inside this folder."""
        return f"{self.configuration}/{name}"

    def put_file(self, path: Path, extension: str) -> Artifact:
        """Stores a file under its SHA-256."""
        artifact = self._artifact(_sha256(path), extension, path.stat().st_size)
        self.store.upload(self._object_key(artifact), path)
        return artifact

    def put_bytes(self, content: bytes, extension: str) -> Artifact:
        """Stores bytes under their SHA-256."""
        artifact = self._artifact(hashlib.sha256(content).hexdigest(), extension, len(content))
        self.store.put(self._object_key(artifact), content)
        return artifact

    def put_json(self, value: Any) -> Artifact:
        """Stores a JSON value; equal values make equal objects."""
        return self.put_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), "json")

    def put_model(self, model: Contract) -> Artifact:
        """Stores a model as JSON."""
        return self.put_bytes(to_stored_json(model), "json")

    def addressed(self, artifact: Artifact) -> Artifact:
        """An artifact as read from inside the store, with its full URI."""
        return artifact.model_copy(update={"uri": self._uri(self._object_key(artifact))})

    def get_bytes(self, artifact: Artifact) -> bytes:
        """A small object's content; StoreRefusedError when it is missing or not what its SHA-256 says."""
        found = self.store.read(self._object_key(artifact))
        if found is None:
            raise self._absent(artifact)
        self._check(artifact, hashlib.sha256(found.content).hexdigest(), len(found.content))
        return found.content

    def get_file(self, artifact: Artifact, folder: Path) -> Path:
        """The object as a file, read-only and verified: the store's own where it is a folder, else a copy.

        A folder too deep for SQLite is copied from, too.
        """
        key = self._object_key(artifact)
        store = self.store
        if isinstance(store, LocalStore) and (place := store.in_place(key)) is not None:
            path = place
            found = store.digest(key)
        else:
            path = folder / key.rpartition("/")[2]
            found = _sha256(path) if path.exists() else None
            if found != artifact.sha256:
                found = self._fetched(artifact.sha256, key, path)
        if found is None:
            raise self._absent(artifact)
        self._check(artifact, found, path.stat().st_size)
        return path

    def _fetched(self, sha256: str, key: str, path: Path) -> str | None:
        """Writes an object to the file `path`, from this machine's cache if it is there; its SHA-256, or None."""
        cache = ObjectCache.of_environment()
        if cache is not None and cache.take(sha256, path):
            return sha256
        found = self.store.download(key, path)
        if cache is not None and found == sha256:
            cache.keep(sha256, path)
        return found

    def delete(self, artifact: Artifact) -> None:
        """Removes an object that nothing refers to any more."""
        self.store.delete(self._object_key(artifact))

    def check_writable(self, name: str) -> None:
        """StoreError when `name`, or an object, could not be written: better heard before the work than after it."""
        self.store.check_writable(self.key(name), self.key("objects/probe"))

    def record(self, iteration: int, task: str) -> TaskRecord | None:
        """The record of a finished task, or None."""
        key = self.key(task_key(iteration, task) + ".json")
        found = self.store.read(key)
        if found is None:
            return None
        place = f"record {self.store.uri}/{key}"
        return from_stored_json(TaskRecord, found.content, place, "a task record", released_0_1_0.record)

    def finished(self, iteration: int, task: str, parameters: StageParameters) -> StageResult | None:
        """The result of a finished task; StoreRefusedError when it was done for other parameters."""
        record = self.record(iteration, task)
        if record is None:
            return None
        digest, values = identity(parameters)
        if record.digest != digest:
            raise StoreRefusedError(
                f"{self.key(task_key(iteration, task))}.json in {self.store.uri} was finished for "
                f"{record.differences(values)}: ask for the same parameters, or take another store"
            )
        return record.result.model_copy(update={"attempt": parameters.attempt})

    def finish(self, iteration: int, task: str, parameters: StageParameters, result: StageResult) -> StageResult:
        """Records a finished task; when another attempt was first, its result is the one that counts."""
        digest, values = identity(parameters)
        record = TaskRecord(digest=digest, parameters=values, result=result)
        key = self.key(task_key(iteration, task) + ".json")
        content = record.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode()
        if self.store.create(key, content):
            return result
        first = self.finished(iteration, task, parameters)
        assert first is not None
        return first

    def tasks(self, prefix: str = "") -> Iterator[tuple[int, str]]:
        """Iteration and name of every recorded task whose key begins with `tasks/` + prefix, in order."""
        for key in self.store.keys(self.key("tasks/" + prefix)):
            task = recorded_task(key)
            if task is not None:
                yield task

    def iterations(self) -> list[int]:
        """Iterations that have tasks, finished or begun, in order: one listing, however many tasks they have."""
        names = self.store.folders(self.key("tasks/"))
        return sorted(int(name[1:]) for name in names if re.fullmatch(r"i\d+", name))

    def _artifact(self, sha256: str, extension: str, size: int) -> Artifact:
        key = self.key(f"objects/{sha256}.{extension}")
        return Artifact(uri=self._uri(key), sha256=sha256, bytes=size)

    def _uri(self, key: str) -> str:
        """Where an object is; of a store with a long address its name alone, as inside the store."""
        uri = f"{self.store.uri}/{key}"
        return uri if json_bytes(uri) <= URI_LIMIT else "objects/" + key.rpartition("/")[2]

    def _object_key(self, artifact: Artifact) -> str:
        # By name, not by URI: a store keeps working when it is copied or mounted elsewhere.
        return self.key("objects/" + artifact.uri.rpartition("/")[2])

    def _absent(self, artifact: Artifact) -> StoreRefusedError:
        return StoreRefusedError(f"artifact {artifact.uri} is not in store {self.store.uri}")

    def _check(self, artifact: Artifact, sha256: str, size: int) -> None:
        if sha256 != artifact.sha256:
            raise StoreRefusedError(f"artifact {artifact.uri} is damaged: SHA-256 {sha256}, expected {artifact.sha256}")
        if size != artifact.bytes:
            raise StoreRefusedError(f"artifact {artifact.uri} has {size} bytes, expected {artifact.bytes}")


class Checkpoint:
    """The state of a running task, moved by compare-and-swap with the attempt number.

    `digest` (of `identity`) is the task's: a state that was saved for other parameters is none of it. Nor is one that
    holds other things, as a version of this program before or after this one may have saved: the task begins anew.
    """

    def __init__(
        self,
        archive: Archive,
        iteration: int,
        task: str,
        attempt: int,
        digest: str = "",
        keep: int = 1,
        layout: Iterable[str] = (),
    ) -> None:
        """`keep`: states that stay, the newest among them; `layout`: names of what a state holds, if it can change."""
        self._archive = archive
        self._digest = digest
        names = dict.fromkeys(layout, True)
        self._layout = digest_of(names) if names else ""
        self._key = archive.key(task_key(iteration, task) + ".checkpoint.json")
        self._attempt = attempt
        self._keep = keep

    def load(self) -> Artifact | None:
        """The newest state, or None when the task never saved any."""
        pointer, _ = self._read()
        return pointer.state if pointer is not None and self._is_ours(pointer) else None

    def load_bytes(self) -> bytes | None:
        """The newest state that can be read, or None when the task never saved any; StoreRefusedError of the newest one
        when none can."""
        pointer, _ = self._read()
        if pointer is None or not self._is_ours(pointer):
            return None
        faults: list[StoreRefusedError] = []
        for state in (pointer.state, *pointer.older):
            try:
                return self._archive.get_bytes(state)
            except StoreRefusedError as fault:
                faults.append(fault)
        raise faults[0]

    def save(self, state: bytes | Path, extension: str) -> None:
        """Stores `state`, or the file there, as the newest; StoreRefusedError when a later attempt has saved one."""
        store = self._archive.store
        while True:
            pointer, version = self._read()
            if pointer is not None and pointer.attempt > self._attempt:
                raise StoreRefusedError(
                    f"checkpoint {self._key}: attempt {pointer.attempt} has taken over from attempt {self._attempt}"
                )
            put_file, put_bytes = self._archive.put_file, self._archive.put_bytes
            artifact = put_file(state, extension) if isinstance(state, Path) else put_bytes(state, extension)
            number = 1 if pointer is None else pointer.number + 1
            before = () if pointer is None else (pointer.state, *pointer.older)
            others = tuple(state for state in before if state.sha256 != artifact.sha256)
            kept = self._keep - 1 if pointer is not None and self._is_ours(pointer) else 0
            older, gone = others[:kept], others[kept:]
            moved = CheckpointPointer(
                attempt=self._attempt,
                number=number,
                state=artifact,
                digest=self._digest,
                layout=self._layout,
                older=older,
            )
            if store.swap(self._key, moved.model_dump_json(by_alias=True).encode(), version):
                for state_gone in gone:
                    self._archive.delete(state_gone)
                return

    def clear(self) -> None:
        """Removes pointer and states, once the task is recorded as finished."""
        pointer, _ = self._read()
        if pointer is not None:
            self._archive.store.delete(self._key)
            for state in (pointer.state, *pointer.older):
                self._archive.delete(state)

    def _is_ours(self, pointer: CheckpointPointer) -> bool:
        # What was saved before there were digests and layouts names none.
        return pointer.digest in ("", self._digest) and pointer.layout in ("", self._layout)

    def _read(self) -> tuple[CheckpointPointer | None, str | None]:
        found = self._archive.store.read(self._key)
        if found is None:
            return None, None
        place = f"checkpoint {self._archive.store.uri}/{self._key}"
        kind = "a checkpoint's pointer (delete it to begin the task anew)"
        return from_stored_json(CheckpointPointer, found.content, place, kind), found.version


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
