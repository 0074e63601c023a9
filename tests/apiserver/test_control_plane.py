"""The cluster under these tests is a real one: what the other tests lean on."""

from __future__ import annotations

from collections.abc import Callable

from tests.apiserver.operator_process import eventually
from tests.cluster.kubectl import Kubectl

JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "job"},
    "spec": {
        "backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "stage", "image": "none"}]}},
    },
}


def only_pod(kubectl: Kubectl) -> str:
    pods = eventually(lambda: kubectl.get("pods")["items"])
    return str(pods[0]["metadata"]["name"])


def test_a_job_completes_when_its_pod_does(kubectl: Kubectl, finish_pod: Callable[..., None]) -> None:
    kubectl.apply(JOB)
    finish_pod(only_pod(kubectl), exit_code=0, message="{}")
    kubectl("wait", "--for=condition=Complete", "job/job", "--timeout=120s")


def test_a_job_fails_when_its_pod_does(kubectl: Kubectl, finish_pod: Callable[..., None]) -> None:
    kubectl.apply(JOB)
    finish_pod(only_pod(kubectl), exit_code=137, reason="OOMKilled")
    kubectl("wait", "--for=condition=Failed", "job/job", "--timeout=120s")


def test_deleting_a_job_collects_its_pods(kubectl: Kubectl) -> None:
    kubectl.apply(JOB)
    only_pod(kubectl)
    kubectl("delete", "job", "job")
    eventually(lambda: not kubectl.get("pods")["items"])
