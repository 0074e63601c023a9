"""Every Pod of a release passes the Pod Security Standard `restricted`, as the API server's own admission judges it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ringrift_operator.builders.job import job
from ringrift_operator.builders.jobset import jobset
from ringrift_operator.builders.release import Release
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import Snapshot
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.cluster.requirement import required_binaries
from tests.unit.builders.test_job import PLAY
from tests.unit.builders.test_jobset import GPUS
from tests.unit.charts.test_charts import of_kind, render
from tests.unit.domain.world import World, pipeline_spec, pool

Manifest = dict[str, Any]

WITHOUT_IDS = [f"--set=podSecurityContext.{name}=null" for name in ("runAsUser", "runAsGroup", "fsGroup")]


@pytest.fixture
def restricted(control_plane: ControlPlane) -> Iterator[Kubectl]:
    """kubectl in a namespace that takes nothing but restricted Pods."""
    name = f"restricted-{uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    for account in ("ringrift-operator", "ringrift-worker"):
        control_plane.kubectl.within(name)("create", "serviceaccount", account)
    yield control_plane.kubectl.within(name)
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


def pods_of(helm: Path, folder: Path, *values: str, **of_pool: Any) -> dict[str, Manifest]:
    """Specs of the operator's Pod, of those of helm test, and of every stage's, with a claim and with a Secret, those
    that train together among them."""
    manifests = render(helm, *values)
    (deployment,) = of_kind(manifests, "Deployment")
    (configuration,) = of_kind(manifests, "ConfigMap")
    (folder / "release.yaml").write_text(configuration["data"]["release.yaml"])
    release = Release.read(folder / "release.yaml")
    found = {"operator": deployment["spec"]["template"]["spec"]}
    found |= {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "Pod")}
    for store in ({"persistentVolumeClaim": {"claimName": "games"}}, {"uri": "s3://a/b", "secretName": "keys"}):
        spec = pipeline_spec(iterations=1, artifacts=store)
        one = World(pools=(pool(**of_pool),), specs={"tp": spec})
        one.run()
        for task in one.created:
            manifest = job(one.snapshot(), task, release)
            found[f"{task.identity.step} {next(iter(store))}"] = manifest["spec"]["template"]["spec"]
        together = jobset(*training(of_pool, store), release)["spec"]["replicatedJobs"][0]["template"]["spec"]
        found[f"jobset {next(iter(store))}"] = together["template"]["spec"]
    return found


def training(of_pool: Manifest, store: Manifest) -> tuple[Snapshot, PlacedTask]:
    """What two Pods do together."""
    network = {"distributed": {"nodes": 2}}
    spec = pipeline_spec(iterations=1, tracks=["network"], network=network, artifacts=store)
    one = World(pools=(pool(**{"slots": [PLAY, GPUS], **of_pool}),), specs={"tp": spec})
    one.run()
    (task,) = (task for task in one.created if task.identity.step == "train")
    return one.snapshot(), task


@pytest.fixture(scope="session")
def helm() -> Path:
    return required_binaries("helm") / "helm"


def admit(kubectl: Kubectl, spec: Manifest) -> Manifest:
    """The Pod as it would be stored; KubectlError when admission refuses it."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asked"}, "spec": spec}
    return json.loads(kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(pod)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("values", [[], WITHOUT_IDS], ids=["with the images' ids", "with the cluster's ids"])
def test_every_pod_is_restricted(values: list[str], restricted: Kubectl, helm: Path, tmp_path: Path) -> None:
    pods = pods_of(helm, tmp_path, *values)
    assert len(pods) > 12
    assert {"operator", "ringrift-test-cluster", "jobset uri", "jobset persistentVolumeClaim"} <= pods.keys()
    for name, spec in pods.items():
        stored = admit(restricted, spec)
        assert ("runAsUser" in stored["spec"]["securityContext"]) is not bool(values), name
        for container in stored["spec"]["containers"]:
            assert not {"runAsUser", "runAsGroup"} & container["securityContext"].keys(), name


def test_the_admission_is_awake(restricted: Kubectl, helm: Path, tmp_path: Path) -> None:
    for spec in pods_of(helm, tmp_path, "--set=podSecurityContext.runAsNonRoot=null").values():
        with pytest.raises(KubectlError, match="runAsNonRoot != true"):
            admit(restricted, spec)


def test_a_pools_own_contexts_stand_in_the_place_of_the_releases(
    restricted: Kubectl, helm: Path, tmp_path: Path
) -> None:
    own = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    template = {"podSecurityContext": own, "securityContext": {"allowPrivilegeEscalation": True}}
    pods = pods_of(helm, tmp_path, podTemplate=template)
    assert pods["cmaes uri"]["securityContext"] == own
    assert pods["merge uri"]["securityContext"]["runAsUser"] == 65532
    with pytest.raises(KubectlError, match="allowPrivilegeEscalation != false"):
        admit(restricted, pods["cmaes uri"])
