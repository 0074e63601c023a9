"""Rows as NPZ files: written a shard at a time, while the next one is being encoded."""

from __future__ import annotations

import zipfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ringrift_core.archive import Archive
from ringrift_core.dataset.manifest import DatasetShard

__all__ = ["ROWS_PER_SHARD", "Columns", "ShardWriter", "write_npz"]

ROWS_PER_SHARD = 32768
"""Rows of a file: at most about 150 MB in memory, on the largest board."""

LEVEL = 1
"""Of deflate: a third of the usual level's time, for files a quarter larger."""

Columns = dict[str, NDArray[Any]]


class ShardWriter:
    """Collects rows and stores every ROWS_PER_SHARD of them as a shard; `shards` is complete once it is left."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self.shards: list[DatasetShard] = []
        self._archive, self._path = archive, folder / "rows.npz"
        self._waiting: list[Columns] = []
        self._rows = 0
        self._thread = ThreadPoolExecutor(1)
        self._pending: Future[DatasetShard] | None = None

    @property
    def rows(self) -> int:
        """Rows of all shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(shard.artifact.bytes for shard in self.shards)

    def add(self, columns: Columns) -> None:
        """Takes rows; they may be written later."""
        self._waiting.append(columns)
        self._rows += len(columns["games"])
        if self._rows >= ROWS_PER_SHARD:
            self._store()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stores what is waiting; nothing more after an error."""
        try:
            if error is None:
                if self._rows:
                    self._store()
                self._finish()
        finally:
            self._thread.shutdown()

    def _store(self) -> None:
        self._finish()
        parts, rows = self._waiting, self._rows
        self._waiting, self._rows = [], 0
        self._pending = self._thread.submit(self._write, parts, rows)

    def _finish(self) -> None:
        """Waits for the shard that is being written: no more than two are in memory."""
        if self._pending is not None:
            self.shards.append(self._pending.result())
            self._pending = None

    def _write(self, parts: list[Columns], rows: int) -> DatasetShard:
        write_npz(self._path, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
        artifact = self._archive.put_file(self._path, "npz")
        self._path.unlink()
        return DatasetShard(rows=rows, artifact=artifact)


def write_npz(path: Path, columns: Columns) -> None:
    """As `numpy.savez_compressed`, faster; equal columns make equal bytes (with the same zlib)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as file:
        for name, column in columns.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, column, allow_pickle=False)
