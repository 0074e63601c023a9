"""A weights-track pipeline in a real cluster: from `kubectl apply` to a judged candidate, in containers with limits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import obstore
import pytest
import yaml
from obstore.store import S3Store

from tests.cluster.kubectl import Kubectl
from tests.cluster.node import Cluster
from tests.cluster.object_store import REGION, ObjectStore
from tests.e2e.recording import Recording, container_id, recording, wait_for

PIPELINE = Path(__file__).parent / "pipelines" / "weights.yaml"
VALUES = Path(__file__).parent / "values.yaml"
MINUTES = 15
BUCKET, PREFIX = "ringrift", "e2e/square8-2p"


@dataclass(frozen=True)
class Finished:
    """A pipeline that ran to its end, and what was seen on the way."""

    pipeline: dict[str, Any]
    seen: Recording
    kubectl: Kubectl
    files: dict[str, bytes]
    """What S3 lists below the configuration's prefix, by the rest of the key."""


@pytest.fixture(scope="module")
def finished(cluster: Cluster, object_store: ObjectStore, release: Kubectl, output_directory: Path) -> Finished:
    """Applies the pipeline and waits until it is Completed."""
    object_store.create_bucket(BUCKET)
    secret = [f"--from-literal={name}={value}" for name, value in object_store.environment().items()]
    release("create", "secret", "generic", "ringrift-s3", *secret)
    with recording(release, cluster.sandbox.cgroup, output_directory) as seen:
        release.apply(PIPELINE)
        try:
            wait_for(MINUTES * 60, "the pipeline's end", lambda: _ended(release))
        finally:
            pipeline = release.get("trainingpipeline", "weights")
            files = _listed(object_store)
            _write_report(output_directory, pipeline, seen, files)
            (output_directory / "events.log").write_text(release("get", "events", "--sort-by=.lastTimestamp"))
            (output_directory / "operator.log").write_text(release("logs", "deployment/ringrift-operator", "--tail=-1"))
    _write_start(output_directory, release, pipeline, seen)
    return Finished(pipeline, seen, release, files)


def _ended(kubectl: Kubectl) -> bool:
    status = kubectl.get("trainingpipeline", "weights").get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions", [])}
    assert status.get("phase") != "Failed", json.dumps(status, indent=2)
    assert conditions.get("Stalled", {}).get("status") != "True", conditions["Stalled"]["message"]
    return bool(status.get("phase") == "Completed")


def _listed(object_store: ObjectStore) -> dict[str, bytes]:
    store = S3Store(
        BUCKET,
        prefix=PREFIX,
        endpoint=object_store.url,
        region=REGION,
        access_key_id=object_store.access_key,
        secret_access_key=object_store.secret_key,
        client_options={"allow_http": True},
    )
    names = [each["path"] for batch in obstore.list(store) for each in batch]
    return {name: bytes(obstore.get(store, name).bytes()) for name in sorted(names)}


def _write_report(directory: Path, pipeline: dict[str, Any], seen: Recording, files: dict[str, bytes]) -> None:
    (directory / "pipeline.json").write_text(json.dumps(pipeline, indent=2))
    lines = [f"{'POD':58} {'STAGE':10} {'EXIT':>4} {'LIMIT':>6} {'KERNEL':>10}  CONTAINER"]
    for pod in seen.job_pods():
        container, metadata = pod["spec"]["containers"][0], pod["metadata"]
        limit, identity = container["resources"]["limits"]["memory"], container_id(pod)
        stage = metadata["labels"].get("ringrift.ai/stage", "")
        kernel = seen.limits.get(identity, "unseen")
        lines.append(
            f"{metadata['name']:58} {stage:10} {_exit_code(pod)!s:>4} {limit:>6} {kernel!s:>10}  {identity[:12]}"
        )
    (directory / "jobs.txt").write_text("\n".join(lines) + "\n")
    listing = [f"{len(content):>10}  s3://{BUCKET}/{PREFIX}/{key}" for key, content in files.items()]
    (directory / "bucket.txt").write_text("\n".join(listing) + "\n")


def _write_start(directory: Path, release: Kubectl, pipeline: dict[str, Any], seen: Recording) -> None:
    """How long a person waits after `helm install`, and after `kubectl apply`, until something runs; seconds."""
    deployment = release.get("deployment", "ringrift-operator")
    (available,) = [each for each in deployment["status"]["conditions"] if each["type"] == "Available"]
    ready = _seconds(deployment["metadata"]["creationTimestamp"], available["lastTransitionTime"])
    first = min(began for pod in seen.job_pods() if (began := _began(pod)))
    running = _seconds(pipeline["metadata"]["creationTimestamp"], first)
    said = (
        f"helm install to the operator at work: {ready:.0f} s\n"
        f"kubectl apply to the first Job's container at work: {running:.0f} s\n"
    )
    (directory / "start.txt").write_text(said)


def _began(pod: dict[str, Any]) -> str:
    """When its container began to run; empty when it has not yet."""
    states = [state for each in pod["status"].get("containerStatuses", []) for state in each["state"].values()]
    return min((state["startedAt"] for state in states if state.get("startedAt")), default="")


def _seconds(since: str, until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()


def _exit_code(pod: dict[str, Any]) -> int | None:
    for each in pod["status"].get("containerStatuses", []):
        if terminated := each["state"].get("terminated"):
            return int(terminated["exitCode"])
    return None


def test_a_candidate_was_judged(finished: Finished) -> None:
    status = finished.pipeline["status"]
    evaluation = status["configurations"][0]["lastEvaluation"]
    assert evaluation["games"] > 0
    assert evaluation["low"] <= evaluation["winRate"] <= evaluation["high"]
    assert status.get("promotions", 0) >= 1 or evaluation["decision"] == "Rejected"
    assert status["iteration"] == finished.pipeline["spec"]["iterations"]
    assert status["tasks"]["failed"] == 0


def test_artifacts_lie_in_the_bucket(finished: Finished) -> None:
    names = set(finished.files)
    assert {"games.json", "registry/weights.json"} <= names
    assert any(name.startswith("tasks/i0001/") for name in names)
    objects = [name for name in names if name.startswith("objects/")]
    assert objects
    for name in objects:
        assert hashlib.sha256(finished.files[name]).hexdigest() == Path(name).stem


def test_every_stage_ran_in_a_container_with_its_limit(finished: Finished) -> None:
    values = yaml.safe_load(VALUES.read_text())
    (pool,) = values["pools"]
    slots = {slot["name"]: slot["resources"]["memory"] for slot in pool["spec"]["slots"]}
    light = values["lightStages"]["resources"]["memory"]
    pods = finished.seen.job_pods()
    stages = {pod["metadata"]["labels"]["ringrift.ai/stage"] for pod in pods}
    assert stages >= {"selfplay", "merge", "cmaes", "evaluate"}
    for pod in pods:
        name, labels = pod["metadata"]["name"], pod["metadata"]["labels"]
        (container,) = pod["spec"]["containers"]
        limit = container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"]["memory"] == limit, name
        assert container_id(pod), f"{name}: never ran"
        assert _exit_code(pod) == 0, name
        slot = labels.get("ringrift.ai/slot")
        assert limit == (slots[slot] if slot else light), name
        if kernel := finished.seen.limits.get(container_id(pod)):
            assert kernel == int(limit.removesuffix("Mi")) << 20, name
    enforced = [pod for pod in pods if container_id(pod) in finished.seen.limits]
    assert len(enforced) > len(pods) / 2, "the kernel's limits were seen for few Pods only"


def test_no_stage_holds_a_token(finished: Finished) -> None:
    for pod in finished.seen.job_pods():
        mounted = {mount["mountPath"] for mount in pod["spec"]["containers"][0].get("volumeMounts", [])}
        assert "/var/run/secrets/kubernetes.io/serviceaccount" not in mounted, pod["metadata"]["name"]
        assert pod["spec"]["automountServiceAccountToken"] is False, pod["metadata"]["name"]


def test_every_iteration_left_its_record(finished: Finished) -> None:
    records = finished.kubectl.get("trainingiterations")["items"]
    assert len(records) == finished.pipeline["spec"]["iterations"]


def test_deleting_the_pipeline_leaves_the_artifacts(finished: Finished, object_store: ObjectStore) -> None:
    finished.kubectl("delete", "trainingpipeline", "weights", "--timeout=60s")
    wait_for(60, "the end of the Jobs", lambda: not finished.kubectl.get("jobs")["items"])
    assert _listed(object_store) == finished.files
