"""What the Pods of a Job tell: how the stage ended, or what keeps it from starting. Pure functions of Pod objects."""

from __future__ import annotations

import enum
import logging
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from pydantic import ValidationError

from ringrift_core.contract import ExitCode, Progress, StageResult, read_result
from ringrift_operator.domain.reasons import ChildReason
from ringrift_operator.kube.resource import Object, is_going

logger = logging.getLogger(__name__)

INDEX_ANNOTATION = "batch.kubernetes.io/job-completion-index"

CANNOT_START = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons of a waiting container that will not go away by waiting alone."""

MESSAGE_LIMIT = 500


class PodPhase(enum.StrEnum):
    WAITING = "Waiting"
    RUNNING = "Running"
    ENDED = "Ended"


@dataclass(frozen=True, slots=True)
class PodReport:
    """One Pod, as far as its stage is concerned."""

    name: str
    phase: PodPhase
    index: int | None = None
    """Completion index in an Indexed Job."""
    exit_code: int | None = None
    """None while it runs, and when the container never ran or its Pod was evicted."""
    reason: str = ""
    """The platform's word: OOMKilled, Evicted, ImagePullBackOff, Unschedulable."""
    message: str = ""
    """The platform's sentence, or the last words of the stage."""
    result: StageResult | None = None
    is_disrupted: bool = False
    """Ended by the platform (drain, preemption), or lost with its machine: nothing that its stage did."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_going: bool = False
    """It is being deleted."""


def report(pod: Object) -> PodReport:
    """Reads one Pod. Stages run in its only container."""
    found = _report(pod)
    return replace(found, is_going=is_going(pod), is_disrupted=_is_disrupted(pod, found.reason))


def _is_disrupted(pod: Object, reason: str) -> bool:
    """Whether the platform says that it took the Pod away, of one on a dead node long before it has ended; or the
    machine came back and nobody knows how the container ended. An eviction without that is the stage's own doing."""
    status = pod.get("status", {})
    is_target = any(
        each["type"] == "DisruptionTarget" and each["status"] == "True" for each in status.get("conditions", ())
    )
    return is_target or (reason == ChildReason.END_UNKNOWN and status.get("reason") != ChildReason.EVICTED)


def _report(pod: Object) -> PodReport:
    metadata, status = pod["metadata"], pod.get("status", {})
    annotation = metadata.get("annotations", {}).get(INDEX_ANNOTATION)
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    name, index = metadata["name"], None if annotation is None else int(annotation)
    containers = status.get("containerStatuses") or [{}]
    state = containers[0].get("state", {})
    if terminated := state.get("terminated"):
        words = terminated.get("message", "")
        result = parse_result(words)
        if status.get("reason") == ChildReason.DEADLINE_EXCEEDED:
            # What a stage says while it is ended for taking too long is beside the point.
            return PodReport(
                name=name,
                index=index,
                phase=PodPhase.ENDED,
                reason=ChildReason.DEADLINE_EXCEEDED,
                message=status.get("message", "")[:MESSAGE_LIMIT],
                started_at=_time(terminated.get("startedAt")),
                finished_at=_time(terminated.get("finishedAt")),
            )
        return PodReport(
            name=name,
            index=index,
            phase=PodPhase.ENDED,
            exit_code=terminated["exitCode"],
            reason=_telling(terminated.get("reason", "")) or status.get("reason", ""),
            message=result.message if result else words.strip()[-MESSAGE_LIMIT:],
            result=result,
            started_at=_time(terminated.get("startedAt")),
            finished_at=_time(terminated.get("finishedAt")),
        )
    if status.get("phase") in ("Failed", "Succeeded"):  # evicted before its container ran, or with the node
        return PodReport(
            name=name,
            index=index,
            phase=PodPhase.ENDED,
            reason=status.get("reason", ""),
            message=status.get("message", "")[:MESSAGE_LIMIT],
        )
    if running := state.get("running"):
        return PodReport(name=name, index=index, phase=PodPhase.RUNNING, started_at=_time(running.get("startedAt")))
    waiting = state.get("waiting", {})
    if waiting.get("reason") in CANNOT_START:
        reason, message = waiting["reason"], waiting.get("message", "")
    else:
        scheduled = conditions.get("PodScheduled", {})
        blocked = scheduled.get("status") == "False"
        reason, message = (scheduled.get("reason", ""), scheduled.get("message", "")) if blocked else ("", "")
    return PodReport(
        name=name, index=index, phase=PodPhase.WAITING, reason=reason, message=" ".join(message.split())[:MESSAGE_LIMIT]
    )


def parse_result(words: str) -> StageResult | None:
    """The StageResult of a termination message; None when there is no valid one."""
    lines = words.strip().splitlines()
    if not lines:
        return None
    try:
        return read_result(lines[-1])
    except ValueError as error:
        logger.warning("a stage's last words: %s", error)
        return None


def last_progress(log: str) -> tuple[datetime, Progress] | None:
    """The newest line of progress among the last lines of a stage's log, and the time before it, of its writing."""
    for line in reversed(log.splitlines()):
        time, _, words = line.partition(" ")
        if '"progress"' not in words:
            continue
        try:
            return datetime.fromisoformat(time), Progress.model_validate(orjson.loads(words))
        except (ValueError, ValidationError):
            continue
    return None


def no_progress_since(log: str, lines: int, started_at: datetime | None) -> datetime | None:
    """Since when a stage has told nothing of which its last `lines` lines know: where they are all that it said, since
    it began, and else since before the first of them."""
    said = log.splitlines()
    if len(said) < lines:
        return started_at
    with suppress(ValueError):
        return datetime.fromisoformat(said[0].partition(" ")[0])
    return None


def decisive(reports: Iterable[PodReport]) -> list[PodReport]:
    """The Pods that speak for the Job: of each index the last that ended without the platform's doing."""
    chosen: dict[int | None, PodReport] = {}
    oldest = datetime.min
    for each in sorted(reports, key=lambda each: (each.finished_at or oldest).replace(tzinfo=None)):
        if each.phase == PodPhase.ENDED and not each.is_disrupted:
            chosen[each.index] = each
    return list(chosen.values())


def first_to_fail(reports: Iterable[PodReport]) -> PodReport | None:
    """Of Pods that do one thing together, the one that began it: the others lose their connection to it, and end with
    `not now`, or are ended for it. Their deadline is that of all; None where none has failed."""
    failed = [each for each in reports if each.phase == PodPhase.ENDED and each.exit_code != 0]

    def order(each: PodReport) -> tuple[bool, bool, float, bool]:
        ended_at = each.finished_at.timestamp() if each.finished_at is not None else math.inf
        return each.reason != ChildReason.DEADLINE_EXCEEDED, each.is_going, ended_at, each.exit_code == ExitCode.NOT_NOW

    return min(failed, key=order, default=None)


def _telling(reason: str) -> str:
    """The container's reason, unless it only repeats the exit code."""
    return "" if reason in ("Completed", "Error") else reason


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
