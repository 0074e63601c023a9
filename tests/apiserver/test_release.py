"""The chart's account has the rights the operator needs, and the quickstart runs as it stands in the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.cluster.requirement import required_binaries

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "ringrift"


@pytest.fixture
def account(control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path) -> Path:
    """All of the chart but its Deployment is installed; a kubeconfig with the operator's token."""
    helm = required_binaries("helm") / "helm"
    values = CHART / "environments" / "local.yaml"
    options = [f"--namespace={namespace}", f"--values={values}", "--kube-version=1.34.0", "--skip-tests"]
    rendered = subprocess.run(
        [helm, "template", "ringrift", CHART, *options], capture_output=True, text=True, check=True
    ).stdout
    manifests = [each for each in yaml.safe_load_all(rendered) if each and each["kind"] != "Deployment"]
    kubectl.apply(yaml.safe_dump_all(manifests))
    token = kubectl("create", "token", "ringrift-operator").strip()
    cluster = {"server": control_plane.server, "certificate-authority": str(control_plane.authority.certificate)}
    path = tmp_path / "operator.kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "tests", "cluster": cluster}],
                "users": [{"name": "operator", "user": {"token": token}}],
                "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "operator"}}],
                "current-context": "tests",
            }
        )
    )
    return path


def test_the_quickstart_with_the_charts_rights(
    account: Path, control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    person = Person(kubectl, "quickstart")
    with (
        OperatorProcess(account, tmp_path, f"--namespace={namespace}") as operator,
        Worker(control_plane.kubeconfig, namespace),
    ):
        kubectl.apply(ROOT / "examples" / "quickstart.yaml")
        person.sees(phase="Completed", iteration=1)
        # As the example says: raised later, it goes on where it ended.
        kubectl("patch", "tp", "quickstart", "--type=merge", "--patch", '{"spec": {"iterations": 2}}')
        (wanted,) = kubectl.get("tp", "quickstart")["spec"]["configurations"]
        games = wanted["bootstrapGames"] + wanted["gamesPerIteration"]
        status = person.sees(phase="Completed", iteration=2, games=games)
        assert status["promotions"] == 4
        pools = kubectl.get("wp")["items"]
        assert all("conditions" in pool["status"] for pool in pools)
    complaints = [each["message"] for each in operator.records if each["level"] not in ("info", "debug")]
    assert complaints == []


def without(verb: str, resource: str, role: dict[str, Any]) -> dict[str, Any]:
    """The role with this right taken away."""
    rules = []
    for rule in role["rules"]:
        others = [each for each in rule["resources"] if each != resource]
        rules += [{**rule, "resources": others}] if others else []
        if resource in rule["resources"]:
            rules.append({**rule, "resources": [resource], "verbs": [each for each in rule["verbs"] if each != verb]})
    return {**role, "rules": [rule for rule in rules if rule["verbs"]]}


def role_of(resource: str, kubectl: Kubectl, namespace: str) -> dict[str, Any]:
    """The chart's role with the rights to this, fit to be applied."""
    kind, name = "role", "ringrift-operator"
    if resource in ("nodes", "namespaces"):
        kind, name = "clusterrole", f"{namespace}-ringrift-operator-cluster"
    role = kubectl.get(kind, name)
    kept = {each: role["metadata"][each] for each in ("name", "namespace", "labels") if each in role["metadata"]}
    return {**role, "metadata": kept}


MISSING = {
    "reading": ("list", "pods", "Stalled", "Unreadable", "to it cannot be read: 403 Forbidden: pods is forbidden"),
    "watching": ("list", "jobs", "Stalled", "", "jobs cannot be watched: 403 Forbidden: jobs.batch is forbidden"),
    "pools": ("patch", "workerpools/status", "Degraded", "Degraded", "WorkerPool pool cannot be written: 403 "),
    "logs": ("get", "pods/log", "Degraded", "Degraded", "the Pods of what runs: 403 Forbidden: pods "),
    "events": ("list", "events", "Degraded", "", "the operator may not list events to see why: events is forbidden: "),
    "kube-system": ("get", "namespaces", "Degraded", "Degraded", "may train in it too: 403 Forbidden: namespaces "),
    "deleting": ("delete", "jobs", "Degraded", "NotDeleted", "-adopt-a1 cannot be deleted: 403 Forbidden: jobs.batch "),
}


@pytest.mark.parametrize("what", MISSING)
def test_a_right_that_is_missing_is_a_condition_until_it_is_given(
    what: str, account: Path, control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """What may not be read stalls the pipeline, what may not be deleted degrades it."""
    verb, resource, kind, event, said = MISSING[what]
    role = role_of(resource, kubectl, namespace)
    person = Person(kubectl)
    kubectl.apply(without(verb, resource, role), "--server-side", "--force-conflicts")
    # Events are read of what gets no Pod.
    service_account = "later" if what == "events" else "default"
    with (
        OperatorProcess(account, tmp_path, f"--namespace={namespace}", service_account=service_account),
        Worker(control_plane.kubeconfig, namespace) as worker,
    ):
        worker.holds |= {"adopt"} if what in ("logs", "kube-system") else set()
        kubectl.apply(POOL)
        kubectl.apply(pipeline(namespace))
        eventually(lambda: said in person.condition(kind).get("message", ""), person.status)
        assert person.condition(kind)["status"] == "True"
        assert said in kubectl("get", "tp", "tiny", "-o", "wide")
        kubectl.apply(role, "--server-side", "--force-conflicts")
        worker.holds.clear()
        if what == "events":
            kubectl("create", "serviceaccount", service_account)
        person.sees(phase="Completed")
        eventually(lambda: person.condition(kind)["status"] == "False", person.status)
        eventually(lambda: person.jobs() == [])
        assert [said in line for line in person.events() if event and line.startswith(f"{event}:")] == [True] * bool(
            event
        )


def test_nodes_that_may_not_be_listed_are_a_word_of_the_pool_and_hold_up_nothing(
    account: Path, control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    role = role_of("nodes", kubectl, namespace)
    kubectl.apply(without("list", "nodes", role), "--server-side", "--force-conflicts")
    with (
        OperatorProcess(account, tmp_path, f"--namespace={namespace}"),
        Worker(control_plane.kubeconfig, namespace),
    ):
        kubectl.apply(POOL)
        kubectl.apply(pipeline(namespace))
        status = Person(kubectl).sees(phase="Completed")
        (ready,) = eventually(lambda: kubectl.get("wp", "pool").get("status", {}).get("conditions", []))
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "True", "NodesNotVisible")
    assert ready["message"] == "the operator may not list nodes and assumes that some match"
    assert next(each for each in status["conditions"] if each["type"] == "Degraded")["status"] == "False"


def test_a_cluster_whose_name_may_not_be_read_trains_and_claims_nothing_until_it_may(
    account: Path, control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    role = role_of("namespaces", kubectl, namespace)
    kubectl.apply(without("get", "namespaces", role), "--server-side", "--force-conflicts")
    tiny, later = Person(kubectl), Person(kubectl, "later")
    with (
        OperatorProcess(account, tmp_path, f"--namespace={namespace}"),
        Worker(control_plane.kubeconfig, namespace) as worker,
    ):
        kubectl.apply(POOL)
        kubectl.apply(pipeline(namespace))
        tiny.sees(phase="Completed")
        assert "give the operator the rights that its chart gives" in tiny.condition("Degraded")["message"]
        kubectl.apply(role, "--server-side", "--force-conflicts")
        eventually(lambda: tiny.condition("Degraded")["status"] == "False", tiny.status)
        worker.holds.add("adopt")
        kubectl.apply(pipeline(namespace, "later"))
        (job,) = eventually(lambda: kubectl.get("jobs", "--selector=ringrift.ai/pipeline=later")["items"])
        arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
        cluster = kubectl.get("namespace", "kube-system")["metadata"]["uid"]
        assert arguments[arguments.index("--holder") + 1] == f"{cluster}/{namespace}/later"
        worker.holds.clear()
        later.sees(phase="Completed")


def test_a_service_account_that_is_not_there_is_a_condition_until_it_is(
    account: Path, control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    person = Person(kubectl)
    said = "adopt does not start: FailedCreate: its Pod is forbidden: error looking up service account "
    with (
        OperatorProcess(account, tmp_path, f"--namespace={namespace}", service_account="later"),
        Worker(control_plane.kubeconfig, namespace),
    ):
        kubectl.apply(POOL)
        kubectl.apply(pipeline(namespace))
        eventually(lambda: person.condition("Degraded").get("status") == "True", person.status)
        assert f'{said}{namespace}/later: serviceaccount "later" not found' in person.condition("Degraded")["message"]
        assert f"{said}{namespace}/later" in kubectl("get", "tp", "-o", "wide")
        kubectl("create", "serviceaccount", "later")
        status = person.sees(phase="Completed")
        assert status["tasks"]["failed"] == 0
