"""What an installation brings besides the operator: rights of people, network, accounts, environments."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_operator.api import values_schema
from ringrift_operator.api.base import SCHEMA_ANNOTATION, SCHEMA_VERSION
from ringrift_operator.api.kinds import KINDS
from tests.unit.charts.test_charts import CHART, CHARTS, ENVIRONMENTS, IN_TWO, HelmError, Manifest, of_kind, render, run
from tests.unit.charts.test_charts import helm as helm

FROM_AN_ENVIRONMENT = {"images", "lightStages", "pools"}
"""What `--set environment=` takes from a file; another key in one would be read by `-f` alone."""


def rendered(helm: Path, *arguments: str) -> list[Manifest]:
    """The manifests without any file of values."""
    text = run(helm, "template", "ringrift", str(CHART), "--namespace=home", "--kube-version=1.34.0", *arguments)
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def test_roles_are_aggregated_and_pools_are_the_administrators(helm: Path) -> None:
    manifests = [
        each for each in yaml.safe_load_all(run(helm, "template", "crds", str(CHARTS / "ringrift-crds"))) if each
    ]
    given = {}
    for role in of_kind(manifests, "ClusterRole"):
        (label,) = [name for name in role["metadata"]["labels"] if name.startswith("rbac.authorization.k8s.io/")]
        writes = {
            resource
            for rule in role["rules"]
            if {"create", "update", "patch", "delete"} & set(rule["verbs"])
            for resource in rule["resources"]
        }
        given[label.rpartition("-")[2]] = writes
    assert given == {"view": set(), "edit": {"trainingpipelines", "remotetasks"}, "admin": {"workerpools"}}


# --- the network -------------------------------------------------------------------------------------------


def policy(manifests: list[Manifest], name: str) -> Any:
    (found,) = (each["spec"] for each in of_kind(manifests, "NetworkPolicy") if each["metadata"]["name"] == name)
    return found


def reached(spec: Any) -> dict[int, list[str] | None]:
    """By port: the blocks of addresses that may be reached there, None for everyone."""
    found: dict[int, list[str] | None] = {}
    for rule in spec["egress"]:
        blocks = [each["ipBlock"]["cidr"] for each in rule["to"] if "ipBlock" in each] if "to" in rule else None
        found |= {port["port"]: blocks for port in rule.get("ports", ())}
    return found


def test_stages_reach_dns_and_stores_and_nobody_reaches_them(helm: Path) -> None:
    spec = policy(render(helm), "ringrift-worker")
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    assert spec["podSelector"] == {"matchExpressions": [{"key": "ringrift.ai/stage", "operator": "Exists"}]}
    assert reached(spec) == {53: None, 5353: [], 443: ["0.0.0.0/0", "::/0"]}
    blocks = [each["ipBlock"] for rule in spec["egress"] for each in rule.get("to", ()) if "ipBlock" in each]
    assert {"169.254.0.0/16", "fe80::/10"} <= {outside for block in blocks for outside in block["except"]}


def test_a_store_has_its_own_addresses_and_ports(helm: Path) -> None:
    values = ["--set=networkPolicy.storeCidrs={10.1.0.0/16}", "--set=networkPolicy.storePorts={9000,443}"]
    spec = policy(render(helm, *values), "ringrift-worker")
    assert reached(spec) == {53: None, 5353: [], 443: ["10.1.0.0/16"], 9000: ["10.1.0.0/16"]}


def test_trainings_talk_among_themselves(helm: Path) -> None:
    spec = policy(render(helm), "ringrift-worker-training")
    pods = {"podSelector": {"matchLabels": {"ringrift.ai/stage": "train"}}}
    assert spec["podSelector"] == pods["podSelector"]
    assert (spec["ingress"], spec["egress"]) == ([{"from": [pods]}], [{"to": [pods]}])


def test_the_operator_reaches_the_api_server_and_is_asked_for_its_health(helm: Path) -> None:
    manifests = render(helm)
    spec = policy(manifests, "ringrift-operator")
    (deployment,) = of_kind(manifests, "Deployment")
    assert spec["podSelector"]["matchLabels"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert spec["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    assert reached(spec).keys() == {53, 5353, 443, 6443}


def test_every_namespace_looked_after_has_its_policies(helm: Path) -> None:
    found = of_kind(render(helm, *IN_TWO), "NetworkPolicy")
    places = sorted((each["metadata"]["namespace"], each["metadata"]["name"]) for each in found)
    workers = [(each, name) for each in ("one", "two") for name in ("ringrift-worker", "ringrift-worker-training")]
    assert places == sorted([("home", "ringrift-operator"), *workers])
    assert of_kind(render(helm, "--set=networkPolicy.enabled=false"), "NetworkPolicy") == []


# --- what else an administrator sets -----------------------------------------------------------------------


def test_accounts_take_annotations(helm: Path) -> None:
    role = "eks.amazonaws.com/role-arn"
    values = {"worker": {"annotations": {role: "arn:aws:iam::1:role/games"}}}
    accounts = of_kind(render(helm, f"--set-json=serviceAccounts={json.dumps(values)}"), "ServiceAccount")
    annotations = {each["metadata"]["name"]: each["metadata"].get("annotations", {}) for each in accounts}
    assert annotations == {"ringrift-operator": {}, "ringrift-worker": {role: "arn:aws:iam::1:role/games"}}


def test_priority_classes_and_objects_of_ones_own(helm: Path) -> None:
    classes = [{"name": "games", "value": -100, "preemptionPolicy": "Never", "description": "May wait"}]
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-one"}}
    objects = [one, "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-two'}"]
    manifests = render(
        helm, f"--set-json=priorityClasses={json.dumps(classes)}", f"--set-json=extraObjects={json.dumps(objects)}"
    )
    (made,) = of_kind(manifests, "PriorityClass")
    assert (made["metadata"]["name"], made["value"], made["preemptionPolicy"]) == ("games", -100, "Never")
    assert "ringrift-one" in {each["metadata"]["name"] for each in of_kind(manifests, "ConfigMap")}
    assert [each["metadata"]["name"] for each in of_kind(manifests, "Secret")] == ["ringrift-two"]


def test_every_pod_of_the_release_has_the_registrys_secret(helm: Path) -> None:
    manifests = render(helm, "--set=images.pullSecrets={registry}")
    specs = [each["spec"] for each in of_kind(manifests, "Pod")]
    specs += [each["spec"]["template"]["spec"] for each in of_kind(manifests, "Deployment")]
    assert [spec["imagePullSecrets"] for spec in specs] == [[{"name": "registry"}]] * len(specs)
    (configuration,) = of_kind(manifests, "ConfigMap")
    assert yaml.safe_load(configuration["data"]["release.yaml"])["imagePullSecrets"] == ["registry"]


# --- values ------------------------------------------------------------------------------------------------


def test_the_schema_of_values_takes_pools_from_the_crd() -> None:
    text = (CHART / "values.schema.json").read_text(encoding="utf-8")
    assert text == values_schema.with_definitions(text), "the charts' values.schema.json is old: run make crds"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"type": "Cluster"}, "slots"),
        ({"type": "Clusters", "slots": []}, "type"),
        ({"type": "Cluster", "slots": [], "board": []}, "board"),
        ({"type": "Cluster", "slots": [{"name": "a", "stages": ["merge"], "resources": {}}]}, "stages"),
        ({"type": "Cluster", "slots": [{"name": "a", "stages": ["train"], "resources": {"cpu": "lots"}}]}, "cpu"),
        ({"type": "Cluster", "slots": [], "podTemplate": {"nodeselector": {}}}, "nodeselector"),
    ],
)
def test_a_slip_in_a_pool_is_named_before_anything_is_installed(spec: Any, said: str, helm: Path) -> None:
    with pytest.raises(HelmError, match=said):
        render(helm, f"--set-json=pools={json.dumps([{'name': 'a', 'spec': spec}])}")


def test_what_the_api_server_fills_in_may_be_left_out(helm: Path) -> None:
    spec = {"type": "Cluster", "slots": [{"name": "a", "stages": ["train"], "resources": {"cpu": 2, "memory": "1Gi"}}]}
    (pool,) = of_kind(render(helm, f"--set-json=pools={json.dumps([{'name': 'a', 'spec': spec}])}"), "WorkerPool")
    assert pool["spec"] == spec


# --- environments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_by_name_is_its_file(environment: str, helm: Path) -> None:
    content = yaml.safe_load((CHART / "environments" / f"{environment}.yaml").read_text())
    assert content.keys() <= FROM_AN_ENVIRONMENT
    assert content.get("images", {}).keys() <= {"operator", "worker", "trainer"}
    assert content.get("lightStages", {}).keys() <= {"resources"}
    assert rendered(helm, f"--set=environment={environment}") == render(helm, environment=environment)


def test_what_is_set_beside_an_environment_goes_before_it(helm: Path) -> None:
    manifests = rendered(helm, "--set=environment=local", "--set=images.worker=mine:1")
    (configuration,) = of_kind(manifests, "ConfigMap")
    release = yaml.safe_load(configuration["data"]["release.yaml"])
    assert (release["workerImage"], release["trainerImage"]) == ("mine:1", "ringrift-trainer:dev")
    assert [pool["metadata"]["name"] for pool in of_kind(manifests, "WorkerPool")] == ["local"]


def test_an_environment_that_is_not_there_is_named(helm: Path) -> None:
    with pytest.raises(HelmError, match='environment "prod" is not among those of this chart: local, production, stag'):
        rendered(helm, "--set=environment=prod")


def test_a_packaged_chart_has_its_environments_inside(helm: Path, tmp_path: Path) -> None:
    run(helm, "package", str(CHART), "--destination", str(tmp_path))
    (package,) = tmp_path.glob("*.tgz")
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.move(package, empty)
    command = [str(helm), "template", "ringrift", package.name, "--namespace=home", "--kube-version=1.34.0"]
    command += ["--set", "environment=production"]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=True)
    manifests = [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]
    assert manifests == render(helm, environment="production")
    assert len(of_kind(manifests, "WorkerPool")) == 5


# --- what the cluster must have ----------------------------------------------------------------------------


def test_the_chart_says_which_schema_its_operator_writes() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["annotations"][SCHEMA_ANNOTATION] == SCHEMA_VERSION


def test_a_cluster_without_crds_is_told_in_a_sentence(helm: Path) -> None:
    served = [f"ringrift.ai/v1alpha1/{kind}" for kind in KINDS]
    a_cluster = [f"--api-versions={each}" for each in ("apps/v1/Deployment", *served[1:])]
    with pytest.raises(HelmError, match=rf"no CRD of {next(iter(KINDS))}: install the chart ringrift-crds first"):
        render(helm, *a_cluster)
    assert render(helm, *a_cluster, f"--api-versions={served[0]}")
