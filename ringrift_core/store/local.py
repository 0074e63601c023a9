"""The store in a folder, on any file system that can rename and lock."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ringrift_core.errors import StoreAwayError, StoreRefusedError
from ringrift_core.files import is_too_long, new_file
from ringrift_core.store.base import CHUNK_BYTES, Store, Versioned
from ringrift_core.store.probe import check_promises, probe_key

__all__ = ["LocalStore"]

_ONE_AT_A_TIME = threading.Lock()
"""POSIX locks, where there are no others, do not tell a process's threads apart."""


class LocalStore(Store):
    """A folder. Half-written files lie in `.partial`, locks in `.locks`; neither is ever listed."""

    exclusive_create = "exclusive making of files"
    compare_and_swap = "locking of files"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = root.as_uri().rstrip("/")

    def read(self, key: str) -> Versioned | None:
        with self._explained(key, "read a file"):
            try:
                content = self.path(key).read_bytes()
            except FileNotFoundError:
                return None
        return Versioned(content, hashlib.sha256(content).hexdigest())

    def put(self, key: str, content: bytes) -> None:
        with self._written(key, lambda file: file.write(content)) as partial:
            self._place(key, partial)

    def create(self, key: str, content: bytes) -> bool:
        with self._written(key, lambda file: file.write(content)) as partial:
            try:
                os.link(partial, self.path(key))
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno in _AWAY:
                    raise self._failure(key, "link a file", error) from error
            else:
                return True
            # Azure Files, exFAT and many FUSE mounts have no hard links. Renaming replaces, so the lock excludes.
            with self._lock(key):
                if os.path.lexists(self.path(key)):
                    return False
                self._place(key, partial)
        return True

    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        if version is None:
            return self.create(key, content)
        with self._lock(key):
            current = self.read(key)
            if current is None or current.version != version:
                return False
            self.put(key, content)
        return True

    def upload(self, key: str, path: Path) -> None:
        def copy(file: BinaryIO) -> None:
            with path.open("rb") as source:
                shutil.copyfileobj(source, file, CHUNK_BYTES)

        with self._written(key, copy) as partial:
            self._place(key, partial)

    def download(self, key: str, path: Path) -> str | None:
        with self._explained(key, "read a file"):
            try:
                source = self.path(key).open("rb")
            except FileNotFoundError:
                return None
        digest = hashlib.sha256()
        with source, path.open("wb") as file:
            while chunk := self._chunk(key, source):
                digest.update(chunk)
                file.write(chunk)
        return digest.hexdigest()

    def digest(self, key: str) -> str | None:
        """SHA-256 of the value where it lies, or None when the key is absent."""
        with self._explained(key, "read a file"):
            try:
                with self.path(key).open("rb") as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
            except FileNotFoundError:
                return None

    def delete(self, key: str) -> bool:
        with self._explained(key, "delete a file"):
            try:
                self.path(key).unlink(missing_ok=True)
            except OSError as error:
                if error.errno in _AWAY:
                    raise
                return False
        return True

    def check_writable(self, *keys: str) -> None:
        for key in {key.rpartition("/")[0]: key for key in keys}.values():
            self._check_folder(key)
        for configuration in dict.fromkeys(key.partition("/")[0] for key in keys):
            with probe_key(self, configuration) as probe:
                try:
                    check_promises(self, probe)
                    self._check_lock(probe)
                finally:
                    _discard(self._lock_path(probe))
            self.folders(f"{configuration}/")

    def keys(self, prefix: str) -> Iterator[str]:
        folder, _, start = prefix.rpartition("/")
        top = self.root / folder
        found = []
        with self._explained(prefix, "list a folder"):
            for directory, folders, names in os.walk(top, onerror=_raise_but_absent):
                folders[:] = [name for name in folders if not name.startswith(".")]
                inside = Path(directory).relative_to(self.root).as_posix()
                keys = (name if inside == "." else f"{inside}/{name}" for name in names if not name.startswith("."))
                found += [key for key in keys if key.startswith(prefix)]
                if start and directory == str(top):
                    folders[:] = [name for name in folders if name.startswith(start)]
        yield from sorted(found)

    def folders(self, prefix: str) -> list[str]:
        with self._explained(prefix, "list a folder"):
            try:
                with os.scandir(self.root / prefix) as entries:
                    return sorted(one.name for one in entries if one.is_dir() and not one.name.startswith("."))
            except FileNotFoundError:
                return []

    def path(self, key: str) -> Path:
        """Where the value of `key` lies; StoreRefusedError for a key that would leave the folder."""
        if any(part in ("", ".", "..") or part.startswith(".") for part in key.split("/")):
            raise StoreRefusedError(f"key {key!r}: empty or dotted parts are not allowed")
        return self.root / key

    def in_place(self, key: str) -> Path | None:
        """Where the value of `key` lies, for programs to read it there; None where its path is too long for SQLite."""
        path = self.path(key)
        return None if is_too_long(path) else path

    @contextmanager
    def _written(self, key: str, fill: Callable[[BinaryIO], object]) -> Iterator[Path]:
        """A new file, filled and closed, in the same file system; removed at the end unless it was renamed.

        Closed, because some file systems send what was written then, and rename no file that is open.
        """
        folder = self.root / ".partial"
        path = self.path(key)
        with self._explained(key, "make a folder"):
            folder.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained(key, "make a file"):
            descriptor, partial = new_file(folder)
        try:
            with self._explained(key, "write a file"), os.fdopen(descriptor, "wb") as file:
                fill(file)
                _flush(file)
            yield partial
        finally:
            _discard(partial)

    def _place(self, key: str, partial: Path) -> None:
        """Gives a written file its name."""
        path = self.path(key)
        with self._explained(key, "rename a file over another" if os.path.lexists(path) else "rename a file"):
            partial.replace(path)

    def _chunk(self, key: str, source: BinaryIO) -> bytes:
        with self._explained(key, "read a file"):
            return source.read(CHUNK_BYTES)

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        with _ONE_AT_A_TIME, self._lock_file(key) as descriptor:
            with self._explained(key, "lock a file"):
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                except OSError as error:
                    if error.errno in _AWAY:
                        raise
                    fcntl.lockf(descriptor, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _lock_file(self, key: str) -> Iterator[int]:
        with self._explained(key, "make a folder"):
            self._lock_path(key).parent.mkdir(parents=True, exist_ok=True)
        with self._explained(key, "make a file"):
            descriptor = os.open(self._lock_path(key), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _lock_path(self, key: str) -> Path:
        return self.root / ".locks" / hashlib.sha256(key.encode()).hexdigest()

    def _check_folder(self, key: str) -> None:
        """StoreError when no file could be placed where `key` lies: its folder may be another user's, or a mount."""
        with self._written(key, lambda file: file.write(b"")) as partial:
            there = self.path(key).with_name(f".{partial.name}")
            with self._explained(key, "rename a file"):
                partial.replace(there)
                there.replace(partial)

    def _check_lock(self, key: str) -> None:
        """StoreRefusedError where a lock that is held is given to a second."""
        with self._lock(key), self._lock_file(key) as second:
            try:
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                # Held, as it should be; or there are POSIX locks alone, which one process cannot try.
                return
        raise StoreRefusedError(
            f"store {self.uri}: a lock that is held is given to a second one, and of two promotions at once one would "
            "be lost; take a file system whose locks exclude (docs/store.md)"
        )

    @contextmanager
    def _explained(self, key: str, operation: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failure(key, operation, error) from error

    def _failure(self, key: str, operation: str, error: OSError) -> StoreAwayError | StoreRefusedError:
        what = f"store {self.uri}, {key}"
        if error.errno in _AWAY:
            return StoreAwayError(f"{what}: {error.strerror or error}")
        return StoreRefusedError(f"{what}: {error.strerror or error} (to {operation})")


_AWAY = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EDQUOT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.ENOTCONN,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)
"""What passes by itself: a full disk, a server of files that is away. Anything else is the same tomorrow."""

_NO_FLUSH = frozenset({errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})
"""What file systems say that have no fsync."""


def _flush(file: BinaryIO) -> None:
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        # Then closing is all that there is.
        if error.errno not in _NO_FLUSH:
            raise


def _discard(file: Path) -> None:
    """Removes a file of our own if it is there; where nothing can be deleted, one such file is kept in its folder."""
    try:
        file.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            file.replace(file.with_name("unwanted"))


def _raise_but_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
