"""A real API server for the tests of this folder: no mock, no node, no root."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person
from tests.apiserver.worker import Worker
from tests.cluster.binaries import CONTROL_PLANE
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.cluster.requirement import required_binaries

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd, API server and controller-manager with the CRDs of `crds/`; Jobs create Pods, which stay Pending."""
    found = required_binaries(*(program.name for program in CONTROL_PLANE))
    with running_control_plane(found, tmp_path_factory.mktemp("cluster"), Endpoints.on_free_ports()) as plane:
        if CRDS.is_dir():
            plane.kubectl.apply(CRDS, "--server-side")
            plane.kubectl.wait_for_definitions()
            eventually(lambda: _are_served(plane.kubectl))
        yield plane


def _are_served(kubectl: Kubectl) -> bool:
    """Whether every kind can be listed: for moments after it is established the server asks to come again."""
    try:
        for definition in CRDS.glob("*.yaml"):
            kubectl("get", f"{definition.stem}.ringrift.ai", "--all-namespaces")
    except KubectlError:
        return False
    return True


@pytest.fixture(scope="session")
def kubeconfig(control_plane: ControlPlane) -> Path:
    """Kubeconfig of the cluster's administrator."""
    return control_plane.kubeconfig


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubectl(control_plane: ControlPlane, namespace: str) -> Kubectl:
    """kubectl in the test's namespace: `kubectl("get", "jobs")`, `kubectl.apply(object)`, `kubectl.get("pods")`."""
    return control_plane.kubectl.within(namespace)


@pytest.fixture
def worker(kubeconfig: Path, namespace: str) -> Iterator[Worker]:
    """Plays the node's part for the namespace's Jobs."""
    with Worker(kubeconfig, namespace) as started:
        yield started


@pytest.fixture
def person(kubectl: Kubectl, operator: OperatorProcess) -> Person:
    """A person with a pool, under the operator that the test's module has started."""
    assert operator.is_running
    kubectl.apply(POOL)
    return Person(kubectl)


@pytest.fixture
def finish_pod(kubectl: Kubectl) -> FinishPod:
    """Plays the kubelet's part: ends a Pod with an exit code and a termination message."""
    return FinishPod(kubectl)


class FinishPod:
    """`finish_pod(name, exit_code, message)` writes the status that a kubelet writes when the containers end."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def __call__(self, name: str, exit_code: int = 0, message: str = "", reason: str = "") -> None:
        containers = self._kubectl.get("pod", name)["spec"]["containers"]
        terminated = {
            "exitCode": exit_code,
            "message": message,
            "reason": reason or ("Completed" if exit_code == 0 else "Error"),
        }
        status = {
            "phase": "Succeeded" if exit_code == 0 else "Failed",
            "containerStatuses": [
                {
                    "name": each["name"],
                    "image": each["image"],
                    "imageID": "",
                    "ready": False,
                    "restartCount": 0,
                    "state": {"terminated": terminated},
                }
                for each in containers
            ],
        }
        self._kubectl(
            "patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status})
        )
