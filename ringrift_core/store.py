"""The artifact store: bytes under keys, in a folder (`file://`) or in a bucket (`s3://`).

Four promises, the same for both kinds:

* `put` and `upload` write whole or not at all; a reader never sees half a value.
* `create` writes only if the key is absent: of two writers one wins.
* `swap` writes only if the key still has the version that was read (compare-and-swap): If-Match on S3, a file lock
  and rename in a folder.
* What goes wrong is either `StoreAwayError` (try again later) or `StoreRefusedError` (somebody must change something).

What lies under which key is `ringrift_core.archive`'s business; docs/store.md has the layout.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from ringrift_core.errors import StoreAwayError, StoreRefusedError

if TYPE_CHECKING:
    from obstore.store import S3Store as ObstoreS3

__all__ = [
    "LocalStore",
    "S3Store",
    "Store",
    "Versioned",
    "open_store",
]

_CHUNK_BYTES = 1 << 20
_READABLE = 0o644
"""Mode of a folder's files: a claim is read by Pods of other users than the one that wrote."""


@dataclass(frozen=True)
class Versioned:
    """A value as it was read, and the version that `swap` wants back."""

    content: bytes
    version: str


class Store(ABC):
    """Bytes under keys. Keys are relative paths with `/`; none of their parts begins with a dot."""

    uri: str
    """Root URI, without a slash at the end."""

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
    def delete(self, key: str) -> None:
        """Removes the key if it is there."""

    @abstractmethod
    def check_writable(self, key: str) -> None:
        """StoreError when `key` could not be written; writes nothing that anybody sees."""

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix` (which ends with `/` or lies inside a file name), in order."""

    @abstractmethod
    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below `prefix` (which ends with `/`), in order, without what lies in them."""


def open_store(uri: str) -> Store:
    """The store at `uri`; StoreRefusedError when it is neither `file:///path` nor `s3://bucket[/prefix]`.

    Nothing is contacted yet. S3 takes its endpoint, region and credentials from the environment (docs/store.md).
    """
    if "?" in uri or "#" in uri:
        # In an address they begin a query and a fragment: run#1 and run#2 would share the folder run.
        raise StoreRefusedError(f"store {uri!r}: ? and # end an address; choose a name without them")
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
            raise StoreRefusedError(
                f"store {uri!r}: bucket {parts.netloc!r} is not 3 to 63 lower-case letters, digits, dots and hyphens"
            )
        return S3Store(parts.netloc, parts.path.strip("/"))
    raise StoreRefusedError(f"store {uri!r}: expected file:///absolute/path or s3://bucket/prefix")


class LocalStore(Store):
    """A folder. Half-written files lie in `.partial`, locks in `.locks`; neither is ever listed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = root.as_uri().rstrip("/")

    def read(self, key: str) -> Versioned | None:
        with self._explained(key):
            try:
                content = self.path(key).read_bytes()
            except FileNotFoundError:
                return None
        return Versioned(content, hashlib.sha256(content).hexdigest())

    def put(self, key: str, content: bytes) -> None:
        with self._explained(key), self._partial(key) as (file, partial):
            file.write(content)
            _flush(file)
            partial.replace(self.path(key))

    def create(self, key: str, content: bytes) -> bool:
        with self._explained(key), self._partial(key) as (file, partial):
            file.write(content)
            _flush(file)
            try:
                os.link(partial, self.path(key))
            except FileExistsError:
                return False
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
        with self._explained(key), self._partial(key) as (file, partial):
            with path.open("rb") as source:
                shutil.copyfileobj(source, file, _CHUNK_BYTES)
            _flush(file)
            partial.replace(self.path(key))

    def download(self, key: str, path: Path) -> str | None:
        with self._explained(key):
            try:
                source = self.path(key).open("rb")
            except FileNotFoundError:
                return None
            with source, path.open("wb") as file:
                digest = hashlib.sha256()
                while chunk := source.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
        return digest.hexdigest()

    def digest(self, key: str) -> str | None:
        """SHA-256 of the value where it lies, or None when the key is absent."""
        with self._explained(key):
            try:
                with self.path(key).open("rb") as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
            except FileNotFoundError:
                return None

    def delete(self, key: str) -> None:
        with self._explained(key):
            self.path(key).unlink(missing_ok=True)

    def check_writable(self, key: str) -> None:
        with self._explained(key), self._partial(key):
            pass

    def keys(self, prefix: str) -> Iterator[str]:
        folder, _, start = prefix.rpartition("/")
        found = []
        with self._explained(prefix):
            for directory, folders, names in os.walk(self.root / folder):
                folders[:] = [name for name in folders if not name.startswith(".")]
                inside = Path(directory).relative_to(self.root).as_posix()
                keys = (name if inside == "." else f"{inside}/{name}" for name in names if not name.startswith("."))
                found += [key for key in keys if key.startswith(prefix)]
                if start and directory == str(self.root / folder):
                    folders[:] = [name for name in folders if name.startswith(start)]
        yield from sorted(found)

    def folders(self, prefix: str) -> list[str]:
        with self._explained(prefix):
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

    @contextlib.contextmanager
    def _partial(self, key: str) -> Iterator[tuple[BinaryIO, Path]]:
        """A new file in the same file system, removed at the end unless it was renamed."""
        folder = self.root / ".partial"
        folder.mkdir(parents=True, exist_ok=True)
        self.path(key).parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        partial = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, _READABLE)
                yield file, partial
        finally:
            partial.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        with self._explained(key):
            folder = self.root / ".locks"
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / hashlib.sha256(key.encode()).hexdigest()).open("w")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            sentence = f"store {self.uri}, {key}: {error.strerror or error}"
            if error.errno in _LOCAL_REFUSALS:
                raise StoreRefusedError(sentence) from error
            raise StoreAwayError(sentence) from error


_LOCAL_REFUSALS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,  # An absent value is no error here; this is a folder that cannot be made, as below /proc.
}


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


class S3Store(Store):
    """A bucket of any S3 server that knows If-Match and If-None-Match on PUT.

    A version is the ETag. Servers derive it from the content, so a value that is changed and changed back keeps its
    version; every value swapped here holds a log or a count that only grows, which rules that out.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        self.uri = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        self._bucket = bucket
        self._prefix = prefix
        self._connected: ObstoreS3 | None = None

    @property
    def _store(self) -> ObstoreS3:
        if self._connected is None:
            self._connected = _connect(self._bucket, self._prefix)
        return self._connected

    def read(self, key: str) -> Versioned | None:
        import obstore

        with self._explained(key):
            try:
                found = obstore.get(self._store, key)
                content = bytes(found.bytes())
            except FileNotFoundError as error:
                self._check_absent(key, error)
                return None
            version = found.meta["e_tag"]
        if version is None:
            raise StoreRefusedError(f"store {self.uri}: the server gives no ETag, which compare-and-swap needs")
        return Versioned(content, version)

    def put(self, key: str, content: bytes) -> None:
        import obstore

        with self._explained(key):
            obstore.put(self._store, key, content)

    def create(self, key: str, content: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._explained(key):
            try:
                obstore.put(self._store, key, content, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        import obstore
        from obstore.exceptions import PreconditionError

        if version is None:
            return self.create(key, content)
        with self._explained(key):
            try:
                obstore.put(self._store, key, content, mode={"e_tag": version})
            except PreconditionError:
                return False
        return True

    def upload(self, key: str, path: Path) -> None:
        import obstore

        with self._explained(key):
            obstore.put(self._store, key, path)

    def download(self, key: str, path: Path) -> str | None:
        import obstore

        digest = hashlib.sha256()
        with self._explained(key):
            try:
                chunks = obstore.get(self._store, key).stream(min_chunk_size=_CHUNK_BYTES)
            except FileNotFoundError as error:
                self._check_absent(key, error)
                return None
            with path.open("wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
        return digest.hexdigest()

    def delete(self, key: str) -> None:
        import obstore

        with self._explained(key):
            obstore.delete(self._store, key)

    def check_writable(self, key: str) -> None:
        # Whoever may write hears that there is no such version; whoever may not hears that instead. Under a key of its
        # own: a server that overlooks the condition must not make an empty value of something that is read.
        self.swap(f"{key}.probe", b"", '"never"')

    def keys(self, prefix: str) -> Iterator[str]:
        import obstore

        # S3 lists by folder here; a prefix that ends inside a name is filtered.
        folder = prefix.rpartition("/")[0]
        found = []
        with self._explained(prefix):
            for page in obstore.list(self._store, prefix=folder or None):
                found += [entry["path"] for entry in page if entry["path"].startswith(prefix)]
        yield from sorted(found)

    def folders(self, prefix: str) -> list[str]:
        import obstore

        with self._explained(prefix):
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
        return sorted(folder.rstrip("/").rpartition("/")[2] for folder in found)

    def _check_absent(self, key: str, error: FileNotFoundError) -> None:
        """Tells a missing key from a missing bucket or account: S3 answers 404 to all three."""
        code = re.search(r"<Code>(\w+)</Code>", str(error))
        if code and code.group(1) != "NoSuchKey":
            raise StoreRefusedError(f"store {self.uri}, {key}: {_server_words(error)}") from error

    @contextlib.contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            raise StoreRefusedError(f"store {self.uri}, {key}: {_server_words(error)}") from error
        except BaseError as error:
            sentence = f"store {self.uri}, {key}: {_server_words(error)}"
            # 4xx other than timeouts and throttling will be the same tomorrow.
            if re.search(r"\b4(?!08|09|29)\d\d [A-Z]", str(error)):
                raise StoreRefusedError(sentence) from error
            raise StoreAwayError(sentence) from error


_LENT_CREDENTIALS = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables by which a platform lends a Pod or container the credentials of a role."""


def _check_environment(uri: str) -> None:
    """StoreRefusedError when the environment names no server that could be asked, or no credentials.

    Without credentials the library asks the instance metadata service, and reports its silence instead.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is not None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise StoreRefusedError(f"store {uri}: AWS_ENDPOINT_URL is {endpoint!r}, expected http(s)://host[:port]")
    if any(os.environ.get(name) for name in _LENT_CREDENTIALS):
        return
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not os.environ.get(name)]
    wants_instance_role = os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "false"
    if missing and not (wants_instance_role and len(missing) == 2):
        are_missing = "is not set" if len(missing) == 1 else "are not set"
        raise StoreRefusedError(f"store {uri}: {' and '.join(missing)} {are_missing}")


def _connect(bucket: str, prefix: str) -> ObstoreS3:
    _check_environment(f"s3://{bucket}/{prefix}".rstrip("/"))
    try:
        from obstore.store import S3Store as ObstoreS3
    except ImportError as error:
        raise StoreRefusedError("s3:// stores need the extra s3: pip install 'ringrift[s3]'") from error
    from datetime import timedelta

    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    settings = {
        "access_key_id": os.environ.get("AWS_ACCESS_KEY_ID") or None,
        "secret_access_key": os.environ.get("AWS_SECRET_ACCESS_KEY") or None,
        "session_token": os.environ.get("AWS_SESSION_TOKEN"),
        "region": os.environ.get("AWS_REGION", "us-east-1"),
        "endpoint": endpoint,
    }
    return ObstoreS3(
        bucket,
        prefix=prefix or None,
        config={name: value for name, value in settings.items() if value is not None},  # type: ignore[arg-type]
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http://")), "timeout": "60s"},
        retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=30)},
    )


def _server_words(error: Exception) -> str:
    """The server's own message where there is one, else the first line of the error."""
    message = re.search(r"<Message>(.*?)</Message>", str(error), re.DOTALL)
    code = re.search(r"<Code>(\w+)</Code>", str(error))
    if message and code:
        return f"{message.group(1)} ({code.group(1)})"
    return str(error).partition("\n")[0].strip()
