"""helm and a real API server: what an installation refuses, what it gives to whom, and what `helm test` asks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver.operator_process import eventually
from tests.cluster.binaries import CONTROL_PLANE
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.cluster.requirement import required_binaries

CHARTS = Path(__file__).parents[2] / "charts"
NAMESPACE = "games"


class HelmError(Exception):
    """What helm said on standard error."""


class Helm:
    """helm against one cluster."""

    def __init__(self, kubeconfig: Path) -> None:
        self._command = [str(required_binaries("helm") / "helm"), f"--kubeconfig={kubeconfig}"]

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise HelmError(done.stderr)
        return done.stdout

    def install(self, *arguments: str) -> str:
        """The operator with the machines of the environment `local`."""
        chart = ("upgrade", "--install", "ringrift", str(CHARTS / "ringrift"), f"--namespace={NAMESPACE}")
        return self(*chart, "--set=environment=local", *arguments)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster that knows nothing of ours, with a namespace that takes restricted Pods alone."""
    found = required_binaries(*(program.name for program in CONTROL_PLANE))
    with running_control_plane(found, tmp_path_factory.mktemp("bare"), Endpoints.on_free_ports()) as plane:
        plane.kubectl("create", "namespace", NAMESPACE)
        plane.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        yield plane


@pytest.fixture(scope="module")
def refusal_without_crds(bare: ControlPlane) -> str:
    """What helm said before the CRDs were there."""
    with pytest.raises(HelmError) as refusal:
        Helm(bare.kubeconfig).install()
    return str(refusal.value)


@pytest.fixture(scope="module")
def installed(bare: ControlPlane, refusal_without_crds: str) -> Kubectl:
    """Both charts are installed; kubectl in the release's namespace."""
    assert refusal_without_crds
    helm = Helm(bare.kubeconfig)
    helm("install", "ringrift-crds", str(CHARTS / "ringrift-crds"))
    bare.kubectl.wait_for_definitions(seconds=30)
    helm.install()
    return bare.kubectl.within(NAMESPACE)


def test_without_crds_the_chart_says_what_to_install(refusal_without_crds: str) -> None:
    assert "the cluster has no CRD of TrainingPipeline: install the chart ringrift-crds first" in refusal_without_crds
    assert "helm upgrade --install ringrift-crds" in refusal_without_crds


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("0.9", "is of schema 0.9, and this chart's operator writes 1.0, of which it would lose a part"),
        ("2.0", "is of schema 2.0, and this chart's operator writes 1.0, which it may no longer hold"),
    ],
)
def test_crds_of_another_schema_are_refused(schema: str, said: str, bare: ControlPlane, installed: Kubectl) -> None:
    annotate = ("annotate", "--overwrite", "crd", "workerpools.ringrift.ai")
    installed(*annotate, f"ringrift.ai/schema={schema}")
    try:
        with pytest.raises(HelmError, match=said):
            Helm(bare.kubeconfig).install()
    finally:
        installed(*annotate, "ringrift.ai/schema=1.0")
    Helm(bare.kubeconfig).install()


def test_crds_of_a_later_minor_schema_are_taken(bare: ControlPlane, installed: Kubectl) -> None:
    annotate = ("annotate", "--overwrite", "crd", "workerpools.ringrift.ai")
    installed(*annotate, "ringrift.ai/schema=1.1")
    try:
        Helm(bare.kubeconfig).install()
    finally:
        installed(*annotate, "ringrift.ai/schema=1.0")


def second_release(bare: ControlPlane, *arguments: str) -> str:
    """Another release, in a namespace of its own, that is to look after the first one's as well."""
    where = ("--namespace=elsewhere", "--create-namespace", f"--set=namespaces={{{NAMESPACE}}}")
    return Helm(bare.kubeconfig)("upgrade", "--install", "other", str(CHARTS / "ringrift"), *where, *arguments)


def owned(kubectl: Kubectl) -> dict[str, str]:
    """By which release helm knows the namespace's Lease."""
    annotations = kubectl.get("lease", "ringrift-namespace")["metadata"]["annotations"]
    return {name: value for name, value in annotations.items() if name.startswith("meta.helm.sh/")}


def test_a_second_release_over_a_namespace_that_is_looked_after_is_refused(
    bare: ControlPlane, installed: Kubectl
) -> None:
    """As the operator of the first one leaves the Lease, for as long as it works, and when it has let go."""

    def lease(holder: str) -> None:
        held = {"metadata": {"annotations": {"ringrift.ai/release": f"{NAMESPACE}/ringrift"}}}
        content = json.dumps({**held, "spec": {"holderIdentity": holder}})
        installed("patch", "lease", "ringrift-namespace", "--type=merge", "-p", content)

    lease("ringrift-operator-1")
    said = f"namespace {NAMESPACE} is looked after by release {NAMESPACE}/ringrift: uninstall that release, or take"
    with pytest.raises(HelmError, match=said):
        second_release(bare)
    Helm(bare.kubeconfig).install()  # its own is no other's
    lease("")
    second_release(bare, "--dry-run=server")


def test_a_lease_that_another_release_made_is_left_as_it_is(bare: ControlPlane, installed: Kubectl) -> None:
    """That release has gone, or let go; helm would refuse to make its object anew."""
    first = owned(installed)
    assert first == {"meta.helm.sh/release-name": "ringrift", "meta.helm.sh/release-namespace": NAMESPACE}
    helm = Helm(bare.kubeconfig)
    second_release(bare)
    try:
        assert "ringrift-namespace" not in leases(helm("get", "manifest", "other", "--namespace=elsewhere"))
        assert "ringrift-namespace" in leases(helm("get", "manifest", "ringrift", f"--namespace={NAMESPACE}"))
        assert owned(installed) == first
    finally:
        helm("uninstall", "other", "--namespace=elsewhere")
    assert owned(installed) == first


def leases(manifest: str) -> set[str]:
    """Names of the Leases in a release."""
    return {each["metadata"]["name"] for each in yaml.safe_load_all(manifest) if each and each["kind"] == "Lease"}


def test_a_restricted_namespace_takes_the_operators_pod(installed: Kubectl) -> None:
    """A Deployment is always taken; a Pod that is refused shows in that none is there."""
    (pod,) = eventually(lambda: installed.get("pods", "--selector=app.kubernetes.io/component=operator")["items"])
    assert pod["spec"]["serviceAccountName"] == "ringrift-operator"


# --- who may do what ---------------------------------------------------------------------------------------

RESOURCES = ("trainingpipelines", "workerpools", "remotetasks", "trainingiterations")


def allowed(kubectl: Kubectl, verb: str, *identity: str) -> set[str]:
    """The resources of ours with which somebody may do something."""

    def may(resource: str) -> bool:
        try:
            return kubectl("auth", "can-i", verb, f"{resource}.ringrift.ai", *identity).startswith("yes")
        except KubectlError:
            return False

    return {resource for resource in RESOURCES if may(resource)}


@pytest.mark.parametrize(
    ("role", "created", "deleted"),
    [
        ("view", set(), set()),
        ("edit", {"trainingpipelines"}, {"trainingpipelines", "remotetasks"}),
        (
            "admin",
            {"trainingpipelines", "workerpools"},
            {"trainingpipelines", "workerpools", "remotetasks"},
        ),
    ],
)
def test_people_may_what_their_role_in_the_namespace_says(
    role: str, created: set[str], deleted: set[str], installed: Kubectl
) -> None:
    person = f"--as=somebody-who-may-{role}"
    installed("create", "rolebinding", role, f"--clusterrole={role}", f"--user={person.removeprefix('--as=')}")
    eventually(lambda: allowed(installed, "list", person) == set(RESOURCES))
    eventually(lambda: allowed(installed, "create", person) == created)
    assert allowed(installed, "delete", person) == deleted
    assert allowed(installed, "patch", person) == created


def test_who_has_no_role_sees_nothing(installed: Kubectl) -> None:
    assert allowed(installed, "list", "--as=a-stranger") == set()


# --- helm test's question ----------------------------------------------------------------------------------


@pytest.fixture
def as_the_operator(bare: ControlPlane, installed: Kubectl, tmp_path: Path) -> Path:
    """A kubeconfig with the token of the operator's account."""
    cluster = {"server": bare.server, "certificate-authority": str(bare.authority.certificate)}
    user = {"token": installed("create", "token", "ringrift-operator").strip()}
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "operator", "user": user}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "operator"}}],
        "current-context": "tests",
    }
    path = tmp_path / "operator.kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


def checked(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    entry = "from ringrift_operator.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", entry, "check", *arguments],
        env={"KUBECONFIG": str(kubeconfig), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_operator_finds_crds_and_rights_in_place(as_the_operator: Path) -> None:
    done = checked(as_the_operator, f"--namespace={NAMESPACE}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "CRDs: there, of schema 1.0 or a later minor one",
        f"rights: all there in {NAMESPACE}",
    ]


def test_a_right_that_is_missing_is_named(as_the_operator: Path, installed: Kubectl) -> None:
    role = installed.get("role", "ringrift-operator")
    jobs = next(at for at, rule in enumerate(role["rules"]) if "jobs" in rule["resources"])
    fewer = [{"op": "replace", "path": f"/rules/{jobs}/verbs", "value": ["get", "list", "watch", "create"]}]
    installed("patch", "role", "ringrift-operator", "--type=json", "-p", json.dumps(fewer))
    try:
        done = checked(as_the_operator, f"--namespace={NAMESPACE}", "--namespace=default")
    finally:
        whole = [{"op": "replace", "path": "/rules", "value": role["rules"]}]
        installed("patch", "role", "ringrift-operator", "--type=json", "-p", json.dumps(whole))
    assert done.returncode == 1
    assert f"may not delete jobs in {NAMESPACE}" in done.stdout
    assert f"may not create jobs in {NAMESPACE}" not in done.stdout
    assert "may not create jobs in default" in done.stdout
