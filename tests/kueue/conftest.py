"""A real Kueue over a real API server, with machines for two CPUs' worth of Jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.worker import Worker
from tests.cluster.binaries import CONTROL_PLANE, KUEUE
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.kueue import running_kueue
from tests.cluster.queues import QUEUE, Manifest, cluster_queue, flavor, local_queue, priorities
from tests.cluster.requirement import required_binaries

HERE = Path(__file__).parent
CRDS = HERE.parents[1] / "crds"
ALL_SECONDS = 3600
CPUS = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(ALL_SECONDS))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd, API server, controller-manager and Kueue, with the CRDs of `crds/` and a ClusterQueue."""
    found = required_binaries(*(program.name for program in CONTROL_PLANE), "helm", KUEUE.name)
    directory = tmp_path_factory.mktemp("cluster")
    with (
        running_control_plane(found, directory, Endpoints.on_free_ports()) as plane,
        running_kueue(plane, directory / "kueue"),
    ):
        plane.kubectl.apply(CRDS, "--server-side")
        plane.kubectl.wait_for_definitions()
        for manifest in (flavor(), cluster_queue("machines", CPUS), *priorities()):
            plane.kubectl.apply(manifest)
        yield plane


@pytest.fixture(scope="session")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for all namespaces."""
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture
def kubectl(control_plane: ControlPlane, operator: OperatorProcess) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own that has a LocalQueue."""
    assert operator.is_running
    name = f"test-{uuid4().hex[:8]}"
    made = made_namespace(control_plane, name)
    yield made
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
    # No kubelet confirms their end, and until then their quota is not the next test's.
    made("delete", "pods", "--all", "--grace-period=0", "--force")
    eventually(lambda: not control_plane.kubectl.get("clusterqueue", "machines")["status"].get("admittedWorkloads", 0))


@pytest.fixture
def worker(control_plane: ControlPlane, kubectl: Kubectl) -> Iterator[Worker]:
    """Plays the node's part for the test's namespace; nothing is computed."""
    assert kubectl.namespace is not None
    with Worker(control_plane.kubeconfig, kubectl.namespace) as started:
        yield started


@pytest.fixture(scope="session")
def output_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what was seen is kept: $RINGRIFT_KUEUE_OUT, or a temporary folder."""
    chosen = os.environ.get("RINGRIFT_KUEUE_OUT")
    directory = Path(chosen) if chosen else tmp_path_factory.mktemp("seen")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def made_namespace(plane: ControlPlane, name: str, *, queue: str = "machines") -> Kubectl:
    """A namespace whose LocalQueue stands for a ClusterQueue; kubectl within."""
    plane.kubectl("create", "namespace", name)
    kubectl = plane.kubectl.within(name)
    eventually(lambda: kubectl.apply(local_queue(queue)))
    return kubectl


def slot(name: str, *stages: str, cpu: int = 1, count: int = 1) -> Manifest:
    return {"name": name, "stages": list(stages), "resources": {"cpu": str(cpu), "memory": "1Gi"}, "count": count}


def pool(*slots: Manifest, priority: str | None = None, queue: str | None = QUEUE) -> Manifest:
    """A pool whose Jobs wait in a queue; without one where `queue` is None."""
    named = {"priorityClass": priority} if priority is not None else {}
    held = {"queue": {"name": queue, **named}} if queue is not None else {}
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "WorkerPool",
        "metadata": {"name": "pool"},
        "spec": {"type": "Cluster", **held, "slots": list(slots)},
    }
