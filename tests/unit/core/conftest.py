"""Stores to test against: a folder, and a real S3 server."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from ringrift_core.store import Store, open_store
from tests.cluster.process import Program, free_ports
from tests.cluster.requirement import required_binaries
from tests.unit.core.desk import Desk

# A slow machine is no failure: pytest-timeout ends what hangs.
settings.register_profile("core", deadline=None)
settings.load_profile("core")


@pytest.fixture(scope="session")
def s3_buckets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running S3 server (versitygw); its buckets are the folders of this folder."""
    found = required_binaries("versitygw")
    root = tmp_path_factory.mktemp("s3")
    buckets = root / "buckets"
    buckets.mkdir()
    address = f"127.0.0.1:{free_ports(1)[0]}"
    command: list[str | Path] = [
        found / "versitygw",
        "--access",
        "tester",
        "--secret",
        "testing-only",
        "--port",
        address,
        "--quiet",
    ]
    command += ["posix", buckets]
    server = Program("versitygw", command, root)
    before = {name: os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL")}
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "testing-only",
        "AWS_ENDPOINT_URL": f"http://{address}",
    }
    try:
        server.wait_until(lambda: _answers(f"http://{address}"))
        yield buckets
    finally:
        server.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def s3_uri(s3_buckets: Path) -> str:
    """An empty S3 store of the test's own, as a URI."""
    bucket = f"test-{uuid4().hex[:8]}"
    (s3_buckets / bucket).mkdir()
    return f"s3://{bucket}/main"


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of either kind."""
    if request.param == "file":
        return open_store((tmp_path / "store").as_uri())
    return open_store(request.getfixturevalue("s3_uri"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """square8 with two players in an empty local store."""
    return Desk(open_store((tmp_path / "store").as_uri()), tmp_path / "scratch")
