"""What a person reads while Kueue holds a pipeline's Jobs, and where what they wait for is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.operator_process import eventually
from tests.apiserver.person import Person, pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.cluster.queues import cluster_queue, local_queue
from tests.kueue.conftest import CPUS, made_namespace, pool, slot

IN_FLIGHT = "-l=ringrift.ai/pool"
"""Pods of the stages that take a slot."""


def applied(
    kubectl: Kubectl, *, queue: str = "games", priority: str | None = None, count: int = 2, cpu: int = 1
) -> Person:
    """A person with a pool of this queue, whose search asks for so many CPUs, and a small pipeline."""
    assert kubectl.namespace is not None
    work = slot("work", "cmaes", "evaluate", cpu=cpu)
    kubectl.apply(pool(slot("games", "selfplay", count=count), work, queue=queue, priority=priority))
    kubectl.apply(pipeline(kubectl.namespace, selfplay={"engineModes": ["heuristic-only"], "shardGames": 5}))
    return Person(kubectl)


def stage(person: Person, name: str) -> str:
    configurations = person.status().get("configurations", [{}])
    found: str = configurations[0].get("stages", {}).get(name, "")
    return found


def says(person: Person, kind: str, words: str, value: str = "True") -> str:
    """The condition's message, once the condition has this value and these words."""

    def found() -> str:
        condition = person.condition(kind)
        message: str = condition.get("message", "")
        return message if condition.get("status") == value and words in message else ""

    message: str = eventually(found, lambda: json.dumps(person.status(), indent=1)[-3000:])
    return message


def keep(directory: Path, name: str, person: Person) -> None:
    """What kubectl shows of the pipeline now."""
    seen = [person.kubectl("get", "tp", "-o", "wide"), person.kubectl("describe", "tp", person.name)]
    (directory / f"{name}.txt").write_text("\n".join(seen))


def jobs(person: Person, step: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.kubectl.get("jobs", "-l", f"ringrift.ai/step={step}")["items"]
    return found


@pytest.mark.usefixtures("worker")
def test_a_pipeline_of_queued_jobs_is_trained_to_its_end(kubectl: Kubectl) -> None:
    person = applied(kubectl, priority="background")
    status = person.sees(phase="Completed", games=20)
    assert status["tasks"]["failed"] == 0
    assert not [line for line in person.events() if line.startswith(("TaskFailed", "TaskPreempted", "NotCreated"))]


def test_what_there_is_no_quota_for_waits_with_kueues_words(
    kubectl: Kubectl, worker: Worker, output_directory: Path
) -> None:
    worker.holds |= {"selfplay", "cmaes"}
    person = applied(kubectl, cpu=CPUS)  # self-play takes what it gets, so that whoever comes second waits
    eventually(lambda: "Running" in (stage(person, "selfplay"), stage(person, "cmaes")))
    waiting = eventually(lambda: [each for each in ("selfplay", "cmaes") if stage(person, each) == "Queued"])
    said = says(person, "Reconciling", f"square8-2p: {waiting[0]} is held: Pending: couldn't assign flavors")
    assert "insufficient unused quota for cpu in flavor machines" in said
    assert waiting[0] not in person.status()["running"]
    assert person.condition("Degraded")["status"] == "False"
    keep(output_directory, "queued", person)


def test_selfplay_runs_with_as_many_pods_as_there_is_quota_for(kubectl: Kubectl, worker: Worker) -> None:
    worker.holds.add("selfplay")
    work = slot("work", "cmaes", "evaluate")
    assert kubectl.namespace is not None
    kubectl.apply(pool(slot("games", "selfplay", count=4), work))
    games = {"engineModes": ["heuristic-only"], "shardGames": 5}
    kubectl.apply(pipeline(kubectl.namespace, tracks=["network"], selfplay=games, network={"bootstrapEpochs": 1}))
    person = Person(kubectl)
    kubectl.apply(pool(slot("games", "selfplay", count=4), slot("work", "train", "evaluate")))
    eventually(lambda: stage(person, "selfplay") == "Running")
    (job,) = jobs(person, "selfplay")
    assert job["metadata"]["labels"]["ringrift.ai/parallelism"] == "4"
    assert job["spec"]["parallelism"] == 2, "there is quota for two"


@pytest.mark.usefixtures("worker")
def test_a_queue_that_is_not_there_is_a_sentence_until_it_is(kubectl: Kubectl, output_directory: Path) -> None:
    person = applied(kubectl, queue="nowhere")
    said = says(person, "Degraded", "selfplay is held: Inadmissible: LocalQueue nowhere doesn't exist")
    assert said
    keep(output_directory, "no-local-queue", person)
    kubectl.apply(local_queue("machines", "nowhere"))
    person.sees(phase="Completed", games=20)


@pytest.mark.usefixtures("worker")
def test_a_stopped_queue_is_a_sentence(kubectl: Kubectl) -> None:
    assert kubectl.namespace is not None
    name = f"stopped-{kubectl.namespace}"
    kubectl.apply(cluster_queue(name, CPUS, stopPolicy="Hold"))
    kubectl.apply(local_queue(name, "stopped"))
    person = applied(kubectl, queue="stopped")
    says(person, "Degraded", f"selfplay is held: Inadmissible: ClusterQueue {name} is")
    kubectl.apply(cluster_queue(name, CPUS))
    person.sees(phase="Completed", games=20)


@pytest.mark.usefixtures("worker")
def test_a_priority_that_is_not_there_is_asked_for(kubectl: Kubectl, output_directory: Path) -> None:
    person = applied(kubectl, priority="nobodys")
    said = "selfplay is held: NoWorkload: Kueue has made no Workload of it for queue games"
    assert "and is there a WorkloadPriorityClass nobodys?" in says(person, "Degraded", said)
    keep(output_directory, "no-priority-class", person)


@pytest.mark.usefixtures("worker")
def test_a_deactivated_workload_says_how_to_activate_it(kubectl: Kubectl) -> None:
    person = applied(kubectl, queue="nowhere")
    eventually(lambda: kubectl.get("workloads")["items"])
    for workload in kubectl.get("workloads")["items"]:
        kubectl("patch", "workload", workload["metadata"]["name"], "--type=merge", "-p", '{"spec": {"active": false}}')
    says(person, "Degraded", "selfplay is held: Deactivated: ")
    assert "set spec.active of the Workload" in person.condition("Degraded")["message"]


def test_two_namespaces_share_one_quota(kubectl: Kubectl, worker: Worker, control_plane: ControlPlane) -> None:
    """Two pipelines that each ask for more than half of the machines have them in turns, and both come to their end."""
    name = f"{kubectl.namespace}-other"
    other = made_namespace(control_plane, name)
    try:
        with Worker(control_plane.kubeconfig, name) as second:
            for each in (worker, second):
                each.holds |= {"selfplay", "cmaes"}
            people = (applied(kubectl), applied(other))

            def standing(wanted: str) -> list[str]:
                return [step for person in people for step in ("selfplay", "cmaes") if stage(person, step) == wanted]

            eventually(lambda: standing("Running") and standing("Queued"))
            assert sum(len(person.kubectl.get("pods", IN_FLIGHT)["items"]) for person in people) <= CPUS
            for each in (worker, second):
                each.holds.clear()
            for person in people:
                assert person.sees(phase="Completed", games=20)["tasks"]["failed"] == 0
    finally:
        control_plane.kubectl("delete", "namespace", name, "--wait=false")
