"""A real node for the tests of this folder: containerd, kubelet, S3, our images and our charts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from images.base import archive_bare_base, bare_base
from images.build import build_with_buildah, reference_of
from images.contents import OPERATOR, WORKER
from tests.cluster.binaries import BinariesMissingError
from tests.cluster.kubectl import Kubectl
from tests.cluster.node import Cluster, NodeImpossibleError, running_cluster
from tests.cluster.object_store import ObjectStore, running_object_store
from tests.cluster.requirement import cannot_run

HERE = Path(__file__).parent
VALUES = HERE / "values.yaml"
CHARTS = HERE.parents[1] / "charts"
RELEASE_NAMESPACE = "ringrift"
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
        cannot_run(impossible)


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
    return bare_base()


@pytest.fixture(scope="session")
def worker_image(cluster: Cluster) -> str:
    """The worker image of this tree, on the node."""
    cluster.import_image(build_with_buildah(WORKER))
    return reference_of(WORKER)


@pytest.fixture(scope="session")
def operator_image(cluster: Cluster) -> str:
    """The operator image of this tree, on the node."""
    cluster.import_image(build_with_buildah(OPERATOR))
    return reference_of(OPERATOR)


@pytest.fixture(scope="session")
def release(cluster: Cluster, worker_image: str, operator_image: str) -> Kubectl:
    """Our charts installed by helm; kubectl in the release's namespace."""
    values = yaml.safe_load(VALUES.read_text())
    assert (values["images"]["worker"], values["images"]["operator"]) == (worker_image, operator_image)
    helm(cluster, "install", "ringrift-crds", str(CHARTS / "ringrift-crds"), "--wait")
    options = (f"--namespace={RELEASE_NAMESPACE}", "--create-namespace", f"--values={VALUES}", "--wait", "--timeout=3m")
    helm(cluster, "install", "ringrift", str(CHARTS / "ringrift"), *options)
    return cluster.kubectl.within(RELEASE_NAMESPACE)


def helm(cluster: Cluster, *arguments: str) -> str:
    """What helm printed; the test fails with what the Pods said when helm does."""
    command = [str(cluster.plane.binaries / "helm"), "--kubeconfig", str(cluster.plane.kubeconfig), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        kubectl = cluster.kubectl.within(RELEASE_NAMESPACE)
        said = kubectl("logs", "--all-containers", "--selector=app.kubernetes.io/instance=ringrift", "--tail=30")
        pytest.fail(f"helm {arguments[0]}: {done.stderr}\n{kubectl('get', 'pods')}\n{said}")
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def output_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the transcript of a run is kept: $RINGRIFT_E2E_OUT, or a temporary folder."""
    chosen = os.environ.get("RINGRIFT_E2E_OUT")
    directory = Path(chosen) if chosen else tmp_path_factory.mktemp("e2e")
    directory.mkdir(parents=True, exist_ok=True)
    _outputs.append(directory)
    return directory


_outputs: list[Path] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the transcript of the pipeline's run below the tests."""
    for directory in _outputs:
        for path in sorted(directory.glob("*.txt")):
            terminalreporter.section(path.name)
            terminalreporter.write(path.read_text())
        terminalreporter.section(f"kept in {directory}")


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
