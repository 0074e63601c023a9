"""What Jobs and their Pods tell: every way in which a stage can end, or not begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringrift_core.contract import Artifact, Result, Stage, StageResult
from ringrift_operator.domain.labels import labels_of
from ringrift_operator.domain.outcomes import Outcome, OutcomeKind, outcome_of
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.snapshot import ChildPhase, TaskIdentity, TaskObservation
from ringrift_operator.kube.pods import PodPhase, last_progress, no_progress_since, report
from ringrift_operator.kube.tasks import (
    Sighting,
    ended_job,
    indexed_progress,
    job_phase,
    live_job,
    not_starting,
    pods_of,
)
from tests.results import USUAL, played

NOW = "2026-01-31T12:00:00Z"
CMAES = TaskIdentity("p", "square8-2p", 1, "cmaes", 1, pool="pool", slot="work")
SELFPLAY = TaskIdentity("p", "square8-2p", 1, "selfplay", 1, pool="pool", slot="work", parallelism=2)


def result(stage: Stage, found: Result | None = None) -> str:
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    candidate = {"candidate": Artifact(uri="s3://bucket/candidate", sha256="0" * 64, bytes=1)}
    outputs = candidate if stage == Stage.CMAES else {}
    return StageResult(
        stage=stage,
        started_at=moment,
        finished_at=moment,
        result=found or USUAL[stage],
        outputs=outputs,
        message="done",
    ).to_json()


def pod(state: dict[str, Any], index: int | None = None, phase: str = "Running", **status: Any) -> dict[str, Any]:
    annotations = {} if index is None else {"batch.kubernetes.io/job-completion-index": str(index)}
    containers = [{"name": "stage", "state": state}] if state else []
    return {
        "metadata": {"name": f"pod-{index}", "annotations": annotations},
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


def ended(
    exit_code: int,
    message: str = "",
    reason: str = "",
    index: int | None = None,
    at: str = NOW,
    disrupted: bool = False,
) -> dict[str, Any]:
    state = {"exitCode": exit_code, "message": message, "reason": reason, "startedAt": NOW, "finishedAt": at}
    conditions = [{"type": "DisruptionTarget", "status": "True"}] if disrupted else []
    return pod({"terminated": state}, index, "Failed" if exit_code else "Succeeded", conditions=conditions)


def job(condition: str = "", reason: str = "", message: str = "", **spec: Any) -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True", "reason": reason, "message": message}] if condition else []
    container = {"name": "stage", "resources": {"limits": {"memory": "4Gi"}}}
    return {
        "metadata": {"name": "job", "namespace": "n", "labels": labels_of(CMAES, SHIPPED.steps["cmaes"])},
        "spec": {"template": {"spec": {"containers": [container]}}, **spec},
        "status": {"startTime": NOW, "conditions": conditions},
    }


def after(
    finished: dict[str, Any], *pods: dict[str, Any], who: TaskIdentity = CMAES, seen: Sighting | None = None
) -> TaskObservation:
    finished["metadata"]["labels"] = labels_of(who, SHIPPED.steps[who.step])
    return ended_job(finished, who, [report(each) for each in pods], seen)


def judged(task: TaskObservation) -> Outcome:
    return outcome_of(task, SHIPPED.steps[task.identity.step].handling)


def test_exit_zero_with_a_result_is_done() -> None:
    task = after(job("Complete"), ended(0, result(Stage.CMAES)))
    assert task.phase == ChildPhase.SUCCEEDED
    assert task.result is not None
    assert judged(task).kind == OutcomeKind.DONE


@pytest.mark.parametrize("message", ["", "not JSON", '{"stage": "cmaes"}', result(Stage.TRAIN)])
def test_exit_zero_without_a_valid_result_is_a_failure(message: str) -> None:
    outcome = judged(after(job("Complete"), ended(0, message)))
    assert outcome.kind == OutcomeKind.FAILED
    assert "without a valid result" in outcome.message


def test_selfplay_sums_over_indexes_and_an_index_needs_no_message() -> None:
    pods = [ended(0, result(Stage.SELFPLAY, played(50, 1)), index=0), ended(0, "", index=1)]
    pods.append(ended(0, result(Stage.SELFPLAY, played(30, 2)), index=2))
    task = after(job("Complete", completionMode="Indexed"), *pods, who=SELFPLAY)
    assert judged(task).kind == OutcomeKind.DONE
    assert task.result is not None
    assert task.result.result == played(80, 3)


def test_the_pods_of_a_job_are_asked_for_by_its_uid() -> None:
    """Not by its name, which an earlier Job had, whose Pods may still be there."""
    asked = {pods_of({"metadata": {"name": "job", "uid": uid}, "spec": {}}) for uid in ("first", "second")}
    assert asked == {f"batch.kubernetes.io/controller-uid={uid}" for uid in ("first", "second")}


def test_an_indexed_job_counts_the_shards_that_have_ended_and_no_other_does() -> None:
    def seen(indexed: dict[str, Any], **status: int) -> int | None:
        live = job(completions=4, **indexed)
        live["status"].update(status)
        live["metadata"]["labels"] = labels_of(SELFPLAY, SHIPPED.steps["selfplay"])
        return live_job(live, SELFPLAY, Sighting(progress=0.9)).ended_indexes

    assert [seen({"completionMode": "Indexed"}, **status) for status in ({}, {"ready": 2}, {"succeeded": 3})] == [
        0,
        0,
        3,
    ]
    assert seen({}, succeeded=1) is None


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ((0, 75, 0), OutcomeKind.NOT_NOW),
        ((75, 1, 0), OutcomeKind.FAILED),
        ((75, 1, 2), OutcomeKind.HOPELESS),
        ((3,), OutcomeKind.HOPELESS),
        ((137,), OutcomeKind.FAILED),
    ],
)
def test_the_worst_index_decides(codes: tuple[int, ...], kind: OutcomeKind) -> None:
    pods = [ended(code, f"said {code}", index=index) for index, code in enumerate(codes)]
    assert judged(after(job("Failed", completionMode="Indexed"), *pods, who=SELFPLAY)).kind == kind


def test_memory_is_named_with_its_limit() -> None:
    task = after(job("Failed", "BackoffLimitExceeded"), ended(137, "", "OOMKilled"))
    assert (task.exit_code, task.reason) == (137, "OOMKilled")
    assert judged(task).message == "exit code 137: OOMKilled: it needs more than its limit of 4Gi of memory"


def test_a_failed_stage_is_quoted() -> None:
    assert judged(after(job("Failed"), ended(1, "Traceback\nValueError: no\n", "Error"))).message == (
        "exit code 1: Traceback\nValueError: no"
    )


def test_a_drained_pod_says_nothing_about_the_stage() -> None:
    pods = [ended(75, "drained", disrupted=True), ended(0, result(Stage.CMAES), at="2026-01-31T13:00:00Z")]
    assert judged(after(job("Complete"), *pods)).kind == OutcomeKind.DONE


LIMIT_REACHED = "Job has reached the specified backoff limit"
UNSEEN = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "not located"}}


@pytest.mark.parametrize(
    "left",
    [
        [],
        [pod(UNSEEN, phase="Failed")],
        [
            pod(
                {"running": {"startedAt": NOW}},
                phase="Failed",
                conditions=[{"type": "DisruptionTarget", "status": "True"}],
            )
        ],
    ],
    ids=["deleted", "its machine came back", "its machine was given up"],
)
def test_a_pod_that_is_lost_with_its_machine_costs_no_attempt(left: list[dict[str, Any]]) -> None:
    outcome = judged(after(job("Failed", "BackoffLimitExceeded", LIMIT_REACHED), *left))
    assert outcome == Outcome(OutcomeKind.NOT_NOW, f"its Pod was deleted, or lost with its machine: {LIMIT_REACHED}")


def test_an_index_that_is_lost_with_its_machine_hides_no_crash() -> None:
    shards = job("Failed", "FailedIndexes", completionMode="Indexed")
    lost = pod(UNSEEN, index=1, phase="Failed")
    assert judged(after(shards, ended(0, index=0), lost, who=SELFPLAY)).kind == OutcomeKind.NOT_NOW
    assert judged(after(shards, ended(1, index=0), lost, who=SELFPLAY)).kind == OutcomeKind.FAILED


def test_a_stage_that_filled_its_nodes_disk_counts_though_nobody_saw_it_end() -> None:
    evicted = pod(UNSEEN, phase="Failed", reason="Evicted", message="local ephemeral storage")
    assert judged(after(job("Failed", "BackoffLimitExceeded"), evicted)).kind == OutcomeKind.FAILED


def test_an_evicted_pod_is_a_failure_with_the_kubelets_words() -> None:
    evicted = pod({}, phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    task = after(job("Failed", "BackoffLimitExceeded"), evicted)
    assert (task.exit_code, task.reason) == (None, "Evicted")
    assert judged(task).message == "The node was low on resource: memory."


def test_a_deadline_counts_whatever_the_stage_said_when_it_was_ended() -> None:
    late = job("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    outcome = judged(after(late, ended(75, "saved")))
    assert outcome.kind == OutcomeKind.FAILED
    assert outcome.message == "Job was active longer than specified deadline"


def test_a_deadline_of_an_image_that_never_came_says_so() -> None:
    late = job("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
    outcome = judged(after(late, seen=Sighting(reason="ImagePullBackOff", message="no such image")))
    assert outcome.message.endswith("(ImagePullBackOff: no such image)")


LATE = "Pod was active on the node longer than the specified deadline"


def test_a_deadline_of_the_pod_counts_whatever_the_stage_said_when_it_was_ended() -> None:
    saved = {"terminated": {"exitCode": 75, "reason": "Error", "message": "saved", "finishedAt": NOW}}
    late = pod(saved, phase="Failed", reason="DeadlineExceeded", message=LATE)
    task = after(job("Failed", "BackoffLimitExceeded"), late)
    assert (task.exit_code, task.reason) == (None, "DeadlineExceeded")
    outcome = judged(task)
    assert (outcome.kind, outcome.message) == (OutcomeKind.FAILED, LATE)


def test_a_pod_whose_image_never_came_says_so_at_its_deadline() -> None:
    late = pod({"waiting": {"reason": "ImagePullBackOff"}}, phase="Failed", reason="DeadlineExceeded", message=LATE)
    pulling = Sighting(reason="ImagePullBackOff", message="no such image")
    outcome = judged(after(job("Failed", "BackoffLimitExceeded"), late, seen=pulling))
    assert outcome.message == f"{LATE} (ImagePullBackOff: no such image)"


def test_why_a_pod_does_not_start() -> None:
    pulling = pod({"waiting": {"reason": "ErrImagePull", "message": "not\n found"}}, phase="Pending")
    creating = pod({"waiting": {"reason": "ContainerCreating"}}, phase="Pending")
    full = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}
    unscheduled = pod({}, phase="Pending", conditions=[full])
    running = pod({"running": {"startedAt": NOW}})
    assert [report(each).reason for each in (pulling, creating, unscheduled)] == ["ErrImagePull", "", "Unschedulable"]
    assert report(pulling).message == "not found"
    assert not_starting([report(creating)]) is None
    assert not_starting([report(creating), report(unscheduled)]) == report(unscheduled)
    assert not_starting([report(running), report(unscheduled)]) is None
    assert not_starting([report(running), report(unscheduled)], together=True) == report(unscheduled)
    assert report(running).phase == PodPhase.RUNNING


@pytest.mark.parametrize("pods", [{}, {"ready": 2}, {"succeeded": 1, "terminating": 1}])
def test_a_suspended_job_is_held_whatever_is_left_of_its_pods(pods: dict[str, int]) -> None:
    held = job(suspend=True, completionMode="Indexed", completions=4)
    held["status"] |= pods
    task = live_job(held, SELFPLAY, Sighting(reason="Preempted", message="for others"))
    assert (task.phase, task.reason, task.message) == (ChildPhase.QUEUED, "Preempted", "for others")
    assert task.is_live


def test_a_job_that_ended_while_it_was_held_has_ended() -> None:
    assert job_phase(job("Failed", suspend=True)) == ChildPhase.FAILED


def test_silence_before_a_job_was_held_is_not_that_of_its_new_pods() -> None:
    resumed = job()
    resumed["status"] |= {"ready": 1, "startTime": "2026-01-31T12:00:00Z"}
    start = datetime(2026, 1, 31, 12, tzinfo=UTC)
    before, later = start - timedelta(hours=3), start + timedelta(minutes=1)
    assert live_job(resumed, CMAES, Sighting(heard_at=before)).heard_at == start
    assert live_job(resumed, CMAES, Sighting(heard_at=later)).heard_at == later
    assert live_job(resumed, CMAES, Sighting()).heard_at is None


def test_a_job_is_known_until_its_pods_were_last_looked_at() -> None:
    runs = job()
    runs["status"] |= {"ready": 1, "startTime": "2026-01-31T12:00:00Z"}
    start = datetime(2026, 1, 31, 12, tzinfo=UTC)
    later = start + timedelta(minutes=33)
    assert live_job(runs, CMAES, None).looked_at == start
    assert live_job(runs, CMAES, Sighting(looked_at=later)).looked_at == later
    assert live_job(runs, CMAES, Sighting(looked_at=start - timedelta(hours=1))).looked_at == start
    assert Sighting(looked_at=start) == Sighting(looked_at=later), "to have looked again is no news"


def test_a_job_that_has_started_no_longer_shows_why_it_did_not() -> None:
    started = job()
    started["status"]["ready"] = 1
    task = live_job(started, CMAES, Sighting(reason="ImagePullBackOff", message="no such image"))
    assert (task.phase, task.reason, task.message) == (ChildPhase.RUNNING, "", "")


def test_progress_is_the_newest_line_that_is_one() -> None:
    lines = [
        '2026-01-01T00:00:01.5Z {"kind": "progress", "stage": "cmaes", "progress": 0.25}',
        '2026-01-01T00:00:02.123456789Z {"kind": "progress", "stage": "cmaes", "progress": 0.5, "message": "five"}',
        '2026-01-01T00:00:03Z {"level": "info", "message": "no progress"}',
        '2026-01-01T00:00:04Z {"kind": "progress", "stage": "cmaes", "pro',
    ]
    found = last_progress("\n".join(lines))
    assert found is not None
    told_at, progress = found
    assert told_at == datetime(2026, 1, 1, 0, 0, 2, 123456, tzinfo=UTC)
    assert (progress.progress, progress.message) == (0.5, "five")
    assert last_progress("nothing of the kind") is None


def test_a_stage_without_progress_is_silent_since_its_start_or_since_before_its_last_lines() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [f"2026-01-01T00:0{minute}:00Z a word" for minute in range(1, 5)]
    assert no_progress_since("", 4, start) == start
    assert no_progress_since("\n".join(lines[:3]), 4, start) == start
    assert no_progress_since("\n".join(lines), 4, start) == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert no_progress_since("no time\n" * 4, 4, start) is None


def test_progress_of_an_indexed_job_is_over_all_indexes() -> None:
    indexed = job(completionMode="Indexed", completions=4)
    assert indexed_progress(indexed, []) is None
    indexed["status"]["succeeded"] = 2
    assert indexed_progress(indexed, [0.5, 0.1]) == pytest.approx(0.65)


def test_what_the_job_counts_itself_is_known_before_the_next_look() -> None:
    indexed = job(completionMode="Indexed", completions=4)
    assert live_job(indexed, SELFPLAY, None).progress is None
    indexed["status"]["succeeded"] = 2
    assert live_job(indexed, SELFPLAY, None).progress == 0.5
    assert live_job(indexed, SELFPLAY, Sighting(progress=0.2)).progress == 0.5
    assert live_job(indexed, SELFPLAY, Sighting(progress=0.6)).progress == 0.6
