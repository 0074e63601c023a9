"""A cluster as 0.1.0 left it in mid-iteration, under today's operator: the iteration ends as it would have.

What 0.1.0's API server held, and what its own operator made of it, is in tests/upgrade.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.contract import Decision, ExitCode
from tests.apiserver.conftest import CRDS
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.worker import Configuration, Ending, Worker
from tests.cluster.binaries import CONTROL_PLANE
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.requirement import required_binaries

RELEASED = Path(__file__).parents[1] / "upgrade/released_0_1_0"
NAMESPACE = "ringrift"
ANSWER = {
    "stage": "cmaes",
    "attempt": 1,
    "startedAt": "2026-11-27T19:00:00Z",
    "finishedAt": "2026-11-27T19:01:00Z",
    "outputs": {"candidate": {"uri": "s3://bucket/candidate", "sha256": "0" * 64, "bytes": 1}},
    "metrics": {"generations": 10, "converged": 0, "games": 2400, "population_win_rate": 0.6, "step": 0.1},
    "message": "10 generations, the budget is spent",
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of its own, since its CRDs are those of 0.1.0 at first."""
    found = required_binaries(*(program.name for program in CONTROL_PLANE))
    with running_control_plane(found, tmp_path_factory.mktemp("cluster"), Endpoints.on_free_ports()) as started:
        started.kubectl.apply(RELEASED / "crds", "--server-side")
        started.kubectl.wait_for_definitions(seconds=30)
        started.kubectl("create", "namespace", NAMESPACE)
        yield started


def put(kubectl: Kubectl) -> dict[str, Any]:
    """Puts what 0.1.0 left into the cluster, each object under the owner that has its owner's name; the pipeline."""
    objects = json.loads((RELEASED / "cluster.json").read_text(encoding="utf-8"))
    for obj in sorted(objects, key=lambda obj: obj["kind"] != "TrainingPipeline"):
        status, metadata = obj.pop("status", None), obj["metadata"]
        obj["metadata"] = {name: metadata[name] for name in ("name", "labels", "annotations") if name in metadata}
        if "ownerReferences" in metadata:
            (owner,) = metadata["ownerReferences"]
            owner["uid"] = kubectl.get("tp", owner["name"])["metadata"]["uid"]
            obj["metadata"]["ownerReferences"] = [owner]
        if obj["kind"] == "Job":
            # What the API server adds to a Job belongs to its UID.
            obj["spec"].pop("selector")
            for labels in (obj["metadata"]["labels"], obj["spec"]["template"]["metadata"]["labels"]):
                for name in [name for name in labels if "controller-uid" in name or name.endswith("job-name")]:
                    del labels[name]
            status = None
        # Written, owned and later given up by the operator itself, of whichever version.
        kubectl.apply(obj, "--server-side", "--field-manager=ringrift-operator")
        if status is not None:
            head = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": {"name": metadata["name"]}}
            written = ("--server-side", "--subresource=status", "--field-manager=ringrift-operator")
            kubectl.apply({**head, "status": status}, *written)
    pipeline: dict[str, Any] = kubectl.get("tp", "tiny")
    return pipeline


@pytest.mark.timeout(300)
def test_the_iteration_goes_on_and_ends_as_it_would_have(plane: ControlPlane, tmp_path: Path) -> None:
    kubectl = plane.kubectl.within(NAMESPACE)
    before = put(kubectl)["status"]
    assert before["configurations"][0]["champions"] == {"weights": "1"}, "as 0.1.0 wrote it"
    operator = OperatorProcess(plane.kubeconfig, tmp_path / "operator")
    worker = Worker(plane.kubeconfig, NAMESPACE)
    worker.decisions["evaluate-network"] = Decision.REJECT
    shards = {(iteration, shard): 10 for iteration in (1, 2) for shard in (0, 1)}
    worker.store["square8-2p"] = Configuration(shards, 40, {"weights": [0, 1]})
    # The search was begun by a worker of 0.1.0, and ends in its words.
    worker.script["cmaes"] = [Ending(ExitCode.DONE, "Completed", json.dumps(ANSWER))]
    with operator, worker:
        eventually(lambda: waits(operator), operator.log.read_text)
        assert kubectl.get("tp", "tiny")["status"] == before, "nothing is written that those CRDs would not hold"
        assert not worker.ran or worker.ran == ["cmaes"], "Pods end, and nobody begins any"
        plane.kubectl.apply(CRDS, "--server-side", "--force-conflicts")
        eventually(lambda: totals(kubectl)["phase"] == "Completed", operator.log.read_text)
        eventually(lambda: not kubectl.get("jobs")["items"])
    end = json.loads((RELEASED / "cluster_end.json").read_text(encoding="utf-8"))
    assert totals(kubectl) == end["status"]
    (configuration,) = kubectl.get("tp", "tiny")["status"]["configurations"]
    assert {each["name"]: each.get("champion") for each in configuration["tracks"]} == {
        **end["champions"],
        "network": None,
    }
    # Server-side apply leaves null in their places, which nobody reads.
    assert not any(configuration.get(name) for name in ("champions", "predecessors", "consecutiveFailures", "strength"))
    records = {each["metadata"]["name"]: each["spec"]["summary"] for each in kubectl.get("ti")["items"]}
    assert records == end["records"]
    assert set(worker.ran) <= {"cmaes", "evaluate-weights", "regression-weights", "promote-weights"}, (
        "the rest was done"
    )


def waits(operator: OperatorProcess) -> bool:
    return "is of schema 0.0, and this operator writes" in operator.log.read_text()


def totals(kubectl: Kubectl) -> dict[str, Any]:
    status = kubectl.get("tp", "tiny")["status"]
    names = ("phase", "iteration", "games", "promotions", "rollbacks", "tasks")
    return {name: status.get(name, 0) for name in names}
