"""The Pod in which a stage runs, of a Job or of a JobSet: what it executes, what it gets, what it may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ringrift_core.contract import Device, TrackedParameters, to_arguments
from ringrift_operator.api.pool import SHARD_VARIABLE, PodTemplate
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.builders.metadata import child_metadata
from ringrift_operator.builders.release import Release
from ringrift_operator.domain.naming import JOB_OF_SET
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.slots import is_gpu
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.stores import CLAIM_MOUNT

Manifest = dict[str, Any]

CONTAINER = "stage"
"""Name of the one container: results and exit codes are read from it."""

RESULT_PATH = "/dev/termination-log"
"""Where the stage writes its StageResult: the kubelet takes it as the container's termination message."""

GRACE_SECONDS = 60
"""From SIGTERM to SIGKILL: time for a checkpoint."""


MEETING_PORT = 29_500
"""Of the first process, where the others meet it; torchrun's own."""


def pod_template(snapshot: Snapshot, task: PlacedTask, release: Release) -> Manifest:
    """Labels, annotations and spec of a task's Pods."""
    template = template_of(task, release)
    return {
        "metadata": {
            "labels": {**template.labels, **child_metadata(snapshot, task)["labels"]},
            **({"annotations": dict(template.annotations)} if template.annotations else {}),
        },
        "spec": _pod(snapshot, task, release, template),
    }


def _command(task: PlacedTask) -> list[str]:
    """The stage's command line; by torchrun, where several processes train together."""
    stage = [*to_arguments(task.parameters), "--result", RESULT_PATH]
    if task.completions:
        stage += ["--index", f"$({SHARD_VARIABLE})"]
    if not task.demand.is_distributed:
        return ["ringrift", *stage]
    return ["python3", "-P", "-m", "ringrift_core.nn.together", *_gathering(task), "-m", "ringrift_core", *stage]


def _gathering(task: PlacedTask) -> list[str]:
    """How torchrun's processes find each other: within the Pod, or at the first Pod of the JobSet, by its name in the
    headless Service that JobSet makes."""
    here = ["--nproc-per-node", str(task.demand.processes)]
    if task.demand.places == 1:
        return ["--standalone", *here]
    first = f"{task.name}-{JOB_OF_SET}-0-0.{task.name}"
    ranks = ["--nnodes", str(task.demand.places), "--node-rank", f"$({SHARD_VARIABLE})"]
    return [*ranks, *here, "--master-addr", first, "--master-port", str(MEETING_PORT)]


def _pod(snapshot: Snapshot, task: PlacedTask, release: Release, template: PodTemplate) -> Manifest:
    claim = snapshot.spec.artifacts.persistent_volume_claim
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {"sizeLimit": release.scratch_size}}, *template.volumes]
    mounts: list[Manifest] = [{"name": "tmp", "mountPath": "/tmp"}, *template.volume_mounts]
    if (size := _shared_memory(task, template)) is not None:
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size}})
        mounts.append({"name": "shm", "mountPath": "/dev/shm"})
    if claim is not None:
        volumes.append({"name": "artifacts", "persistentVolumeClaim": {"claimName": claim.claim_name}})
        mounts.append({"name": "artifacts", "mountPath": CLAIM_MOUNT})
    pod: Manifest = {
        "restartPolicy": "Never",
        # The Pod's, not the Job's: it counts from when a node has taken the Pod.
        "activeDeadlineSeconds": int(_deadline(task, release).total_seconds()),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _own_or(template.pod_security_context, release.pod_security_context),
        "containers": [_container(snapshot, task, release, template, mounts)],
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
    mounts: list[Manifest],
) -> Manifest:
    resources = _resources(task, release)
    program, *arguments = _command(task)
    container: Manifest = {
        "name": CONTAINER,
        "image": _image(snapshot, task, release),
        "imagePullPolicy": release.image_pull_policy,
        "command": [program],
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


def template_of(task: PlacedTask, release: Release) -> PodTemplate:
    """What the task's pool, or the release for light stages, has its Pods get besides."""
    if task.pool is None:
        return release.light_stages.pod_template
    return task.pool.spec.pod_template or PodTemplate()


def _deadline(task: PlacedTask, release: Release) -> timedelta:
    return release.light_stages.deadline if task.slot is None else task.slot.deadline


def _resources(task: PlacedTask, release: Release) -> dict[str, str]:
    """The slot's; of its GPUs as many as there are processes that train together."""
    if task.slot is None:
        return dict(release.light_stages.resources)
    if not task.demand.is_distributed:
        return dict(task.slot.resources)
    return {
        name: str(task.demand.processes) if is_gpu(name) else amount for name, amount in task.slot.resources.items()
    }


def _shared_memory(task: PlacedTask, template: PodTemplate) -> str | None:
    """Size of /dev/shm. Processes that train together need more of it than a container runtime gives (NCCL): half of
    the Pod's memory, as Linux gives a machine, of which nothing is taken before it is used."""
    if template.shared_memory is not None or task.slot is None or not task.demand.is_distributed:
        return template.shared_memory
    return str(int(quantity_value(task.slot.resources["memory"])) // 2)
