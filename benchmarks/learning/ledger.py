"""What a run of many pieces has taken, though any of them may be killed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.core_seconds import core_seconds_of


@dataclass(frozen=True)
class Spent:
    """Time that was taken, by pieces of work that were killed as well."""

    wall: float = 0.0
    """Seconds."""
    core: float = 0.0
    """Core-seconds."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.core + other.core)


class Ledger:
    """Time by kind of work, in a file that a kill loses a second of."""

    def __init__(self, path: Path) -> None:
        self._path = path
        kept = json.loads(path.read_text()) if path.exists() else {}
        self.by_work: dict[str, Spent] = {name: Spent(**spent) for name, spent in kept.items()}
        self._under_way: str | None = None
        self._cores: dict[int, float] = {}
        """Core-seconds of each process under way."""
        self._began = self._seen = self._written = time.monotonic()

    @property
    def total(self) -> Spent:
        """Of all work."""
        return sum(self.by_work.values(), Spent())

    def beat(self, work: str, processes: Sequence[int]) -> None:
        """Notes, once a second, what processes under way have taken so far."""
        self._seen = time.monotonic()
        if self._under_way is None:
            self._began = self._written = self._seen
            self._under_way, self._cores = work, {}
        for process in processes:
            self._cores[process] = max(self._cores.get(process, 0.0), core_seconds_of(process))
        if self._seen - self._written >= 1:
            self._write()

    def book(self) -> None:
        """After the end of what was under way."""
        if self._under_way is not None:
            self.by_work = self._with_under_way()
            self._under_way = None
            self._write()

    @contextmanager
    def timed(self, work: str) -> Iterator[None]:
        """Books what this process does in the block."""
        began, core = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            spent = Spent(time.monotonic() - began, time.process_time() - core)
            self.by_work[work] = self.by_work.get(work, Spent()) + spent
            self._write()

    def _with_under_way(self) -> dict[str, Spent]:
        if self._under_way is None:
            return self.by_work
        spent = Spent(self._seen - self._began, sum(self._cores.values()))
        return {**self.by_work, self._under_way: self.by_work.get(self._under_way, Spent()) + spent}

    def _write(self) -> None:
        self._written = time.monotonic()
        write_json(self._path, {name: asdict(spent) for name, spent in self._with_under_way().items()})


def write_json(path: Path, value: Any) -> None:
    """As a whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=1) + "\n")
    partial.replace(path)
