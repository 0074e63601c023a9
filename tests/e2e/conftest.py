"""A real node for the tests of this folder: containerd, kubelet, S3, our images and our charts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from images.build import archive_bare_base
from tests.cluster.binaries import BinariesMissingError
from tests.cluster.kubectl import Kubectl
from tests.cluster.node import Cluster, NodeImpossibleError, running_cluster
from tests.cluster.object_store import ObjectStore, running_object_store

HERE = Path(__file__).parent
FIXTURES_AND_ALL_SECONDS = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(FIXTURES_AND_ALL_SECONDS))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control plane and one real node, for the whole session."""
    try:
        with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
            yield running
    except (BinariesMissingError, NodeImpossibleError) as impossible:
        if os.environ.get("CI") == "true":
            pytest.fail(str(impossible))
        pytest.skip(str(impossible))


@pytest.fixture(scope="session")
def object_store(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An S3 endpoint on the node, reached from here and from Pods alike."""
    with running_object_store(
        cluster.plane.binaries,
        tmp_path_factory.mktemp("s3"),
        address=cluster.sandbox.address,
        inside=cluster.sandbox.enter,
    ) as store:
        yield store


@pytest.fixture(scope="session")
def plain_image(cluster: Cluster) -> str:
    """An image with Debian and Python alone."""
    cluster.import_image(archive_bare_base())
    return "localhost/ringrift-base:bookworm"


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubectl(cluster: Cluster, namespace: str) -> Kubectl:
    """kubectl in the test's namespace."""
    return cluster.kubectl.within(namespace)
