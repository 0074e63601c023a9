"""The chart on a real API server: what is installed, what it may do, what it says, and what is left of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.binaries import PROGRAMS, BinariesMissingError, find
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl

CHART = Path(__file__).parents[2] / "charts" / "ringrift"


@dataclass(frozen=True)
class Release:
    """An installed release."""

    helm: list[str]
    namespace: str
    said: str
    """What helm printed."""

    def may(self, kubectl: Kubectl, verb: str, resource: str, account: str = "ringrift-operator") -> bool:
        """Whether an account of the release has a right in its namespace."""
        subject = f"system:serviceaccount:{self.namespace}:{account}"
        kind, _, subresource = resource.partition("/")
        arguments = ["auth", "can-i", verb, kind, f"--subresource={subresource}", f"--as={subject}"]
        done = subprocess.run(kubectl.command(*arguments), capture_output=True, text=True, check=False)
        assert done.stdout.strip() in ("yes", "no"), done.stderr
        return done.stdout.strip() == "yes"


@pytest.fixture
def release(control_plane: ControlPlane, namespace: str) -> Iterator[Release]:
    """The chart with production's machines, installed into the test's namespace."""
    try:
        program = find(tuple(program for program in PROGRAMS if program.name == "helm")) / "helm"
    except BinariesMissingError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    helm = [str(program), f"--kubeconfig={control_plane.kubeconfig}", f"--namespace={namespace}"]
    values = CHART / "environments" / "production.yaml"
    done = subprocess.run(
        [*helm, "install", "ringrift", str(CHART), f"--values={values}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    yield Release(helm, namespace, done.stdout)
    subprocess.run([*helm, "uninstall", "ringrift", "--ignore-not-found"], capture_output=True, check=True)


def test_it_says_what_to_type_next(release: Release) -> None:
    assert f"looks after {release.namespace} with 5 pools" in release.said
    assert f"kubectl -n {release.namespace} apply -f examples/quickstart.yaml" in release.said


@pytest.mark.usefixtures("release")
def test_the_environments_machines_are_there(kubectl: Kubectl) -> None:
    names = kubectl("get", "wp", "-o", "name").split()
    assert [name.partition("/")[2] for name in names] == [
        "aws-extra",
        "aws-staging",
        "cloud-gpu",
        "m1-pro",
        "mac-studio",
    ]


ALLOWED = [
    ("watch", "trainingpipelines.ringrift.ai"),
    ("patch", "trainingpipelines.ringrift.ai/status"),
    ("patch", "workerpools.ringrift.ai/status"),
    ("create", "remotetasks.ringrift.ai"),
    ("create", "trainingiterations.ringrift.ai"),
    ("create", "jobs.batch"),
    ("delete", "jobs.batch"),
    ("list", "pods"),
    ("get", "pods/log"),
    ("create", "events.events.k8s.io"),
    ("update", "leases.coordination.k8s.io"),
    ("list", "nodes"),
]
DENIED = [
    ("get", "secrets"),
    ("list", "secrets"),
    ("patch", "trainingpipelines.ringrift.ai"),
    ("patch", "jobs.batch"),
    ("create", "trainingpipelines.ringrift.ai"),
    ("delete", "trainingpipelines.ringrift.ai"),
    ("create", "pods"),
    ("create", "pods/exec"),
    ("patch", "nodes"),
    ("list", "jobs.batch", "default"),
]


def test_the_operator_may_do_what_it_must_and_no_more(release: Release, kubectl: Kubectl) -> None:
    for verb, resource in ALLOWED:
        assert release.may(kubectl, verb, resource), f"{verb} {resource}"
    for verb, resource, *elsewhere in DENIED:
        place = kubectl.within(elsewhere[0]) if elsewhere else kubectl
        assert not release.may(place, verb, resource), f"{verb} {resource} {elsewhere}"


def test_stages_may_do_nothing(release: Release, kubectl: Kubectl) -> None:
    for verb, resource in ALLOWED:
        assert not release.may(kubectl, verb, resource, account="ringrift-worker"), f"{verb} {resource}"


def test_uninstalling_leaves_pipelines_and_their_kind(release: Release, kubectl: Kubectl) -> None:
    kubectl.apply(Path(__file__).parents[2] / "examples" / "quickstart.yaml")
    subprocess.run([*release.helm, "uninstall", "ringrift"], capture_output=True, check=True)
    assert kubectl("get", "tp", "-o", "name").split() == ["trainingpipeline.ringrift.ai/quickstart"]
    assert kubectl("get", "wp", "-o", "name") == ""
