"""A JobSet for a task that several Pods do together: DDP over nodes (https://jobset.sigs.k8s.io, v1alpha2).

One replicated Job of one Job with a Pod for each node. JobSet gives the Pods names that the others find them by, and
starts nothing anew: one Pod that goes ends all of them, and the operator asks for all of them again, from the last
checkpoint. The result is that of the first Pod.
"""

from __future__ import annotations

from ringrift_operator.builders.job import queue_of
from ringrift_operator.builders.metadata import child_metadata
from ringrift_operator.builders.pod import Manifest, pod_template, template_of
from ringrift_operator.builders.queue import queue_labels
from ringrift_operator.builders.release import Release
from ringrift_operator.domain.naming import JOB_OF_SET
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import Snapshot

VERSION = "jobset.x-k8s.io/v1alpha2"


def jobset(snapshot: Snapshot, task: PlacedTask, release: Release) -> Manifest:
    """The JobSet of a task that takes several places, held when it has a queue."""
    metadata, queue = child_metadata(snapshot, task), queue_of(task, release)
    # The Job itself has no labels of ours, by which it would be taken for a task of its own.
    of_all = {"name": JOB_OF_SET, "replicas": 1, "template": {"spec": _job(snapshot, task, release)}}
    labels = {**template_of(task, release).labels, **metadata["labels"]}
    return {
        "apiVersion": VERSION,
        "kind": "JobSet",
        "metadata": {**metadata, "labels": {**labels, **({} if queue is None else queue_labels(queue))}},
        "spec": {
            **({} if queue is None else {"suspend": True}),
            # The first Pod must be found before it is ready: until the others have come it is not.
            "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True},
            "failurePolicy": {"maxRestarts": 0},
            "replicatedJobs": [of_all],
        },
    }


def _job(snapshot: Snapshot, task: PlacedTask, release: Release) -> Manifest:
    return {
        "completionMode": "Indexed",
        "completions": task.demand.places,
        "parallelism": task.demand.places,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        # One that is drained takes the others along, as nobody's failure: a Pod alone could not join them anew.
        "podFailurePolicy": {
            "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
        },
        "template": pod_template(snapshot, task, release),
    }
