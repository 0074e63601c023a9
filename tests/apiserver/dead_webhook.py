"""An admission webhook that nobody answers: it refuses the Pods of whatever namespaces it is asked for."""

from __future__ import annotations

import time
from typing import Any

from tests.apiserver.operator_process import eventually
from tests.cluster.kubectl import Kubectl, KubectlError

SAID = 'failed calling webhook "nobody.example.com"'
"""What the API server says of a Pod then."""


def apply_dead_webhook(kubectl: Kubectl, name: str, labels: dict[str, Any]) -> None:
    """Makes it for namespaces of these labels, and waits until it refuses in that of `kubectl`, which has them."""
    webhook = {
        "name": "nobody.example.com",
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": labels},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    api, kind = "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"
    kubectl.apply({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]})

    def is_in_force() -> bool:
        try:
            kubectl("run", f"probe-{time.time_ns()}", "--image=none")
        except KubectlError as refused:
            return SAID in str(refused)
        return False

    eventually(is_in_force)
