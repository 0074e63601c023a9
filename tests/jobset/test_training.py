"""Training on two nodes, by a real JobSet."""

from __future__ import annotations

from typing import Any

from tests.apiserver.operator_process import eventually
from tests.apiserver.person import Person
from tests.apiserver.test_jobsets import TRAINING, ends, jobsets, on_two_nodes, pods
from tests.apiserver.worker import Worker


def trains(person: Person, worker: Worker) -> dict[int, dict[str, Any]]:
    """The Pods of the first attempt, which run on."""
    worker.holds.add("train")
    person.kubectl.apply(TRAINING)
    person.kubectl.apply(on_two_nodes(person.kubectl.namespace or ""))
    eventually(lambda: len(pods(person, 1)) == 2, lambda: person.status())
    return pods(person, 1)


def test_the_first_pod_is_where_the_others_look_for_it(person: Person, worker: Worker) -> None:
    found = trains(person, worker)
    arguments = found[1]["spec"]["containers"][0]["args"]
    address = arguments[arguments.index("--master-addr") + 1]
    spec = found[0]["spec"]
    assert address == f"{spec['hostname']}.{spec['subdomain']}"
    service = person.kubectl.get("service", spec["subdomain"])["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    assert service["selector"].items() <= found[0]["metadata"]["labels"].items()
    worker.holds.clear()
    assert person.sees(phase="Completed", promotions=1)["tasks"]["failed"] == 0
    eventually(lambda: jobsets(person) == [])


def test_a_drained_pod_costs_no_attempt_and_a_crash_one(person: Person, worker: Worker) -> None:
    drained = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    ends(person.kubectl, trains(person, worker)[1], 75, drained)
    eventually(lambda: len(pods(person, 2)) == 2, lambda: person.status())
    assert person.status()["tasks"]["failed"] == 0
    ends(person.kubectl, pods(person, 2)[0], 1)
    eventually(lambda: len(pods(person, 3)) == 2, lambda: person.status())
    assert person.status()["tasks"]["failed"] == 1
    worker.holds.clear()
    assert person.sees(phase="Completed", promotions=1)["tasks"]["failed"] == 1
