"""Two operators over one namespace, as processes: one works, and whatever happens to it nothing is done twice.

$RINGRIFT_FENCES_OUT names a folder for what each of them said.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from ringrift_operator.kube.client import TIMEOUT_SECONDS
from ringrift_operator.kube.lease import DURATION_SECONDS, LEASE
from tests.apiserver.gateway import Gateway
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.test_fence import made_by_the_chart
from tests.apiserver.test_restarts import kubeconfig_by
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl

HELD_SECONDS = 12.0


@dataclass
class Two:
    """The first holds the Lease, the second waits for it; each has a way to the API server of its own."""

    first: OperatorProcess
    second: OperatorProcess
    first_way: Gateway
    second_way: Gateway

    def created(self) -> Counter[str]:
        """What both have created, and how often."""
        return Counter([*self.first_way.created, *self.second_way.created])


@pytest.fixture
def two(control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path) -> Iterator[Two]:
    made_by_the_chart(kubectl)
    kubectl.apply(POOL)
    with ExitStack() as stack:

        def operator(number: int) -> tuple[OperatorProcess, Gateway]:
            way = stack.enter_context(Gateway(control_plane))
            names = (f"--identity=pod-{number}", f"--release-name=release-{number}/ringrift")
            config = kubeconfig_by(way, tmp_path / f"kubeconfig-{number}")
            made = OperatorProcess(config, tmp_path / f"{number}", f"--namespace={namespace}", *names)
            return stack.enter_context(made), way

        first, first_way = operator(1)
        eventually(lambda: says(first, "found 0 pipelines"))
        second, second_way = operator(2)
        eventually(lambda: says(second, f"namespace {namespace} is looked after by release release-1/ringrift"))
        yield Two(first, second, first_way, second_way)


def says(operator: OperatorProcess, words: str) -> bool:
    return words in operator.log.read_text()


def keep(name: str, two: Two, kubectl: Kubectl) -> None:
    """What each has said, and whose the Lease is."""
    folder = os.environ.get("RINGRIFT_FENCES_OUT")
    if folder is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    lines = []
    for number, operator in enumerate((two.first, two.second), 1):
        lines += [f"$ kubectl logs operator-{number}"]
        lines += [f"{each['time'][11:23]} {each['level']:7} {each['message']}" for each in operator.records]
    lines += ["what the first sent and arrived late", *two.first_way.late] if two.first_way.late else []
    lines += ["$ kubectl get lease", kubectl("get", "lease")]
    (Path(folder) / f"{name}.txt").write_text("\n".join(lines))


def test_the_second_takes_over_from_one_that_dies_and_nothing_is_done_twice(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, two: Two
) -> None:
    person = Person(kubectl)
    with Worker(control_plane.kubeconfig, namespace) as worker:
        worker.holds.add("selfplay")
        kubectl.apply(pipeline(namespace))
        eventually(lambda: "jobs/tiny-square8-2p-i1-selfplay-pool-0-a1" in two.created())
        two.first.kill()
        began = time.monotonic()
        eventually(lambda: says(two.second, "found 1 pipelines"))
        assert time.monotonic() - began > DURATION_SECONDS - 5, "the Lease was waited out"
        worker.holds.clear()
        person.sees(phase="Completed")
        keep("dies", two, kubectl)
        assert set(two.created().values()) == {1}
        assert worker.ran.count("adopt") == 1
    assert kubectl.get("lease", LEASE)["metadata"]["annotations"]["ringrift.ai/release"] == "release-2/ringrift"


@pytest.mark.usefixtures("worker")
def test_a_write_that_is_held_up_arrives_late_and_does_nothing_twice(
    kubectl: Kubectl, namespace: str, two: Two
) -> None:
    """Longer than a write is waited for, and shorter than the Lease lasts."""
    assert TIMEOUT_SECONDS <= HELD_SECONDS < DURATION_SECONDS
    person = Person(kubectl)
    held: list[str] = []

    def hold(method: str, path: str) -> float:
        if held or method != "POST" or not path.endswith("/jobs"):
            return 0.0
        held.append(path)
        return HELD_SECONDS

    two.first_way.holds = hold
    kubectl.apply(pipeline(namespace))
    person.sees(phase="Completed")
    eventually(lambda: two.first_way.late)
    keep("held", two, kubectl)
    assert says(two.first, "broke off, again in 0.2 s: no answer in time")
    assert set(two.created().values()) == {1}
    assert not two.second_way.writes, "the Lease never left the first"
    assert person.status()["tasks"] == {"succeeded": 7, "failed": 0}


def test_one_that_is_cut_off_for_longer_than_its_lease_replaces_nothing_of_its_successors(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, two: Two
) -> None:
    """All that it sends lies on its way until the other has the Lease."""
    person = Person(kubectl)
    with Worker(control_plane.kubeconfig, namespace) as worker:
        worker.holds.add("selfplay")
        kubectl.apply(pipeline(namespace))
        eventually(lambda: "selfplay" in person.status().get("running", ""))
        two.first_way.holds = lambda method, _: 2.0 * DURATION_SECONDS if method != "GET" else 0.0
        worker.holds.clear()
        eventually(lambda: says(two.second, "found 1 pipelines"))
        person.sees(phase="Completed")
        eventually(lambda: not two.first.is_running)
        eventually(lambda: two.first_way.late and not two.first_way.on_their_way)
        keep("cut-off", two, kubectl)
        assert says(two.first, "Lease ringrift-namespace is held by pod-2")
        statuses = [each for each in two.first_way.late if "/trainingpipelines/" in each]
        assert all(each.endswith(": 409") for each in statuses), statuses
        eventually(lambda: not person.jobs())  # one that was made late is none of what the status knows, and goes
        assert person.status()["tasks"] == {"succeeded": 7, "failed": 0}
        assert set(two.created().values()) == {1}


def test_one_whose_lease_is_given_to_the_other_by_hand_stops(kubectl: Kubectl, two: Two) -> None:
    kubectl("annotate", "lease", LEASE, "somebody=was-here")
    kubectl("patch", "lease", LEASE, "--type=merge", "-p", '{"spec": {"holderIdentity": "pod-2"}}')
    assert two.first.wait() == 1
    eventually(lambda: says(two.second, "found 0 pipelines"))
    keep("by-hand", two, kubectl)
    assert says(two.first, "stopping")
