"""An operator that may not read what a queue decides: alone in its namespace, with an account of few rights."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import Person, pipeline
from tests.apiserver.test_queues import QUEUED, set_suspended
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl


def test_with_fewer_rights_it_says_what_it_cannot_see_and_works(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    rules = [
        {"apiGroups": ["ringrift.ai"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods", "pods/log", "events"], "verbs": ["*"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]},
    ]
    kubectl.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "poor"}})
    kubectl.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "poor"},
            "rules": rules,
        }
    )
    whole = f"poor-{namespace}"  # it may know its cluster, or its store would be unclaimed
    kubectl("create", "clusterrole", whole, "--verb=get", "--resource=namespaces", "--resource-name=kube-system")
    kubectl("create", "clusterrolebinding", whole, f"--clusterrole={whole}", f"--serviceaccount={namespace}:poor")
    kubectl("create", "rolebinding", "poor", "--role=poor", f"--serviceaccount={namespace}:poor")
    kubectl.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "ringrift-namespace"}})
    kubectl.apply(QUEUED)
    config = yaml.safe_load(control_plane.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": kubectl("create", "token", "poor").strip()}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    person = Person(kubectl)
    with (
        OperatorProcess(tmp_path / "kubeconfig", tmp_path / "operator", f"--namespace={namespace}"),
        Worker(control_plane.kubeconfig, namespace) as worker,
    ):
        kubectl.apply(pipeline(namespace))
        said = "is held: Pending: in queue games; why, the operator may not read: workloads.kueue.x-k8s.io is forbidden"
        eventually(lambda: said in person.condition("Reconciling").get("message", ""), lambda: person.status())
        eventually(lambda: person.condition("Degraded")["status"] == "False", lambda: person.condition("Degraded"))
        set_suspended(person, "selfplay", is_suspended=False)
        eventually(lambda: worker.ran.count("selfplay") == 2)
        eventually(lambda: person.status()["configurations"][0]["stages"]["merge"] == "Succeeded")
