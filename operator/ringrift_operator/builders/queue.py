"""What Kueue reads of a Job that names a queue (https://kueue.sigs.k8s.io/docs/tasks/run/jobs/)."""

from __future__ import annotations

from ringrift_operator.api.pool import Queue

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
PRIORITY_LABEL = "kueue.x-k8s.io/priority-class"
LEAST_PARALLELISM = "kueue.x-k8s.io/job-min-parallelism"
"""Annotation: with how many Pods at once a Job may be admitted where there is no quota for all of them."""


def queue_labels(queue: Queue) -> dict[str, str]:
    """Labels of the Job alone: of a Pod they would name a queue for that Pod."""
    priority = {PRIORITY_LABEL: queue.priority_class} if queue.priority_class is not None else {}
    return {QUEUE_LABEL: queue.name, **priority}


def queue_annotations(at_once: int) -> dict[str, str]:
    """A Job of several Pods runs with as many of them as there is quota for. Kueue refuses a least that is no less."""
    return {LEAST_PARALLELISM: "1"} if at_once > 1 else {}
