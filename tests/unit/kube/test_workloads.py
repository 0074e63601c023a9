"""Why a held Job waits: every word that Kueue has for it, and what is said where Kueue says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ringrift_operator.domain.reasons import ONLY_WAITING
from ringrift_operator.kube.tasks import Sighting
from ringrift_operator.kube.workloads import unread, why_held, without_workload


def workload(*conditions: dict[str, str], active: bool = True, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "job-games-1f2e3", "namespace": "home", "labels": {"kueue.x-k8s.io/job-uid": "u"}},
        "spec": {"queueName": "games", "active": active},
        "status": {"conditions": list(conditions), **status},
    }


def condition(kind: str, is_true: bool, reason: str, message: str) -> dict[str, str]:
    return {"type": kind, "status": str(is_true), "reason": reason, "message": message}


def job(**named: str) -> dict[str, Any]:
    labels = {f"kueue.x-k8s.io/{name.replace('_', '-')}": value for name, value in named.items()}
    return {"metadata": {"name": "p-i1-selfplay-a1", "namespace": "home", "uid": "u", "labels": labels}, "spec": {}}


NO_ROOM = "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor machines, 2 more needed"
PREEMPTED = "Preempted to accommodate a workload (UID: 1, JobUID: 2) due to prioritization in the ClusterQueue"


def test_a_workload_that_waits_for_quota_says_which() -> None:
    held = why_held(workload(condition("QuotaReserved", False, "Pending", NO_ROOM)))
    assert held == Sighting(reason="Pending", message=NO_ROOM)
    assert held.reason in ONLY_WAITING


def test_a_preempted_workload_says_for_whom_though_it_waits_for_quota_as_well() -> None:
    evicted = condition("Evicted", True, "Preempted", f"{PREEMPTED}; preemptor path: /a; preemptee path: /b")
    held = why_held(workload(condition("QuotaReserved", False, "Pending", NO_ROOM), evicted))
    assert held == Sighting(reason="Preempted", message=PREEMPTED)
    assert held.reason in ONLY_WAITING


def test_it_is_preempted_while_its_pods_still_end() -> None:
    quota = condition("QuotaReserved", True, "QuotaReserved", "Quota reserved in ClusterQueue machines")
    assert why_held(workload(quota, condition("Evicted", True, "Preempted", PREEMPTED))).reason == "Preempted"


def test_an_eviction_that_is_over_is_not_said() -> None:
    quota = condition("QuotaReserved", True, "QuotaReserved", "Quota reserved in ClusterQueue machines")
    assert why_held(workload(quota, condition("Evicted", False, "QuotaReserved", "Previously: ..."))) == Sighting()


@pytest.mark.parametrize("message", ["LocalQueue games doesn't exist", "ClusterQueue machines is inactive"])
def test_a_queue_that_is_not_there_or_stopped_is_somebodys_to_mend(message: str) -> None:
    stopped = condition("Evicted", True, "ClusterQueueStopped", "The ClusterQueue is stopped")
    for before in ((), (stopped,)):
        held = why_held(workload(condition("QuotaReserved", False, "Inadmissible", message), *before))
        assert held == Sighting(reason="Inadmissible", message=message)
        assert held.reason not in ONLY_WAITING


def test_a_deactivated_workload_says_how_it_is_activated() -> None:
    evicted = condition("Evicted", True, "Deactivated", "The workload is deactivated")
    held = why_held(workload(evicted, active=False))
    assert held.reason == "Deactivated"
    assert held.message == ("The workload is deactivated: set spec.active of the Workload job-games-1f2e3 to true")


def test_a_job_that_kueue_cannot_start_is_somebodys_to_mend() -> None:
    """Where the nodes that its pool asks for are not those of the queue."""
    quota = condition("QuotaReserved", True, "QuotaReserved", "Quota reserved")
    said = "in template.spec: conflict for key=machine, value1=a, value2=b"
    held = why_held(workload(quota, condition("Finished", True, "FailedToStart", said)))
    assert (held.reason, held.reason in ONLY_WAITING) == ("FailedToStart", False)
    assert held.message.startswith(f"{said}: mend that in its pool or its queue's ResourceFlavor")


def test_admission_checks_are_named() -> None:
    quota = condition("QuotaReserved", True, "QuotaReserved", "Quota reserved")
    checks = [{"name": "machines", "state": "Pending", "message": "3 of 4"}, {"name": "paid", "state": "Ready"}]
    assert why_held(workload(quota, admissionChecks=checks)).message == "waits for the admission checks machines 3 of 4"


def test_a_workload_of_which_nothing_is_known_yet_has_no_reason() -> None:
    assert why_held(workload()) == why_held({"metadata": {"name": "w", "namespace": "n"}}) == Sighting()


def test_without_kueue_it_is_said_what_to_install() -> None:
    said = without_workload(job(queue_name="games"), is_kueue_there=False)
    assert said.reason == "NoWorkload"
    assert said.message.startswith("nothing in this cluster admits what waits in queue games: install Kueue")


def test_a_job_that_kueue_overlooks_asks_for_its_controller_and_its_priority() -> None:
    said = without_workload(job(queue_name="games", priority_class="low"), is_kueue_there=True)
    assert said.message.endswith("and is there a WorkloadPriorityClass low?")
    assert "PriorityClass" not in without_workload(job(queue_name="games"), is_kueue_there=True).message
    assert said.reason not in ONLY_WAITING


def test_a_job_that_somebody_holds_by_hand_says_how_to_let_it_go() -> None:
    said = without_workload(job(), is_kueue_there=True)
    assert said.reason == "Suspended"
    assert """kubectl patch job p-i1-selfplay-a1 --type=merge -p '{"spec": {"suspend": false}}'""" in said.message


def test_without_the_right_to_read_it_waits_all_the_same() -> None:
    said = unread(job(queue_name="games"), "workloads is forbidden")
    assert said.reason in ONLY_WAITING
    assert said.message == "in queue games; why, the operator may not read: workloads is forbidden"
