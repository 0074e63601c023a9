"""A real JobSet over a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.apiserver.operator_process import OperatorProcess
from tests.apiserver.person import Person
from tests.apiserver.worker import Worker
from tests.cluster.binaries import CONTROL_PLANE, JOBSET
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane
from tests.cluster.jobset import running_jobset
from tests.cluster.requirement import required_binaries

HERE = Path(__file__).parent
CRDS = HERE.parents[1] / "crds"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd, API server, controller-manager and JobSet, with the CRDs of `crds/`."""
    found = required_binaries(*(program.name for program in CONTROL_PLANE), "helm", JOBSET.name)
    directory = tmp_path_factory.mktemp("cluster")
    with (
        running_control_plane(found, directory, Endpoints.on_free_ports()) as plane,
        running_jobset(plane, directory / "jobset"),
    ):
        plane.kubectl.apply(CRDS, "--server-side")
        plane.kubectl.wait_for_definitions()
        yield plane


@pytest.fixture(scope="session")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture
def person(control_plane: ControlPlane, operator: OperatorProcess) -> Iterator[Person]:
    """Somebody with a namespace."""
    assert operator.is_running
    name = f"test-{uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    yield Person(control_plane.kubectl.within(name))
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def worker(control_plane: ControlPlane, person: Person) -> Iterator[Worker]:
    """Plays the node's part for the namespace; nothing is computed."""
    assert person.kubectl.namespace is not None
    with Worker(control_plane.kubeconfig, person.kubectl.namespace) as started:
        yield started
