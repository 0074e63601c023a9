"""helm test on a real node: images, CRDs, rights and a store, each with its line."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.kubectl import Kubectl
from tests.cluster.node import Cluster
from tests.cluster.object_store import ObjectStore
from tests.e2e.conftest import CHARTS, RELEASE_NAMESPACE, VALUES, helm


def test_helm_test_says_what_is_in_place(
    cluster: Cluster, release: Kubectl, object_store: ObjectStore, output_directory: Path
) -> None:
    said = helm(cluster, "test", "ringrift", f"--namespace={RELEASE_NAMESPACE}")
    assert "CRDs: there, of schema 1.0" in said
    assert f"rights: all there in {RELEASE_NAMESPACE}" in said
    assert "store: not tried" in said
    object_store.create_bucket("trial")
    secret = [f"--from-literal={name}={value}" for name, value in object_store.environment().items()]
    release("create", "secret", "generic", "trial", *secret)
    chart = ("upgrade", "ringrift", str(CHARTS / "ringrift"), f"--namespace={RELEASE_NAMESPACE}", f"--values={VALUES}")
    helm(cluster, *chart, "--set=test.artifacts.uri=s3://trial/main,test.artifacts.secretName=trial")
    said = helm(cluster, "test", "ringrift", f"--namespace={RELEASE_NAMESPACE}")
    (output_directory / "helm-test.txt").write_text(said)
    assert "store: s3://trial/main was written, read, changed and cleared" in said
