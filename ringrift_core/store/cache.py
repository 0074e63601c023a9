"""Objects of a store that is far away, kept on this machine by their SHA-256, so that none is fetched twice.

A machine that lives for one stage needs none. One that runs stage after stage (a runner) names a folder in the
environment; without it nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ringrift_core.contract import OBJECT_CACHE, OBJECT_CACHE_BYTES
from ringrift_core.errors import StoreRefusedError
from ringrift_core.store.base import CHUNK_BYTES

__all__ = ["ObjectCache"]

DEFAULT_BYTES = 50 * 2**30


@dataclass(frozen=True)
class ObjectCache:
    """Files in one folder, named by what is in them; those that were used last stay.

    It is never an error of the work that it cannot be written: then the object is fetched again.
    """

    folder: Path
    limit: int = DEFAULT_BYTES

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> ObjectCache | None:
        """The one that the environment names; StoreRefusedError when its size is no number."""
        folder, size = environment.get(OBJECT_CACHE), environment.get(OBJECT_CACHE_BYTES, str(DEFAULT_BYTES))
        if not folder:
            return None
        if not size.isdecimal():
            raise StoreRefusedError(f"{OBJECT_CACHE_BYTES}: {size!r} is no number of bytes")
        return cls(Path(folder), int(size))

    def take(self, sha256: str, path: Path) -> bool:
        """Puts an object at `path`, verified; False when it is not here. One that is damaged is dropped."""
        kept = self.folder / sha256
        path.unlink(missing_ok=True)
        try:
            with kept.open("rb") as source, path.open("wb") as file:
                digest = hashlib.sha256()
                while chunk := source.read(CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() == sha256:
                os.utime(kept)
                return True
            kept.unlink(missing_ok=True)
        except OSError:
            # Whether the cache or the place of the object is at fault, fetching it tells.
            pass
        return False

    def keep(self, sha256: str, path: Path) -> None:
        """Keeps a copy of the object at `path`, if there is room for it."""
        size = path.stat().st_size
        if size > self.limit:
            return
        partial = self.folder / f".{uuid4().hex}"
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_room(size)
            try:
                shutil.copyfile(path, partial)
                partial.replace(self.folder / sha256)
            finally:
                partial.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        """Drops what has not been used for the longest time. Stages that do so at once may drop more than they must."""
        found = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # another stage was faster
                found.append((path.stat().st_mtime, path.stat().st_size, path))
        total = sum(each for _, each, _ in found)
        for _, each, path in sorted(found):
            if total + size <= self.limit:
                return
            path.unlink(missing_ok=True)
            total -= each
