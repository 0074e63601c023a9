"""The plan's environment on a real API server: the chart with production's machines, and examples/full.yaml on them.

The nodes are played by `Worker`, and of the Macs one is online, whose stages only begin.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import Person
from tests.apiserver.runner_process import RunnerProcess, access_for
from tests.apiserver.test_install import CHARTS, NAMESPACE, Helm
from tests.apiserver.worker import Worker
from tests.cluster.binaries import CONTROL_PLANE
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane
from tests.cluster.requirement import required_binaries

FULL = Path(__file__).parents[2] / "examples" / "full.yaml"
WAITS = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(75)); time.sleep(3600)"


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of its own with both charts, on production's machines."""
    found = required_binaries(*(program.name for program in CONTROL_PLANE))
    with running_control_plane(found, tmp_path_factory.mktemp("production"), Endpoints.on_free_ports()) as plane:
        helm = Helm(plane.kubeconfig)
        helm("install", "ringrift-crds", str(CHARTS / "ringrift-crds"))
        plane.kubectl.wait_for_definitions(seconds=60)
        values = CHARTS / "ringrift" / "environments" / "production.yaml"
        place = (f"--namespace={NAMESPACE}", "--create-namespace", f"--values={values}")
        helm("install", "ringrift", str(CHARTS / "ringrift"), *place)
        yield plane


def test_the_plans_example_begins_on_productions_machines(production: ControlPlane, tmp_path: Path) -> None:
    kubectl = production.kubectl.within(NAMESPACE)
    # The operator is a process of this machine, and `Worker` plays the node for stages alone.
    kubectl("scale", "deployment", "--all", "--replicas=0")
    eventually(lambda: not kubectl.get("pods")["items"])
    keys = [f"--from-literal=AWS_{name}=x" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")]
    kubectl("create", "secret", "generic", "ringrift-s3", *keys)
    access = access_for(production, NAMESPACE, "m1-pro")
    mac = RunnerProcess(access, tmp_path / "mac", "m1-pro", (sys.executable, "-P", "-c", WAITS))
    person = Person(kubectl, "ringrift")
    with (
        OperatorProcess(production.kubeconfig, tmp_path / "operator"),
        Worker(production.kubeconfig, NAMESPACE) as worker,
        mac,
    ):
        worker.holds |= {"selfplay", "cmaes"}
        kubectl.apply(FULL)

        def remote() -> set[str]:
            tasks = kubectl.get("rt")["items"]
            return {each["spec"]["pool"] for each in tasks if each.get("status", {}).get("phase") == "Running"}

        eventually(lambda: remote() == {"m1-pro"}, lambda: (person.status(), mac.said[-2000:]))
        selfplay = "ringrift.ai/step=selfplay"
        eventually(lambda: kubectl.get("jobs", "-l", selfplay)["items"], person.status)
        assert worker.ran.count("adopt") == 9
        pools = {job["metadata"]["labels"]["ringrift.ai/pool"] for job in kubectl.get("jobs", "-l", selfplay)["items"]}
        assert pools <= {"aws-staging", "aws-extra"}
        assert person.condition("Stalled")["status"] == "False"
        print(kubectl("get", "tp,wp,rt,jobs"))
