"""The account by which one pool's runner is known: what it may, and what its token is bound to. The pool owns it all.

Roles cannot tell one pool's tasks from another's: a ValidatingAdmissionPolicy of the chart does
(`charts/ringrift/templates/runnerpolicy.yaml`).
"""

from __future__ import annotations

from typing import Any

from ringrift_operator.api.base import API_VERSION, GROUP
from ringrift_operator.builders.lease import RUNNER

RIGHTS_VERSION = "rbac.authorization.k8s.io/v1"


def runner_account(pool: dict[str, Any]) -> list[dict[str, Any]]:
    """Account, Secret, Role and RoleBinding of the runner of a WorkerPool with this metadata, in that order."""
    name = RUNNER + pool["name"]
    namespace = pool["namespace"]

    def made(api_version: str, kind: str, **content: Any) -> dict[str, Any]:
        owner = {"apiVersion": API_VERSION, "kind": "WorkerPool", "name": pool["name"], "uid": pool["uid"]}
        metadata = {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/part-of": "ringrift"},
            "ownerReferences": [owner],
        }
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}

    rules = [
        {"apiGroups": [GROUP], "resources": ["remotetasks"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [GROUP], "resources": ["remotetasks/status"], "verbs": ["patch"]},
        {"apiGroups": [GROUP], "resources": ["workerpools"], "resourceNames": [pool["name"]], "verbs": ["get"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "update", "patch"]},
        # To renew its own token.
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": [name], "verbs": ["create"]},
    ]
    return [
        made("v1", "ServiceAccount", automountServiceAccountToken=False),
        # It holds nothing: who deletes it ends every token at once.
        made("v1", "Secret", type="Opaque"),
        made(RIGHTS_VERSION, "Role", rules=rules),
        made(
            RIGHTS_VERSION,
            "RoleBinding",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        ),
    ]
