"""A store with games in it, and the commands on them as processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ringrift_core.archive import Archive
from ringrift_core.contract import (
    STAGE_PROGRAM,
    Board,
    EngineMode,
    ExportParameters,
    InitialWeights,
    MergeParameters,
    PromoteParameters,
    SelfplayParameters,
    StageParameters,
    Track,
    to_arguments,
)
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.stage import WORK_SUFFIX
from ringrift_core.store import Store, open_store
from tests import patience

CONFIGURATION = "square8-2p"
COMMANDS = ("selfplay", "merge", "export", "replay verify")


Ends = dict[str, dict[str, str]]
"""The store's contents after each command when nothing is broken."""


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    exit_code: int
    message: str
    """What it wrote to stderr."""


Record = Callable[[str, str, Said], None]
"""Notes what a command said of a fault, for the table."""


@dataclass
class Workshop:
    """One store, and a scratch folder that must be empty after each command."""

    uri: str
    scratch: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return open_store(self.uri)

    @property
    def archive(self) -> Archive:
        return Archive(self.store, CONFIGURATION)

    def selfplay(self, iteration: int, games: int = 40, modes: str = "random-only") -> Said:
        return self.stage(
            SelfplayParameters(
                **self._here,
                iteration=iteration,
                seed=iteration,
                games=games,
                shard="0-1/2",
                engine_modes=tuple(EngineMode(mode) for mode in modes.split(",")),
            )
        )

    def merge(self, iteration: int) -> Said:
        return self.stage(MergeParameters(**self._here, iteration=iteration))

    def export(self, iteration: int) -> Said:
        return self.stage(ExportParameters(**self._here, iteration=iteration, seed=1))

    def promote(self, expected_version: int, request_id: str) -> Said:
        """Makes hand-set weights champion."""
        weights = HeuristicWeights.of_setting(InitialWeights.BASELINE, Board.SQUARE8, 2)
        return self.stage(
            PromoteParameters(
                **self._here,
                iteration=expected_version + 1,
                track=Track.WEIGHTS,
                candidate=weights.save(self.archive),
                expected_version=expected_version,
                request_id=request_id,
            )
        )

    def verify(self) -> Said:
        return self._run(["replay", "verify", f"{self.uri}/{CONFIGURATION}"])

    def command(self, name: str) -> Said:
        """One of the four commands on games, as the cases name them: the step that is still to be done."""
        return {
            "selfplay": lambda: self.selfplay(3),
            "merge": lambda: self.merge(2),
            "export": lambda: self.export(1),
            "replay verify": self.verify,
        }[name]()

    def prepare(self) -> None:
        """Iteration 1 is merged, iteration 2 is played: every command has something to do."""
        for said in (self.selfplay(1), self.merge(1), self.selfplay(2)):
            assert said.exit_code == 0, said

    def stage(self, parameters: StageParameters) -> Said:
        return self._run(to_arguments(parameters))

    @property
    def _here(self) -> dict[str, object]:
        return {"store": self.uri, "board": Board.SQUARE8, "players": 2}

    def _run(self, arguments: list[str]) -> Said:
        self.scratch.mkdir(exist_ok=True)
        environment = os.environ | {"TMPDIR": str(self.scratch)} | self.environment
        done = subprocess.run(
            [*STAGE_PROGRAM, *arguments],
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
            env=environment,
            check=False,
        )
        return Said(done.returncode, done.stderr.strip())

    def contents(self) -> dict[str, str]:
        """SHA-256 of every value of the store, by key; clock times are left out of task records."""
        found = {}
        for key in self.store.keys(""):
            value = self.store.read(key)
            assert value is not None
            found[key] = hashlib.sha256(_timeless(key, value.content)).hexdigest()
        return found

    def leftovers(self) -> list[str]:
        """What should not be there: half-written files of the store, and scratch files but for games to go on from."""
        left = [str(path) for path in self.scratch.rglob("*") if path.is_file() and WORK_SUFFIX not in path.name]
        if self.uri.startswith("file://"):
            left += [str(path) for path in (Path(self.uri.removeprefix("file://")) / ".partial").rglob("*")]
        return left

    def wrong_objects(self) -> list[str]:
        """Objects whose content is not what their name says."""
        wrong = []
        for key in self.store.keys(f"{CONFIGURATION}/objects/"):
            value = self.store.read(key)
            assert value is not None
            if hashlib.sha256(value.content).hexdigest() != key.rpartition("/")[2].partition(".")[0]:
                wrong.append(key)
        return wrong


def _timeless(key: str, content: bytes) -> bytes:
    if "/tasks/" not in key:
        return content
    record = json.loads(content)
    for name in ("startedAt", "finishedAt", "attempt"):
        del record["result"][name]
    for artifact in record["result"].get("outputs", {}).values():
        del artifact["uri"]
    return json.dumps(record, sort_keys=True).encode()


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """An empty tmpfs of so many bytes (`512k`) at `folder`; PermissionError when this user may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run([*_rights(), "umount", "--lazy", str(folder)], check=True)


def grow_disk(folder: Path, size: str) -> None:
    """Gives a small disk more room."""
    _mount("-o", f"remount,size={size}", str(folder))


def free_bytes(disk: Path) -> int:
    """What still fits."""
    room = os.statvfs(disk)
    return room.f_bavail * room.f_bsize


def _mount(*arguments: str) -> None:
    done = subprocess.run([*_rights(), "mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"a small disk needs root or passwordless sudo: {done.stderr.strip()}")


def _rights() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def copy_store(source: Workshop, folder: Path) -> Workshop:
    """The same store elsewhere."""
    shutil.copytree(source.uri.removeprefix("file://"), folder / "store")
    return Workshop((folder / "store").as_uri(), folder / "scratch")


def copy_values(source: Store, target: Store) -> None:
    """The same values in a store of another kind."""
    for key in source.keys(""):
        value = source.read(key)
        assert value is not None
        target.put(key, value.content)
