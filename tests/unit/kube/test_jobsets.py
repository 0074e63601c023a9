"""What JobSets and their Pods tell: how a training of several Pods can end, and whom it is laid to."""

from __future__ import annotations

from typing import Any

import pytest

from ringrift_core.contract import Stage
from ringrift_operator.domain.labels import labels_of
from ringrift_operator.domain.outcomes import Outcome, OutcomeKind, outcome_of
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.snapshot import ChildPhase, TaskIdentity, TaskObservation
from ringrift_operator.kube.jobsets import ended_jobset
from ringrift_operator.kube.pods import report
from ringrift_operator.kube.tasks import Sighting, container_of, job_phase, live_job, pods_of
from tests.unit.kube.test_tasks import NOW, ended, pod, result

TRAIN = TaskIdentity("p", "square8-2p", 1, "train", 1, pool="pool", slot="gpu", parallelism=2)
LATER = "2026-01-31T12:00:05Z"


def jobset(condition: str = "", reason: str = "", message: str = "", **status: Any) -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True", "reason": reason, "message": message}] if condition else []
    container = {"name": "stage", "resources": {"limits": {"memory": "4Gi"}}}
    template = {"spec": {"template": {"spec": {"containers": [container]}}}}
    return {
        "metadata": {"name": "set", "namespace": "n", "uid": "u", "labels": labels_of(TRAIN, SHIPPED.steps["train"])},
        "spec": {"replicatedJobs": [{"name": "node", "replicas": 1, "template": template}]},
        "status": {"conditions": conditions, **status},
    }


def job(condition: str, reason: str = "", message: str = "") -> dict[str, Any]:
    """The one of the JobSet."""
    conditions = [{"type": condition, "status": "True", "reason": reason, "message": message}]
    return {"metadata": {"name": "set-node-0"}, "spec": {}, "status": {"conditions": conditions}}


FAILED = jobset("Failed", "ReachedMaxRestarts", "jobset failed due to reaching max number of restarts")
EXCEEDED = job("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")


def after(
    finished: dict[str, Any], inner: dict[str, Any], *pods: dict[str, Any], seen: Sighting | None = None
) -> TaskObservation:
    return ended_jobset(finished, TRAIN, [inner], [report(each) for each in pods], seen)


def judged(task: TaskObservation) -> Outcome:
    return outcome_of(task, SHIPPED.steps["train"].handling)


def deleted(of: dict[str, Any]) -> dict[str, Any]:
    return {**of, "metadata": {**of["metadata"], "deletionTimestamp": NOW}}


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ({}, ChildPhase.WAITING),
        ({"replicatedJobsStatus": [{"name": "node", "ready": 0, "active": 1}]}, ChildPhase.WAITING),
        ({"replicatedJobsStatus": [{"name": "node", "ready": 1, "active": 1}]}, ChildPhase.RUNNING),
    ],
)
def test_it_runs_once_all_of_its_pods_do(status: dict[str, Any], phase: ChildPhase) -> None:
    assert job_phase(jobset(**status)) == phase
    assert live_job(jobset(**status), TRAIN, None).phase == phase


def test_one_that_is_held_is_queued_and_one_that_has_ended_is_not() -> None:
    held = jobset()
    held["spec"]["suspend"] = True
    assert job_phase(held) == ChildPhase.QUEUED
    over = jobset("Completed")
    over["spec"]["suspend"] = True
    assert job_phase(over) == ChildPhase.SUCCEEDED


def test_its_pods_are_found_by_its_own_uid_and_its_stage_in_the_template() -> None:
    assert pods_of(jobset()) == "jobset.sigs.k8s.io/jobset-uid=u"
    assert container_of(jobset())["name"] == "stage"


def test_the_first_pod_has_the_result() -> None:
    pods = [ended(0, "", index=1), ended(0, result(Stage.TRAIN), index=0)]
    task = after(jobset("Completed"), job("Complete"), *pods)
    assert task.phase == ChildPhase.SUCCEEDED
    assert task.result is not None
    assert task.result.stage == Stage.TRAIN
    without = after(jobset("Completed"), job("Complete"), ended(0, result(Stage.TRAIN), index=1), ended(0, index=0))
    assert judged(without).kind == OutcomeKind.FAILED


def test_a_drained_pod_costs_no_attempt_though_the_others_crash_for_want_of_it() -> None:
    taken = job("Failed", "PodFailurePolicy", "Pod n/set-node-0-1 has condition DisruptionTarget matching FailJob rule")
    gone = judged(after(FAILED, taken, ended(1, "connection closed by peer", index=0)))
    assert gone.kind == OutcomeKind.NOT_NOW
    assert "set-node-0-1 has condition DisruptionTarget" in gone.message
    seen = judged(after(FAILED, EXCEEDED, ended(1, index=0), ended(137, index=1, disrupted=True)))
    assert seen.kind == OutcomeKind.NOT_NOW


@pytest.mark.parametrize(
    "lost",
    [
        pod({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}, 1, phase="Failed"),
        pod({"running": {"startedAt": NOW}}, 1, conditions=[{"type": "DisruptionTarget", "status": "True"}]),
    ],
    ids=["its machine came back", "its machine does not answer"],
)
def test_a_pod_that_is_lost_with_its_machine_costs_no_attempt_though_the_others_crash(lost: dict[str, Any]) -> None:
    crashed = ended(1, "connection closed by peer", index=0)
    assert judged(after(FAILED, EXCEEDED, crashed, lost)).kind == OutcomeKind.NOT_NOW
    assert judged(after(FAILED, EXCEEDED, crashed, ended(137, index=1))).kind == OutcomeKind.FAILED


def test_those_that_have_lost_one_whose_machine_died_cost_no_attempt_though_nobody_says_so() -> None:
    lost = ended(75, "another of the processes that train together is gone", index=0)
    silent = pod({"running": {"startedAt": NOW}}, 1)
    assert judged(after(FAILED, EXCEEDED, lost, silent)).kind == OutcomeKind.NOT_NOW


def test_all_that_saved_and_said_not_now_cost_no_attempt() -> None:
    assert judged(after(FAILED, EXCEEDED, ended(75, "saved", index=0), ended(75, index=1))).kind == OutcomeKind.NOT_NOW


@pytest.mark.parametrize(
    ("first", "second", "kind", "said"),
    [
        (ended(137, "", "OOMKilled", index=1), ended(75, "closed by peer", index=0), OutcomeKind.FAILED, "OOMKilled"),
        (ended(3, "loss is nan", index=0), ended(75, "closed by peer", index=1), OutcomeKind.HOPELESS, "loss is nan"),
        (ended(1, "boom", index=1), ended(75, "was told to stop", index=0, at=LATER), OutcomeKind.FAILED, "boom"),
        (
            ended(1, "boom", index=1),
            deleted(ended(75, "was told to stop", index=0)),
            OutcomeKind.FAILED,
            "boom",
        ),
    ],
)
def test_it_is_laid_to_the_pod_that_began_it(
    first: dict[str, Any], second: dict[str, Any], kind: OutcomeKind, said: str
) -> None:
    for pods in ((first, second), (second, first)):
        outcome = judged(after(FAILED, EXCEEDED, *pods))
        assert (outcome.kind, said in outcome.message) == (kind, True), outcome


def test_a_deadline_is_that_of_all_of_them_and_counts() -> None:
    saved = {"terminated": {"exitCode": 75, "reason": "Error", "message": "saved", "finishedAt": LATER}}
    late = pod(saved, 1, phase="Failed", reason="DeadlineExceeded", message="Pod was active for too long")
    outcome = judged(after(FAILED, EXCEEDED, ended(75, "saved", index=0), late))
    assert outcome == Outcome(OutcomeKind.FAILED, "Pod was active for too long")


def test_without_pods_the_platforms_words_are_all_there_is() -> None:
    seen = Sighting(reason="ImagePullBackOff", message="no such image")
    outcome = judged(after(FAILED, EXCEEDED, seen=seen))
    assert outcome.kind == OutcomeKind.FAILED
    assert outcome.message == "Job has reached the specified backoff limit (ImagePullBackOff: no such image)"
