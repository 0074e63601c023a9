"""What every store can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

__all__ = ["CHUNK_BYTES", "Store", "Versioned"]

CHUNK_BYTES = 1 << 20
"""How much of a large content is in memory at a time."""


@dataclass(frozen=True)
class Versioned:
    """A value as it was read, and the version that `swap` wants back."""

    content: bytes
    version: str


class Store(ABC):
    """Bytes under keys. Keys are relative paths with `/`; none of their parts begins with a dot."""

    uri: str
    """Root URI, without a slash at the end."""

    exclusive_create: ClassVar[str]
    """What `create` rests on, by the name that whoever runs the store knows it by."""

    compare_and_swap: ClassVar[str]
    """What `swap` rests on."""

    @abstractmethod
    def read(self, key: str) -> Versioned | None:
        """The value under `key` with its version, or None when there is none."""

    @abstractmethod
    def put(self, key: str, content: bytes) -> None:
        """Writes `content`, replacing what was there."""

    @abstractmethod
    def create(self, key: str, content: bytes) -> bool:
        """Writes `content` if the key is absent; False when it was there (and stays as it is)."""

    @abstractmethod
    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        """Writes `content` if the key still has `version` (None: is absent); False when it has not."""

    @abstractmethod
    def upload(self, key: str, path: Path) -> None:
        """Writes the file at `path`, replacing what was there; for contents too large for memory."""

    @abstractmethod
    def download(self, key: str, path: Path) -> str | None:
        """Writes the value to the file `path`; its SHA-256, or None when the key is absent."""

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Removes the key if it is there; False where the store lets this user delete nothing, and it stays."""

    @abstractmethod
    def check_writable(self, *keys: str) -> None:
        """StoreError when a key could not be written, or the store does not keep a promise that `keys` rest on.

        Everything that a store must be able to do is tried, under a name that nobody reads. What is tried is removed
        again; where nothing can be deleted, it lies under one name however often it is tried.
        """

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix` (which ends with `/` or lies inside a file name), in order."""

    @abstractmethod
    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below `prefix` (which ends with `/`), in order, without what lies in them."""
