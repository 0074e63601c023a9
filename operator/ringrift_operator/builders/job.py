"""A Job for a placed task (design.md section 5): retried by nobody but the operator, and bounded in all it may take."""

from __future__ import annotations

from collections.abc import Mapping

from ringrift_operator.api.pool import Queue
from ringrift_operator.builders.metadata import child_metadata
from ringrift_operator.builders.pod import Manifest, pod_template, template_of
from ringrift_operator.builders.queue import queue_annotations, queue_labels
from ringrift_operator.builders.release import Release
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import Snapshot


def job(snapshot: Snapshot, task: PlacedTask, release: Release) -> Manifest:
    """The batch/v1 Job of a task that is not remote; Indexed when it has completions, held when it has a queue."""
    metadata = child_metadata(snapshot, task)
    labels = {**template_of(task, release).labels, **metadata["labels"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, "labels": labels, **_queue_metadata(task, release, labels)},
        "spec": {
            **_completion(task),
            **({"suspend": True} if queue_of(task, release) is not None else {}),
            "podReplacementPolicy": "Failed",
            # A drained or preempted Pod is nobody's failure: the Job controller starts another.
            "podFailurePolicy": {
                "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": pod_template(snapshot, task, release),
        },
    }


def queue_of(task: PlacedTask, release: Release) -> Queue | None:
    """The queue that holds it."""
    return release.light_stages.queue if task.pool is None else task.pool.spec.queue


def _queue_metadata(task: PlacedTask, release: Release, labels: Mapping[str, str]) -> Manifest:
    """What Kueue reads of a Job that has a queue."""
    queue = queue_of(task, release)
    if queue is None:
        return {}
    annotations = queue_annotations(min(task.completions, task.identity.parallelism))
    named = {"labels": {**labels, **queue_labels(queue)}}
    return {**named, "annotations": annotations} if annotations else named


def _completion(task: PlacedTask) -> Manifest:
    """One Pod; or one per shard, each failing for itself, so that the others finish."""
    if not task.completions:
        return {"backoffLimit": 0}
    return {
        "completionMode": "Indexed",
        "completions": task.completions,
        "parallelism": task.identity.parallelism,
        "backoffLimitPerIndex": 0,
        "maxFailedIndexes": task.completions,
    }
