"""Jobs and RemoteTasks as the domain sees them: pure functions from objects, and what was read of their Pods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ringrift_core.contract import ExitCode, StageResult
from ringrift_operator.api.remotetask import ENDED, RemoteTask, TaskPhase
from ringrift_operator.domain.labels import stage_from
from ringrift_operator.domain.outcomes import worst_exit_code
from ringrift_operator.domain.reasons import ChildReason
from ringrift_operator.domain.results import sum_results
from ringrift_operator.domain.silence import TaskSeen
from ringrift_operator.domain.snapshot import ChildPhase, TaskIdentity, TaskObservation
from ringrift_operator.kube.pods import MESSAGE_LIMIT, PodPhase, PodReport, decisive
from ringrift_operator.kube.resource import Object, is_going

FIRST_RANK = 0
"""Index of a JobSet's Pod whose first process leads: it alone tells progress, and leaves the result."""

ENDS = {"Complete": ChildPhase.SUCCEEDED, "Completed": ChildPhase.SUCCEEDED, "Failed": ChildPhase.FAILED}
"""Conditions of a Job, and of a JobSet, that has ended."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one worker has taken of its machine, as it told last."""

    worker: str
    """Name of the Pod, or of the RemoteTask."""
    cpu_seconds: float
    gpu: float | None
    """Part of the time in which its GPU worked; None without one."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was last read of a live Job's Pods, or, while it is held, of its Workload."""

    progress: float | None = None
    message: str = ""
    heard_at: datetime | None = None
    """When the most silent of its running Pods told that, or began."""
    reason: str = ""
    """Why it does not start or is held: ImagePullBackOff, Unschedulable, Preempted; empty while it runs."""
    looked_at: datetime | None = field(default=None, compare=False)
    """When that was; another look that finds the same is no news."""
    usage: tuple[Usage, ...] = field(default=(), compare=False)
    """Of its running Pods, for whoever asks: it is no news either."""


def job_phase(job: Object) -> ChildPhase:
    """A Job, or JobSet, is over when it says so by a condition, and held while it is suspended, whatever is left of its
    Pods.

    Else it runs when a container of these does; a JobSet when all have begun, since none can work before.
    """
    status = job.get("status", {})
    for condition in status.get("conditions", ()):
        if condition["status"] == "True" and condition["type"] in ENDS:
            return ENDS[condition["type"]]
    if job["spec"].get("suspend"):
        return ChildPhase.QUEUED
    counts = status.get("replicatedJobsStatus", ()) if is_jobset(job) else (status,)
    runs = any(each.get("ready", 0) > 0 or each.get("succeeded", 0) > 0 for each in counts)
    return ChildPhase.RUNNING if runs else ChildPhase.WAITING


def is_jobset(job: Object) -> bool:
    """Whether a task's object is a JobSet; a list of Jobs does not say of each of them what it is."""
    return "replicatedJobs" in job["spec"]


def is_indexed(job: Object) -> bool:
    """Whether it counts its Pods' ends one by one."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def pods_of(job: Object) -> str:
    """Selector of the own Pods of a Job or JobSet, and of a JobSet's Jobs: those of an earlier one of its name are not
    its."""
    label = "jobset.sigs.k8s.io/jobset-uid" if is_jobset(job) else "batch.kubernetes.io/controller-uid"
    return f"{label}={job['metadata']['uid']}"


def container_of(job: Object) -> Object:
    """The container in which the stage runs, in each Pod of a Job or JobSet."""
    spec = job["spec"]["replicatedJobs"][0]["template"]["spec"] if is_jobset(job) else job["spec"]
    container: Object = spec["template"]["spec"]["containers"][0]
    return container


def without_pods(events: Sequence[Object], controller: str = "the controller manager") -> Sighting:
    """Why a Job gets no Pod, by its events: the newest warning, without the name of the Pod that was refused."""
    warnings = [event for event in events if event.get("type") == "Warning"]
    if not warnings:
        message = f"its Job has got no Pod, and no event says why: does {controller} work?"
        return Sighting(reason=ChildReason.NO_PODS, message=message)
    newest = max(warnings, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    said = " ".join(newest.get("message", "").split())
    # Each try has a Pod of another name: the same refusal would be news each time.
    said = re.sub(r'pods? "[^"]*" is forbidden', "its Pod is forbidden", said.removeprefix("Error creating: "))
    return Sighting(reason=newest.get("reason", ""), message=said[:MESSAGE_LIMIT])


def live_job(job: Object, identity: TaskIdentity, sighting: Sighting | None) -> TaskObservation:
    """A Job that has not ended."""
    phase = job_phase(job)
    seen = sighting or Sighting()
    if phase == ChildPhase.RUNNING and seen.reason:
        seen = Sighting()  # it has started since
    started_at = time_of(job.get("status", {}).get("startTime"))
    # What Pods told before the Job was held is not the silence of those that run now.
    heard_at = seen.heard_at if started_at is None else _later(seen.heard_at, started_at)
    # What the Job itself counts is there before the next look at its Pods.
    done = [each for each in (seen.progress, indexed_progress(job, ())) if each is not None]
    return TaskObservation(
        name=job["metadata"]["name"],
        identity=identity,
        phase=phase,
        stage=stage_from(job["metadata"]["labels"]),
        reason=seen.reason,
        progress=max(done, default=None),
        ended_indexes=job.get("status", {}).get("succeeded", 0) if is_indexed(job) else None,
        message=seen.message,
        heard_at=heard_at if phase == ChildPhase.RUNNING else None,
        looked_at=_later(seen.looked_at, started_at) if seen.looked_at and started_at else started_at,
        started_at=started_at,
        deleting=is_going(job),
    )


def ended_job(
    job: Object, identity: TaskIdentity, pods: Sequence[PodReport], sighting: Sighting | None
) -> TaskObservation:
    """A Job that has ended, by what its Pods left."""
    phase = job_phase(job)
    reports = decisive(pods)
    status = job["status"]
    end = next(each for each in status["conditions"] if each["type"] in ("Complete", "Failed"))
    result: StageResult | None = None
    exit_code: int | None = None
    reason = message = ""
    if phase == ChildPhase.SUCCEEDED:
        results = [report.result for report in reports if report.result is not None]
        result = sum_results(results) if is_indexed(job) else next(iter(results[-1:]), None)
        message = result.message if result else next((each.message for each in reports), "")
    else:
        # What a stage says while it is ended for taking too long is beside the point.
        took_too_long = end.get("reason") == ChildReason.DEADLINE_EXCEEDED
        failed = [] if took_too_long else [report for report in reports if report.exit_code != 0]
        exit_code = worst_exit_code(report.exit_code for report in failed if report.exit_code is not None)
        decider = next((report for report in failed if report.exit_code == exit_code), None)
        reason, message = failure_of(job, end, decider, sighting)
        never_began = sighting is not None and sighting.reason
        if not failed and not took_too_long and not never_began:
            # What fails by itself leaves a Pod that says so, until the Job goes.
            exit_code = int(ExitCode.NOT_NOW)
            message = f"its Pod was deleted, or lost with its machine: {message}"
    return TaskObservation(
        name=job["metadata"]["name"],
        identity=identity,
        phase=phase,
        stage=stage_from(job["metadata"]["labels"]),
        exit_code=exit_code,
        reason=reason,
        result=result,
        message=message,
        started_at=time_of(status.get("startTime")),
        finished_at=time_of(status.get("completionTime") or end.get("lastTransitionTime")),
        deleting=is_going(job),
    )


def remote_task(task: RemoteTask, identity: TaskIdentity, seen: TaskSeen | None) -> TaskObservation:
    """A RemoteTask, by what its runner wrote; when, by our own clock, for the runner's may be wrong."""
    status = task.status
    phase = {
        TaskPhase.PENDING: ChildPhase.WAITING,
        TaskPhase.CLAIMED: ChildPhase.WAITING,
        TaskPhase.RUNNING: ChildPhase.RUNNING,
        TaskPhase.SUCCEEDED: ChildPhase.SUCCEEDED,
        TaskPhase.FAILED: ChildPhase.FAILED,
        TaskPhase.LOST: ChildPhase.LOST,
    }[status.phase]
    return TaskObservation(
        name=task.metadata.name,
        identity=identity,
        phase=phase,
        stage=task.spec.stage,
        exit_code=status.exit_code,
        reason=status.reason,
        result=status.result,
        progress=status.progress,
        message=status.message,
        heard_at=seen.told.at.clock if seen is not None and phase == ChildPhase.RUNNING else None,
        started_at=seen.since.clock if seen is not None and seen.is_claimed else None,
        deleting=task.metadata.deletion_timestamp is not None,
    )


def is_live_task(task: Object) -> bool:
    """Whether a RemoteTask has not ended, as far as it says."""
    return task.get("status", {}).get("phase") not in ENDED


def unread_task(task: Object, identity: TaskIdentity) -> TaskObservation:
    """A live RemoteTask of a pipeline that is not looked at: only that it takes its slot matters."""
    labels = task["metadata"]["labels"]
    return TaskObservation(task["metadata"]["name"], identity, ChildPhase.WAITING, stage_from(labels))


def indexed_progress(job: Object, running: Sequence[float]) -> float | None:
    """Part done over all indexes, from the parts of those that run."""
    completions: int = job["spec"].get("completions") or 1
    done: int = job.get("status", {}).get("succeeded", 0)
    if not running and not done:
        return None
    return min(1.0, (done + sum(running)) / completions)


def not_starting(pods: Sequence[PodReport], *, together: bool = False) -> PodReport | None:
    """A Pod that waits for something the platform has a word for, when none of them runs; of those that work
    `together` also when others run, since they wait for it."""
    if not together and any(pod.phase == PodPhase.RUNNING for pod in pods):
        return None
    return next((pod for pod in pods if pod.phase == PodPhase.WAITING and pod.reason), None)


def failure_of(job: Object, end: Object, decider: PodReport | None, sighting: Sighting | None) -> tuple[str, str]:
    """Reason and sentence of a failed Job or JobSet, of which `end` is the condition and `decider` the Pod."""
    if decider is None or decider.reason == ChildReason.DEADLINE_EXCEEDED:
        told = end if decider is None else {"reason": decider.reason, "message": decider.message}
        reason, message = told.get("reason", ""), told.get("message", "")
        if sighting and sighting.reason:  # it never started, and this is why
            message = f"{message} ({sighting.reason}: {sighting.message})"
        return reason, message
    if decider.reason == ChildReason.OUT_OF_MEMORY:
        memory = container_of(job)["resources"]["limits"]["memory"]
        return decider.reason, f"{decider.reason}: it needs more than its limit of {memory} of memory"
    return decider.reason, decider.message


def _later(moment: datetime | None, least: datetime) -> datetime | None:
    return None if moment is None else max(moment, least)


def time_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
