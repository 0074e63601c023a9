"""Jobs that a queue holds, where nobody admits them but the test: it suspends and resumes Jobs as Kueue does.

What the Job controller makes of a suspension is real here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ringrift_operator.builders.queue import PRIORITY_LABEL, QUEUE_LABEL
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane

QUEUED = {**POOL, "spec": {**POOL["spec"], "queue": {"name": "games", "priorityClass": "background"}}}
"""The pool of the other tests, with a queue."""


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture
def queued(person: Person) -> Person:
    """A person whose pool has a queue."""
    person.kubectl.apply(QUEUED)
    return person


def held(person: Person) -> list[dict[str, Any]]:
    return [job for job in person.kubectl.get("jobs")["items"] if job["spec"].get("suspend")]


def set_suspended(person: Person, step: str, is_suspended: bool) -> None:
    """What Kueue does to the Jobs of a step."""
    patch = json.dumps({"spec": {"suspend": is_suspended}})
    for job in person.kubectl.get("jobs", "-l", f"ringrift.ai/step={step}")["items"]:
        person.kubectl("patch", "job", job["metadata"]["name"], "--type=merge", "-p", patch)


def stage(person: Person, name: str) -> str:
    (configuration,) = person.status().get("configurations", [{}])
    found: str = configuration.get("stages", {}).get(name, "")
    return found


@pytest.mark.usefixtures("worker")
def test_without_kueue_what_is_held_says_so_and_goes_on_once_it_is_let(queued: Person, namespace: str) -> None:
    queued.kubectl.apply(pipeline(namespace))
    eventually(lambda: queued.condition("Degraded").get("status") == "True")
    said = queued.condition("Degraded")["message"]
    assert (
        "selfplay is held: NoWorkload: nothing in this cluster admits what waits in queue games: install Kueue" in said
    )
    assert said in queued.condition("Reconciling")["message"]
    assert stage(queued, "selfplay") == "Queued"
    assert queued.status().get("running", "") == ""
    assert "square8-2p: selfplay is held: NoWorkload: " in queued.kubectl("get", "tp", "-o", "wide")
    jobs = held(queued)
    assert {job["metadata"]["labels"][QUEUE_LABEL] for job in jobs} == {"games"}
    assert {job["metadata"]["labels"][PRIORITY_LABEL] for job in jobs} == {"background"}
    assert queued.kubectl.get("pods", "-l", "ringrift.ai/step=selfplay")["items"] == []
    eventually(lambda: queued.kubectl.get("wp", "pool")["status"]["busy"] == 3)  # in flight: two shards, one search
    while queued.status().get("phase") != "Completed":
        for job in held(queued):
            set_suspended(queued, job["metadata"]["labels"]["ringrift.ai/step"], is_suspended=False)
    status = queued.sees(phase="Completed", games=20)
    assert status["tasks"]["failed"] == 0
    assert queued.condition("Degraded")["status"] == "False"


def test_a_machine_that_is_taken_back_costs_no_attempt(queued: Person, worker: Worker, namespace: str) -> None:
    worker.holds.add("selfplay")
    queued.kubectl.apply(pipeline(namespace, alerts={"selfplayStall": "1s"}))
    eventually(lambda: stage(queued, "selfplay") == "Queued")
    (job,) = queued.kubectl.get("jobs", "-l", "ringrift.ai/step=selfplay")["items"]
    for _ in range(2):
        set_suspended(queued, "selfplay", is_suspended=False)
        eventually(lambda: "selfplay" in queued.status().get("running", ""))
        set_suspended(queued, "selfplay", is_suspended=True)
        eventually(lambda: stage(queued, "selfplay") == "Queued")
        assert queued.status().get("running", "") == ""
        eventually(lambda: queued.condition("SelfplayStalled")["status"] == "False")
    (same,) = queued.kubectl.get("jobs", "-l", "ringrift.ai/step=selfplay")["items"]
    assert same["metadata"]["uid"] == job["metadata"]["uid"]
    assert same["status"].get("failed", 0) == 0
    told = [line for line in queued.events() if line.startswith("TaskPreempted")]
    assert len(told) == 2, told
    worker.holds.clear()
    set_suspended(queued, "selfplay", is_suspended=False)
    while queued.status().get("phase") != "Completed":
        for each in held(queued):
            set_suspended(queued, each["metadata"]["labels"]["ringrift.ai/step"], is_suspended=False)
    status = queued.sees(phase="Completed", games=20)
    assert status["tasks"]["failed"] == 0
    assert not [line for line in queued.events() if "Failed" in line or "Delayed" in line]


def test_a_job_that_somebody_suspends_by_hand_says_how_to_let_it_go(
    person: Person, worker: Worker, namespace: str
) -> None:
    worker.holds.add("selfplay")
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: "selfplay" in person.status().get("running", ""))
    set_suspended(person, "selfplay", is_suspended=True)
    eventually(lambda: "it names no queue, so somebody holds it by hand" in person.condition("Degraded")["message"])
