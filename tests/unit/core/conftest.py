"""Stores to test against: a folder, and a real S3 server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

# OpenMP reads it once, when torch is loaded: by whichever module of these folders loads it first.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from ringrift_core.store import Store, open_store
from tests.cluster.object_store import ObjectStore, running_object_store
from tests.cluster.process import free_ports
from tests.cluster.requirement import required_binaries
from tests.unit.core.desk import Desk


# A slow machine is no failure: pytest-timeout ends what hangs.
@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A running S3 server, which the environment names."""
    found = required_binaries("versitygw")
    with (
        running_object_store(found, tmp_path_factory.mktemp("s3"), port=free_ports(1)[0]) as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in server.environment().items():
            environment.setenv(name, value)
        yield server


@pytest.fixture
def s3_uri(s3_server: ObjectStore) -> str:
    """An empty S3 store of the test's own, as a URI."""
    bucket = f"test-{uuid4().hex[:8]}"
    s3_server.create_bucket(bucket)
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
