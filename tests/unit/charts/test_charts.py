"""The charts render to what the operator and its Pods are promised to be."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_core.contract import Board
from ringrift_operator.api import PoolType, SlotTime, WorkerPool
from ringrift_operator.api.kinds import KINDS
from ringrift_operator.api.load import Document, load
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.builders.release import Release
from tests.cluster.requirement import required_binaries

CHARTS = Path(__file__).parents[3] / "charts"
CHART = CHARTS / "ringrift"
ENVIRONMENTS = sorted(path.stem for path in (CHART / "environments").glob("*.yaml"))
environments = pytest.mark.parametrize("environment", ENVIRONMENTS)

Manifest = dict[str, Any]

POOL = {
    "type": "Cluster",
    "queue": {"name": "games", "priorityClass": "low"},
    "slots": [{"name": "play", "stages": ["selfplay"], "resources": {"cpu": "1", "memory": "1Gi"}}],
}


@pytest.fixture(scope="session")
def helm() -> Path:
    return required_binaries("helm") / "helm"


class HelmError(Exception):
    """What helm printed on standard error."""


def run(helm: Path, *arguments: str) -> str:
    done = subprocess.run([helm, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr + done.stdout)
    return done.stdout


def render(helm: Path, *arguments: str, environment: str = "local") -> list[Manifest]:
    """The manifests of release `ringrift` in namespace `home`."""
    values = ["-f", str(CHART / "environments" / f"{environment}.yaml")]
    text = run(
        helm, "template", "ringrift", str(CHART), "--namespace=home", "--kube-version=1.34.0", *values, *arguments
    )
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def pools(helm: Path, environment: str) -> dict[str, WorkerPool]:
    manifests = of_kind(render(helm, environment=environment), "WorkerPool")
    loaded = load(Document(environment, manifest) for manifest in manifests)
    return {pool.metadata.name: pool for pool in loaded if isinstance(pool, WorkerPool)}


IN_TWO = ("--set=namespaces={one,two}", "--set-json=pools=" + json.dumps([{"name": "pool", "spec": POOL}]))
"""Two namespaces that share a pool."""


def test_lint(helm: Path) -> None:
    files = [f"--values={CHART}/environments/{environment}.yaml" for environment in ENVIRONMENTS]
    run(helm, "lint", "--strict", "--quiet", str(CHARTS / "ringrift-crds"))
    for values in files:
        run(helm, "lint", "--strict", "--quiet", str(CHART), values, "--kube-version=1.34.0")


def test_uninstalling_leaves_the_crds(helm: Path) -> None:
    manifests = list(yaml.safe_load_all(run(helm, "template", "crds", str(CHARTS / "ringrift-crds"))))
    assert sorted(manifest["kind"] for manifest in manifests) == ["ClusterRole"] * 3 + ["CustomResourceDefinition"] * 4
    for manifest in manifests:
        assert manifest["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


@environments
def test_pools_are_pools_that_the_api_server_takes(environment: str, helm: Path) -> None:
    assert pools(helm, environment)


@environments
def test_an_environment_runs_every_stage_of_every_board(environment: str, helm: Path) -> None:
    """Or a pipeline that works in one environment would be Stalled in another."""
    for board in Board:
        for players in (2, 3, 4):
            stages = {
                stage
                for pool in pools(helm, environment).values()
                if board in (pool.spec.boards or Board) and players in (pool.spec.players or (2, 3, 4))
                for slot in pool.spec.slots
                for stage in slot.stages
            }
            assert {"selfplay", "evaluate", "cmaes", "train"} <= stages, f"{board} {players}p"


def test_production_is_the_plans_table_of_machines(helm: Path) -> None:
    machines = pools(helm, "production")
    memory = {
        name: [quantity_value(slot.resources["memory"]) / 2**30 for slot in pool.spec.slots]
        for name, pool in machines.items()
    }
    assert memory == {
        "aws-staging": [12, 4],
        "aws-extra": [6],
        "mac-studio": [160, 32],
        "m1-pro": [48, 16],
        "cloud-gpu": [48],
    }
    assert {name for name, pool in machines.items() if pool.spec.type == PoolType.RUNNER} == {"mac-studio", "m1-pro"}
    assert machines["aws-extra"].spec.players == (3, 4)
    assert machines["aws-staging"].spec.slots[1].when == SlotTime.COOLDOWN
    assert machines["cloud-gpu"].spec.slots[0].count == 4


def test_one_operator_at_a_time(helm: Path) -> None:
    (deployment,) = of_kind(render(helm), "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_the_operator_is_confined_and_probed(helm: Path) -> None:
    (deployment,) = of_kind(render(helm), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert "memory" in container["resources"]["limits"]


def test_helm_test_is_hooks_that_start_images_and_ask_for_rights_and_a_store(helm: Path) -> None:
    store = {"uri": "s3://games/main", "secretName": "keys"}
    pods = {
        each["metadata"]["name"]: each
        for each in of_kind(render(helm, f"--set-json=test.artifacts={json.dumps(store)}"), "Pod")
    }
    assert all(each["metadata"]["annotations"]["helm.sh/hook"] == "test" for each in pods.values())
    images, cluster, trial = (pods[f"ringrift-test-{name}"]["spec"] for name in ("images", "cluster", "store"))
    assert [container["args"] for container in images["containers"]] == [["--version"]] * 3
    assert cluster["containers"][0]["args"] == ["check", "--namespace=home"]
    assert (cluster["serviceAccountName"], cluster["automountServiceAccountToken"]) == ("ringrift-operator", True)
    assert trial["containers"][0]["args"] == ["check-store", "--store=s3://games/main"]
    assert trial["containers"][0]["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert (trial["serviceAccountName"], trial["automountServiceAccountToken"]) == ("ringrift-worker", False)


def test_the_store_is_tried_under_the_stages_network_policy(helm: Path) -> None:
    manifests = render(helm, *IN_TWO)
    (trial,) = (each for each in of_kind(manifests, "Pod") if each["metadata"]["name"] == "ringrift-test-store")
    assert trial["metadata"]["namespace"] == "one"
    assert "ringrift.ai/stage" in trial["metadata"]["labels"]


def test_an_operators_own_contexts(helm: Path) -> None:
    (deployment,) = of_kind(render(helm, "--set=operator.podSecurityContext.runAsUser=7"), "Deployment")
    assert deployment["spec"]["template"]["spec"]["securityContext"] == {"runAsUser": 7}
    (deployment,) = of_kind(render(helm, "--set=operator.securityContext.privileged=false"), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["containers"][0]["securityContext"] == {"privileged": False}


def test_ids_can_be_left_to_the_cluster(helm: Path) -> None:
    """What OpenShift asks for."""
    left_out = [f"--set=podSecurityContext.{name}=null" for name in ("runAsUser", "runAsGroup", "fsGroup")]
    manifests = render(helm, *left_out)
    assert "65532" not in yaml.safe_dump_all(manifests)
    for kind in ("Deployment", "Pod", "ConfigMap"):
        assert of_kind(manifests, kind)


def test_stages_get_no_token(helm: Path) -> None:
    accounts = of_kind(render(helm), "ServiceAccount")
    assert {account["metadata"]["name"] for account in accounts} == {"ringrift-operator", "ringrift-worker"}
    assert all(account["automountServiceAccountToken"] is False for account in accounts)
    subjects = [
        subject["name"]
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for binding in of_kind(render(helm), kind)
        for subject in binding["subjects"]
    ]
    assert set(subjects) == {"ringrift-operator"}


def test_the_operator_reads_no_secret_and_rules_nothing_wholesale(helm: Path) -> None:
    manifests = render(helm)
    rules = [rule for kind in ("Role", "ClusterRole") for role in of_kind(manifests, kind) for rule in role["rules"]]
    assert rules
    for rule in rules:
        assert "secrets" not in rule["resources"]
        for part in ("apiGroups", "resources", "verbs"):
            assert "*" not in rule[part]
    (cluster_role,) = of_kind(manifests, "ClusterRole")
    nodes, namespaces, definitions = cluster_role["rules"]
    assert [nodes["resources"], definitions["resources"]] == [["nodes"], ["customresourcedefinitions"]]
    assert namespaces == {
        "apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"]
    }  # fmt: skip
    assert definitions["verbs"] == ["get"]
    assert sorted(definitions["resourceNames"]) == sorted(f"{kind.plural}.ringrift.ai" for kind in KINDS.values())


def test_rights_end_at_the_namespaces_looked_after(helm: Path) -> None:
    manifests = render(helm, *IN_TWO)
    rights = {
        role["metadata"]["namespace"]: {resource for rule in role["rules"] for resource in rule["resources"]}
        for role in of_kind(manifests, "Role")
    }
    assert rights.keys() == {"one", "two", "home"}
    assert rights["home"] == {"leases"}
    assert "jobs" in rights["one"]
    for role in of_kind(manifests, "Role"):
        for rule in role["rules"]:
            if rule["resources"] == ["leases"] and "resourceNames" not in rule:
                # Those of runners are made and watched, and changed by nobody but runners.
                assert rule["verbs"] == ["list", "watch", "create"]
            elif rule["resources"] == ["leases"]:
                assert rule["verbs"] == ["get", "update"]
                name = "ringrift-operator" if role["metadata"]["namespace"] == "home" else "ringrift-namespace"
                assert rule["resourceNames"] == [name]
    leases = of_kind(manifests, "Lease")
    assert [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in leases] == [
        ("one", "ringrift-namespace"), ("two", "ringrift-namespace")
    ]  # fmt: skip
    assert all(each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"} for each in leases)
    (deployment,) = of_kind(manifests, "Deployment")
    arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    assert [argument for argument in arguments if "namespace" in argument] == ["--namespace=one", "--namespace=two"]


def test_a_changed_release_is_a_new_pod(helm: Path) -> None:
    def digest(*arguments: str) -> str:
        (deployment,) = of_kind(render(helm, *arguments), "Deployment")
        annotations: dict[str, str] = deployment["spec"]["template"]["metadata"]["annotations"]
        return annotations["ringrift.ai/release-digest"]

    assert digest() == digest()
    assert digest() != digest("--set", "images.worker=ringrift-worker:other")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["--set", "image.worker=x"], "image"),
        (["--set", "operator.logLevel=loud"], "logLevel"),
        (["--set", "lightStages.resources.memory=null"], "memory"),
        (["--set-json", 'pools=[{"name": "Bad", "spec": {"type": "Cluster", "slots": []}}]'], "pattern"),
    ],
)
def test_slips_in_values_are_named(values: list[str], said: str, helm: Path) -> None:
    with pytest.raises(HelmError, match=said):
        render(helm, *values)


@pytest.mark.parametrize(("given", "value"), [("0.5", "0.5"), ("2", 2), ("500m", "0.5"), ("1e9", 10**9)])
def test_quantities_of_light_stages_are_written_as_kubernetes_takes_them(
    given: str, value: int | str, helm: Path, tmp_path: Path
) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(f"lightStages: {{resources: {{cpu: {given}, memory: 2147483648}}}}")
    (configuration,) = of_kind(render(helm, "-f", str(values)), "ConfigMap")
    (tmp_path / "release.yaml").write_text(configuration["data"]["release.yaml"])
    resources = Release.read(tmp_path / "release.yaml").light_stages.resources
    assert quantity_value(resources["cpu"]) == Decimal(value)
    assert quantity_value(resources["memory"]) == 2**31


@environments
def test_the_operator_accepts_its_release_file(environment: str, helm: Path, tmp_path: Path) -> None:
    (configuration,) = of_kind(render(helm, environment=environment), "ConfigMap")
    (tmp_path / "release.yaml").write_text(configuration["data"]["release.yaml"])
    release = Release.read(tmp_path / "release.yaml")
    assert release.service_account == "ringrift-worker"
    assert release.worker_image.startswith("ringrift-worker:")
    assert "memory" in release.light_stages.resources
