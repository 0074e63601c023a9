"""The node does what the operator leans on: Jobs end as Kubernetes says they do, in containers with limits."""

from __future__ import annotations

from typing import Any

from tests.cluster.control_plane import KUBERNETES_SERVICE
from tests.cluster.kubectl import Kubectl
from tests.cluster.object_store import ObjectStore
from tests.e2e.recording import wait_for


def job(image: str, program: str, **spec: Any) -> dict[str, Any]:
    """A Job whose one container runs a Python program under the restrictions that our Jobs have."""
    container = {
        "name": "stage",
        "image": image,
        "command": ["python3", "-c", program],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}},
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job"},
        "spec": {"backoffLimit": 0, **spec, "template": {"spec": pod}},
    }


def run(kubectl: Kubectl, manifest: dict[str, Any], ends: str = "Complete") -> list[dict[str, Any]]:
    """Runs a Job to its end and returns what its containers ended with, by completion index."""
    kubectl.apply(manifest)
    ended = wait_for(60, "the Job's end", lambda: _end(kubectl))
    assert ended == ends, f"{ended}: {kubectl('logs', 'job/job', '--all-pods')}"
    pods = kubectl.get("pods", "--selector", "batch.kubernetes.io/job-name=job")["items"]
    pods.sort(key=lambda pod: pod["metadata"]["labels"].get("batch.kubernetes.io/job-completion-index", ""))
    return [pod["status"]["containerStatuses"][0]["state"]["terminated"] for pod in pods]


def _end(kubectl: Kubectl) -> str:
    conditions = kubectl.get("job", "job")["status"].get("conditions", [])
    types = {each["type"] for each in conditions if each["status"] == "True"}
    return next(iter(types & {"Complete", "Failed"}), "")


def test_termination_message_is_read(kubectl: Kubectl, plain_image: str) -> None:
    program = "open('/dev/termination-log', 'w').write('{\"stage\": \"merge\"}')"
    (ended,) = run(kubectl, job(plain_image, program))
    assert (ended["exitCode"], ended["message"]) == (0, '{"stage": "merge"}')


def test_exit_code_is_kept(kubectl: Kubectl, plain_image: str) -> None:
    (ended,) = run(kubectl, job(plain_image, "raise SystemExit(75)"), ends="Failed")
    assert ended["exitCode"] == 75


def test_memory_limit_is_enforced(kubectl: Kubectl, plain_image: str) -> None:
    (ended,) = run(kubectl, job(plain_image, "bytearray(256 << 20)"), ends="Failed")
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


def test_indexed_job_gives_each_pod_its_index(kubectl: Kubectl, plain_image: str) -> None:
    program = "import os; open('/dev/termination-log', 'w').write(os.environ['JOB_COMPLETION_INDEX'])"
    ended = run(kubectl, job(plain_image, program, completionMode="Indexed", completions=3, parallelism=3))
    assert [each["message"] for each in ended] == ["0", "1", "2"]


def test_containers_are_confined(kubectl: Kubectl, plain_image: str) -> None:
    program = """
import os, pathlib
assert os.getuid() == 65532
assert not pathlib.Path('/var/run/secrets/kubernetes.io').exists()
try:
    pathlib.Path('/usr/new').touch()
except OSError as refused:
    raise SystemExit(refused.errno)
"""
    (ended,) = run(kubectl, job(plain_image, program), ends="Failed")
    assert ended["exitCode"] == 30, "EROFS: the root file system is read-only"


def test_services_have_names(kubectl: Kubectl, plain_image: str) -> None:
    program = f"""
import socket
assert socket.gethostbyname('kubernetes.default.svc') == '{KUBERNETES_SERVICE}'
socket.create_connection(('kubernetes.default.svc', 443), timeout=10).close()
"""
    (ended,) = run(kubectl, job(plain_image, program))
    assert ended["exitCode"] == 0


def test_object_store_answers_in_a_pod(kubectl: Kubectl, plain_image: str, object_store: ObjectStore) -> None:
    program = f"""
import urllib.error, urllib.request
try:
    urllib.request.urlopen('{object_store.url}/', timeout=10)
except urllib.error.HTTPError as refused:
    raise SystemExit(refused.code - 400)
"""
    (ended,) = run(kubectl, job(plain_image, program), ends="Failed")
    assert ended["exitCode"] == 3, "403: S3 answers, and wants credentials"
