"""Training on two nodes, where JobSet's CRD is real and its controller is the test's own hand (jobset_hand.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.jobset_hand import JobSetHand
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.cluster.requirement import required_jobset_definition
from tests.unit.builders.test_job import TEMPLATE
from tests.unit.builders.test_jobset import built

DEFINITION = "jobsets.jobset.x-k8s.io"
TRAINERS = {"name": "learn", "stages": ["train"], "resources": {"cpu": "1", "memory": "1Gi"}, "count": 2}
TRAINING = {**POOL, "spec": {**POOL["spec"], "slots": [*POOL["spec"]["slots"], TRAINERS]}}
"""The pool of the other tests, with two places to train in."""


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture
def jobset_definition(control_plane: ControlPlane) -> Iterator[Path]:
    """The file of the official CRD, for a test that installs it: it is gone afterwards."""
    yield required_jobset_definition()
    control_plane.kubectl("delete", "crd", DEFINITION, "--ignore-not-found", "--timeout=60s")


@pytest.fixture
def hand(kubeconfig: Path, namespace: str) -> Iterator[JobSetHand]:
    with JobSetHand(kubeconfig, namespace) as started:
        yield started


def on_two_nodes(namespace: str) -> dict[str, Any]:
    return pipeline(namespace, tracks=["network"], network={"distributed": {"nodes": 2}})


def install(kubectl: Kubectl, definition: Path) -> None:
    kubectl.apply(definition, "--server-side")
    kubectl.wait_for_definitions(seconds=60)


def jobsets(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.kubectl.get(DEFINITION)["items"]
    return found


def pods(person: Person, attempt: int) -> dict[int, dict[str, Any]]:
    """The training's Pods, by their index, that are neither over nor being deleted."""
    found = person.kubectl.get("pods", "-l", f"ringrift.ai/step=train,ringrift.ai/attempt={attempt}")["items"]
    return {
        int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]): pod
        for pod in found
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    }


def ends(kubectl: Kubectl, pod: dict[str, Any], exit_code: int, *conditions: dict[str, str]) -> None:
    """What a kubelet writes when the container ends."""
    (container,) = pod["spec"]["containers"]
    state = {"terminated": {"exitCode": exit_code, "reason": "Error", "message": f"said {exit_code}"}}
    told = {"name": container["name"], "image": container["image"], "imageID": "", "ready": False, "restartCount": 0}
    status = {
        "phase": "Failed",
        "conditions": [{"type": "Ready", "status": "False"}, *conditions],
        "containerStatuses": [{**told, "state": state}],
    }
    name = pod["metadata"]["name"]
    kubectl("patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def test_without_jobset_it_is_stalled_and_trains_once_it_is_installed(
    person: Person, worker: Worker, hand: JobSetHand, namespace: str, jobset_definition: Path
) -> None:
    worker.holds.add("train")
    person.kubectl.apply(TRAINING)
    person.kubectl.apply(on_two_nodes(namespace))
    eventually(lambda: person.condition("Stalled").get("reason") == "JobSetMissing", lambda: person.status())
    assert "square8-2p: train on 2 nodes needs JobSet" in person.condition("Stalled")["message"]
    eventually(lambda: "export" in worker.ran, lambda: worker.ran)
    install(person.kubectl, jobset_definition)
    eventually(lambda: person.condition("Stalled")["status"] == "False", lambda: person.condition("Stalled"))
    eventually(lambda: len(pods(person, 1)) == 2, lambda: person.status())
    eventually(lambda: "square8-2p i1: train" in person.status().get("running", ""), lambda: person.status())
    (jobset,) = jobsets(person)
    assert jobset["spec"]["failurePolicy"]["maxRestarts"] == 0
    eventually(lambda: person.kubectl.get("wp", "pool")["status"]["busy"] == 2)  # both places, and its Job is none
    worker.holds.clear()
    status = person.sees(phase="Completed", promotions=1)
    assert status["tasks"]["failed"] == 0
    eventually(lambda: jobsets(person) == [])
    assert list(hand.seen) == [jobset["metadata"]["name"]]


def test_a_drained_pod_costs_no_attempt_and_a_crash_one(
    person: Person, worker: Worker, hand: JobSetHand, namespace: str, jobset_definition: Path
) -> None:
    install(person.kubectl, jobset_definition)
    worker.holds.add("train")
    person.kubectl.apply(TRAINING)
    person.kubectl.apply(on_two_nodes(namespace))
    eventually(lambda: len(pods(person, 1)) == 2, lambda: person.status())
    drained = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    ends(person.kubectl, pods(person, 1)[1], 75, drained)
    eventually(
        lambda: any(line.startswith("TaskDelayed: square8-2p: train") for line in person.events()), person.events
    )
    eventually(lambda: len(pods(person, 2)) == 2, lambda: person.status())
    assert person.status()["tasks"]["failed"] == 0
    crashed = pods(person, 2)
    ends(person.kubectl, crashed[0], 1)
    eventually(lambda: person.status()["tasks"]["failed"] == 1, lambda: person.status())
    eventually(lambda: len(pods(person, 3)) == 2, lambda: person.status())
    assert {pod["metadata"]["uid"] for pod in crashed.values()}.isdisjoint(
        pod["metadata"]["uid"] for pod in pods(person, 3).values()
    ), "all of them are anew"
    worker.holds.clear()
    status = person.sees(phase="Completed", promotions=1)
    assert status["tasks"]["failed"] == 1
    assert len(hand.seen) == 3


def test_a_jobset_is_accepted_as_it_is_made(person: Person, namespace: str, jobset_definition: Path) -> None:
    """To the last field, by a strict server."""
    install(person.kubectl, jobset_definition)
    _, manifest = built(3, 2, podTemplate=TEMPLATE, queue={"name": "games"})
    manifest["metadata"] |= {"namespace": namespace}
    person.kubectl.apply(manifest, "--dry-run=server", "--validate=strict")
