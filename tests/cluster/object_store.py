"""A real S3 endpoint: versitygw over a folder, with conditional writes as S3 has them."""

from __future__ import annotations

import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.process import Program

REGION = "us-east-1"
PORT = 7070


@dataclass(frozen=True)
class ObjectStore:
    """A running endpoint. Buckets are folders under `directory`."""

    address: str
    port: int
    directory: Path
    access_key: str
    secret_key: str
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}:{self.port}"

    def environment(self, url: str | None = None) -> dict[str, str]:
        """The variables that S3 clients read, for the endpoint as seen from here or at `url`."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": url or self.url,
        }

    def create_bucket(self, name: str) -> None:
        (self.directory / name).mkdir()


@contextmanager
def running_object_store(
    binaries: Path,
    directory: Path,
    *,
    address: str = "127.0.0.1",
    port: int = PORT,
    inside: tuple[str, ...] = (),
    certificate: Path | None = None,
    secret_key: str = "",
) -> Iterator[ObjectStore]:
    """Serves `directory`/buckets, and what lies there, at `address`; `inside` is a command prefix, such as a sandbox's.

    With a `certificate` (PEM, its key in the file beside it that ends in .key) it speaks TLS. With the `secret_key`
    of an earlier one it knows that one's clients.
    """
    buckets, accounts = directory / "buckets", directory / "accounts"
    for folder in (buckets, accounts):
        folder.mkdir(parents=True, exist_ok=True)
    scheme = "https" if certificate else "http"
    store = ObjectStore(address, port, buckets, "ringrift", secret_key or secrets.token_hex(16), scheme)
    tls = ["--cert", str(certificate), "--key", str(certificate.with_suffix(".key"))] if certificate else []
    arguments = ["--port", f"{address}:{port}", *tls, "--iam-dir", str(accounts), "--region", REGION]
    arguments += ["posix", str(buckets)]
    keys = ["env", f"ROOT_ACCESS_KEY={store.access_key}", f"ROOT_SECRET_KEY={store.secret_key}"]
    program = Program("versitygw", [*inside, *keys, binaries / "versitygw", *arguments], directory / "log")
    try:
        program.wait_until(lambda: _answers(store.url))
        yield store
    finally:
        program.stop()


def _answers(url: str) -> bool:
    """Whether something speaks HTTP there; a refusal for want of credentials is an answer."""
    anyone = ssl._create_unverified_context()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=anyone))
    try:
        opener.open(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
