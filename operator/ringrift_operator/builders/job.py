"""A Job for a placed task (design.md section 5): retried by nobody but the operator, and bounded in all it may take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ringrift_core.contract import Device, TrackedParameters, to_arguments
from ringrift_operator.api.pool import PodTemplate, Queue
from ringrift_operator.builders.metadata import child_metadata
from ringrift_operator.builders.queue import queue_annotations, queue_labels
from ringrift_operator.builders.release import Release
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.stores import CLAIM_MOUNT

Manifest = dict[str, Any]

CONTAINER = "stage"
"""Name of the one container: results and exit codes are read from it."""

RESULT_PATH = "/dev/termination-log"
"""Where the stage writes its StageResult: the kubelet takes it as the container's termination message."""

GRACE_SECONDS = 60
"""From SIGTERM to SIGKILL: time for a checkpoint."""


def job(snapshot: Snapshot, task: PlacedTask, release: Release) -> Manifest:
    """The batch/v1 Job of a task that is not remote; Indexed when it has completions, held when it has a queue."""
    slot = task.slot
    metadata = child_metadata(snapshot, task)
    template = _pod_template(task, release)
    labels = {**template.labels, **metadata["labels"]}
    deadline = release.light_stages.deadline if slot is None else slot.deadline
    resources = release.light_stages.resources if slot is None else slot.resources
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, "labels": labels, **_queue_metadata(task, release, labels)},
        "spec": {
            **_completion(task),
            **({"suspend": True} if _queue(task, release) is not None else {}),
            "podReplacementPolicy": "Failed",
            # A drained or preempted Pod is nobody's failure: the Job controller starts another.
            "podFailurePolicy": {
                "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": {
                "metadata": {
                    "labels": dict(labels),
                    **({"annotations": dict(template.annotations)} if template.annotations else {}),
                },
                "spec": _pod(snapshot, task, release, template, resources, deadline),
            },
        },
    }


def _queue(task: PlacedTask, release: Release) -> Queue | None:
    return release.light_stages.queue if task.pool is None else task.pool.spec.queue


def _queue_metadata(task: PlacedTask, release: Release, labels: Mapping[str, str]) -> Manifest:
    """What Kueue reads of a Job that has a queue."""
    queue = _queue(task, release)
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


def _pod(
    snapshot: Snapshot,
    task: PlacedTask,
    release: Release,
    template: PodTemplate,
    resources: Mapping[str, str],
    deadline: timedelta,
) -> Manifest:
    claim = snapshot.spec.artifacts.persistent_volume_claim
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {"sizeLimit": release.scratch_size}}, *template.volumes]
    mounts: list[Manifest] = [{"name": "tmp", "mountPath": "/tmp"}, *template.volume_mounts]
    if template.shared_memory is not None:
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": template.shared_memory}})
        mounts.append({"name": "shm", "mountPath": "/dev/shm"})
    if claim is not None:
        volumes.append({"name": "artifacts", "persistentVolumeClaim": {"claimName": claim.claim_name}})
        mounts.append({"name": "artifacts", "mountPath": CLAIM_MOUNT})
    pod: Manifest = {
        "restartPolicy": "Never",
        # The Pod's, not the Job's: it counts from when a node has taken the Pod.
        "activeDeadlineSeconds": _seconds(deadline),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _own_or(template.pod_security_context, release.pod_security_context),
        "containers": [_container(snapshot, task, release, template, resources, mounts)],
        "volumes": volumes,
    }
    if release.service_account:
        pod["serviceAccountName"] = release.service_account
    if release.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in release.image_pull_secrets]
    if template.node_selector:
        pod["nodeSelector"] = dict(template.node_selector)
    if template.tolerations:
        pod["tolerations"] = list(template.tolerations)
    if template.affinity is not None:
        pod["affinity"] = template.affinity
    if template.topology_spread_constraints:
        pod["topologySpreadConstraints"] = list(template.topology_spread_constraints)
    named = {
        "priorityClassName": template.priority_class_name,
        "runtimeClassName": template.runtime_class_name,
        "schedulerName": template.scheduler_name,
    }
    return pod | {field: name for field, name in named.items() if name is not None}


def _container(
    snapshot: Snapshot,
    task: PlacedTask,
    release: Release,
    template: PodTemplate,
    resources: Mapping[str, str],
    mounts: list[Manifest],
) -> Manifest:
    arguments = [*to_arguments(task.parameters), "--result", RESULT_PATH]
    if task.completions:
        arguments += ["--index", "$(JOB_COMPLETION_INDEX)"]
    container: Manifest = {
        "name": CONTAINER,
        "image": _image(snapshot, task, release),
        "imagePullPolicy": release.image_pull_policy,
        "command": ["ringrift"],
        "args": arguments,
        "env": _environment(template),
        "resources": {"requests": dict(resources), "limits": dict(resources)},
        "securityContext": _own_or(template.security_context, release.security_context),
        "terminationMessagePath": RESULT_PATH,
        # A stage that died without a word is explained by the end of its log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }
    # Of one name the later source counts.
    if sources := [*template.env_from, *({"secretRef": {"name": name}} for name in _secrets(snapshot, task))]:
        container["envFrom"] = sources
    return container


def _environment(template: PodTemplate) -> list[Manifest]:
    own = [variable.model_dump(mode="json", by_alias=True, exclude_none=True) for variable in template.env]
    home = {"name": "HOME", "value": "/tmp"}
    return own if any(variable.name == home["name"] for variable in template.env) else [home, *own]


def _own_or(of_pool: Manifest | None, of_release: Manifest) -> Manifest:
    """A pool's own security context stands in the place of the release's, whole."""
    return dict(of_release if of_pool is None else of_pool)


def _secrets(snapshot: Snapshot, task: PlacedTask) -> list[str]:
    """Those whose keys become variables: the store's, and Weights & Biases' where the task tells it something."""
    wandb = snapshot.spec.tracking.wandb
    tells = isinstance(task.parameters, TrackedParameters) and bool(task.parameters.wandb_project)
    names = (snapshot.spec.artifacts.secret_name, wandb.secret_name if wandb is not None and tells else None)
    return [name for name in names if name is not None]


def _image(snapshot: Snapshot, task: PlacedTask, release: Release) -> str:
    """The pool's own image, or the release's: torch is only needed to train, and to infer on a GPU."""
    if task.pool is not None and task.pool.spec.image:
        return task.pool.spec.image
    if task.slot is None and release.light_stages.image:
        return release.light_stages.image
    stage_needs_torch = snapshot.recipes.steps[task.identity.step].handling.facts.needs_torch
    needs_torch = stage_needs_torch or (task.slot is not None and task.slot.device != Device.CPU)
    return release.trainer_image if needs_torch else release.worker_image


def _pod_template(task: PlacedTask, release: Release) -> PodTemplate:
    if task.pool is None:
        return release.light_stages.pod_template
    return task.pool.spec.pod_template or PodTemplate()


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
