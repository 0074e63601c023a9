"""The store in a bucket of an S3 server."""

from __future__ import annotations

import hashlib
import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringrift_core.errors import StoreAwayError, StoreError, StoreRefusedError
from ringrift_core.store.base import CHUNK_BYTES, Store, Versioned
from ringrift_core.store.environment import read_environment
from ringrift_core.store.probe import check_promises, probe_key

if TYPE_CHECKING:
    from obstore.store import S3Store as ObstoreS3

__all__ = ["S3Store"]


class S3Store(Store):
    """A bucket of any S3 server that knows If-Match and If-None-Match on PUT.

    A version is the ETag. Servers derive it from the content, so a value that is changed and changed back keeps its
    version; every value swapped here holds a log or a count that only grows, which rules that out.
    """

    exclusive_create = "If-None-Match on PUT"
    compare_and_swap = "If-Match on PUT"

    def __init__(self, bucket: str, prefix: str) -> None:
        self.uri = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        self._bucket = bucket
        self._prefix = prefix
        self._connected: ObstoreS3 | None = None

    @property
    def _store(self) -> ObstoreS3:
        if self._connected is None:
            self._connected = _connect(self.uri, self._bucket, self._prefix)
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
        with self._explained(key):
            self._write(key, content)

    def create(self, key: str, content: bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._explained(key):
            try:
                self._write(key, content, mode="create")
            except (AlreadyExistsError, PreconditionError) as error:
                if _status(error) == _CONFLICT:
                    raise
                return False
        return True

    def swap(self, key: str, content: bytes, version: str | None) -> bool:
        from obstore.exceptions import PreconditionError

        if version is None:
            return self.create(key, content)
        with self._explained(key):
            try:
                self._write(key, content, mode={"e_tag": version})
            except PreconditionError:
                return False
        return True

    def upload(self, key: str, path: Path) -> None:
        with self._explained(key):
            self._write(key, path)

    def download(self, key: str, path: Path) -> str | None:
        import obstore

        digest = hashlib.sha256()
        with self._explained(key):
            try:
                chunks = obstore.get(self._store, key).stream(min_chunk_size=CHUNK_BYTES)
            except FileNotFoundError as error:
                self._check_absent(key, error)
                return None
            with path.open("wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
        return digest.hexdigest()

    def delete(self, key: str) -> bool:
        import obstore
        from obstore.exceptions import BaseError

        try:
            with self._explained(key):
                try:
                    obstore.delete(self._store, key)
                except BaseError as error:
                    # Some servers say so to all but one of those that delete a key at once.
                    if _code_of_a_key(error) != "NoSuchKey":
                        raise
        except StoreRefusedError as refused:
            if isinstance(refused.__cause__, FileNotFoundError):
                raise
            return False
        return True

    def check_writable(self, *keys: str) -> None:
        for configuration in dict.fromkeys(key.partition("/")[0] for key in keys):
            with probe_key(self, configuration) as probe:
                check_promises(self, probe)
                # Large files go up in parts, which are other requests.
                with self._explained(probe):
                    self._write(probe, b"In parts.\n", use_multipart=True)
            self.folders(f"{configuration}/")

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

    def _write(self, key: str, content: bytes | Path, **how: Any) -> None:
        """A PUT; again, after a while, as long as the server says that it met another writer's.

        The client takes that for an object that is there, which it need not be.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError

        for pause in _PAUSES:
            try:
                obstore.put(self._store, key, content, **how)
            except AlreadyExistsError as error:
                if _status(error) != _CONFLICT:
                    raise
                # So that those who met do not meet again.
                time.sleep(pause * random.uniform(0.5, 1))
            else:
                return
        obstore.put(self._store, key, content, **how)

    def _check_absent(self, key: str, error: FileNotFoundError) -> None:
        """Tells a missing key from a missing bucket or account: S3 answers 404 to all three."""
        code = re.search(r"<Code>(\w+)</Code>", str(error))
        if code and code.group(1) != "NoSuchKey":
            raise StoreRefusedError(f"store {self.uri}, {key}: {_server_words(error)}") from error

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except BaseException as error:
            if not _is_the_client_s(error):
                raise
            raise _failure(self.uri, key, error) from error


_CONFLICT = 409
"""Amazon's ConditionalRequestConflict and OperationAborted say: try again. So do servers that keep keys as files, when
the folder of a key was emptied, and removed, while it was being written."""

_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds, at most, before each next try."""


def _connect(uri: str, bucket: str, prefix: str) -> ObstoreS3:
    server = read_environment(uri, os.environ)
    try:
        from obstore.store import S3Store as ObstoreS3
    except ImportError as error:
        raise StoreRefusedError("s3:// stores need the extra s3: pip install 'ringrift[s3]'") from error

    config = {
        "access_key_id": server.access_key_id,
        "secret_access_key": server.secret_access_key,
        "session_token": server.session_token,
        "region": server.region,
        "endpoint": server.endpoint,
        # Else AWS_CONDITIONAL_PUT could say otherwise.
        "conditional_put": "etag",
    }
    client = {
        "allow_http": server.endpoint is not None and server.endpoint.startswith("http://"),
        "timeout": "60s",
        "root_certificate": server.certificates,
    }
    return ObstoreS3(
        bucket,
        prefix=prefix or None,
        config={name: value for name, value in config.items() if value is not None},  # type: ignore[arg-type]
        client_options={name: value for name, value in client.items() if value is not None},  # type: ignore[arg-type]
        retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=30)},
    )


def _is_the_client_s(error: BaseException) -> bool:
    """Whether the client library raised it: an error, a value that it cannot take, or a panic (no Exception at all)."""
    from obstore.exceptions import BaseError

    return isinstance(error, BaseError | FileNotFoundError | ValueError) or type(error).__module__ == "pyo3_runtime"


_ABOUT_CERTIFICATES = "name the file of the authority's certificate in AWS_CA_BUNDLE"

_HOPELESS = (
    # In what the client says of an error, and what it means; the next attempt ends the same.
    (r"InvalidCertificate\(\s*(\w+)", f"the server's certificate is refused ({{0}}); {_ABOUT_CERTIFICATES}"),
    (r"InvalidMessage\(", "what answers there speaks no TLS; should the endpoint begin with http://?"),
    (
        "No CA certificates were loaded",
        f"there are no certificates of authorities here (SSL_CERT_FILE, SSL_CERT_DIR); {_ABOUT_CERTIFICATES}",
    ),
    (r"Config error: ([^\n]*)", "{0}; mend the AWS_ variable that says so"),
    (r"ETag Header missing", "the server gives no ETag, which compare-and-swap needs"),
    (r"(Failed to read [^\n]*)", "{0}"),
    (r"redirect", "the server sends elsewhere, as for a bucket of another region; set AWS_REGION to the bucket's"),
)


def _failure(uri: str, key: str, error: BaseException) -> StoreError:
    """What the client raised, as a sentence, and whether trying again can help."""
    what = f"store {uri}, {key}"
    said = str(error)
    if not isinstance(error, Exception) or isinstance(error, ValueError):
        first = said.partition("\n")[0].strip()
        return StoreRefusedError(f"{what}: the S3 client cannot take a value of it or of an AWS_ variable: {first}")
    status = _status(error)
    if status is None:
        for pattern, sentence in _HOPELESS:
            if found := re.search(pattern, said):
                return StoreRefusedError(f"{what}: {sentence.format(*found.groups())}")
    sentence = f"{what}: {_server_words(error)}"
    is_final = _is_final(status) if status else _code_of_a_key(error) in _FINAL_CODES
    return StoreRefusedError(sentence) if is_final or isinstance(error, FileNotFoundError) else StoreAwayError(sentence)


_FINAL_CODES = ("AccessDenied", "MethodNotAllowed", "NotImplemented")
"""What DeleteObjects says of a key, and will say tomorrow."""


def _status(error: Exception) -> int | None:
    """The HTTP status that the server answered with, if it answered."""
    found = re.search(r"status code: (\d{3})\b", str(error))
    return int(found.group(1)) if found else None


def _is_final(status: int) -> bool:
    """Whether an HTTP status will be the same tomorrow: not timeouts, conflicts, throttling and most of 5xx."""
    return status == 501 or (300 <= status < 500 and status not in (408, 409, 429))


def _code_of_a_key(error: Exception) -> str | None:
    """What DeleteObjects says of one key, with status 200; None if the error is another."""
    found = re.search(r"DeleteObjects request failed for key .*\(code: (\w+)\)", str(error))
    return found and found.group(1)


def _server_words(error: Exception) -> str:
    """The server's own message where there is one, else the first line of the error."""
    message = re.search(r"<Message>(.*?)</Message>", str(error), re.DOTALL)
    code = re.search(r"<Code>(\w+)</Code>", str(error))
    if message and code:
        return f"{message.group(1)} ({code.group(1)})"
    # The system's word for a connection that failed stands in what the client says for its authors.
    cause = re.search(r'\bmessage: "([^"]+)"', str(error))
    return str(error).partition("\n")[0].strip() + (f" ({cause.group(1)})" if cause else "")
