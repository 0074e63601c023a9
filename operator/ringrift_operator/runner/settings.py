"""What a runner is told: which pool, where its cluster is, where its files lie, and at what pace it goes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from ringrift_core.contract import OBJECT_CACHE, OBJECT_CACHE_BYTES, STAGE_PROGRAM
from ringrift_operator.files import replace_file
from ringrift_operator.processes.supervisor import GRACE_SECONDS

HOME = Path("~/.ringrift-runner")
"""Where the folders of this machine's pools lie unless the user says otherwise."""


@dataclass(frozen=True)
class Pace:
    """Seconds between one thing and the next."""

    heartbeat: float = 10.0
    """Of the Leases; an operator takes a runner for lost after six of them."""
    progress: float = 5.0
    """At most so often is progress written."""
    turn: float = 0.2
    """How often processes are looked at, and what has been cancelled is."""
    retries: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    """After a write that failed; the last one again and again."""
    grace: float = GRACE_SECONDS
    """From SIGTERM to SIGKILL of a stage."""
    farewell: float = 20.0
    """For so long after its stages have ended a runner that is told to stop tries to write what became of them."""


@dataclass(frozen=True)
class Settings:
    """Of one runner."""

    pool: str
    folder: Path
    """Its lock, its name, the files of its processes, its cache."""
    kubeconfig: Path
    cache_bytes: int = 50 * 2**30
    """Of objects of a far store that are kept for the next stage."""
    program: Sequence[str] = STAGE_PROGRAM
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """For what people read. Nothing is decided by it."""

    @property
    def tasks(self) -> Path:
        return self.folder / "tasks"

    @property
    def slots(self) -> Path:
        return self.folder / "slots"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def variables(self) -> Path:
        """Variables of the stages, NAME=VALUE a line: a service has no other place for a store's credentials."""
        return self.folder / "environment"

    def read_environment(self) -> None:
        """Sets what stages are to find in their environment, unless the user has set it already."""
        lines = self.variables.read_text(encoding="utf-8").splitlines() if self.variables.exists() else []
        named = [line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#")]
        cache = {OBJECT_CACHE: str(self.folder / "objects"), OBJECT_CACHE_BYTES: str(self.cache_bytes)}
        for name, value in {**{name.strip(): value.strip() for name, _, value in named}, **cache}.items():
            os.environ.setdefault(name, value)

    def identity(self) -> str:
        """By which the pool's Lease is held: this machine's name and a number drawn once, so that a runner that is
        started anew goes on where it was, and another machine of that name does not."""
        path = self.folder / "identity"
        if not path.exists():
            host = socket.gethostname().partition(".")[0] or "runner"
            replace_file(path, f"{host}-{uuid4().hex[:8]}")
        return path.read_text(encoding="utf-8").strip()
