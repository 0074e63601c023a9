"""Writes the fixture of what an API server holds in mid-iteration, as one version's operator leaves it.

    cd CHECKOUT && PYTHON THIS_FILE FOLDER

CHECKOUT is a checkout of that version (commit bdc4850 for released_0_1_0), whose CRDs and tests' control plane are
taken, and PYTHON the interpreter of its installation. The operator is killed while the search of weights of the
second iteration runs; then it is started again, and goes on to the end:

    cluster.json        TrainingPipeline, WorkerPool, the first iteration's TrainingIteration, a RemoteTask, the Jobs
    cluster_end.json    the totals it ended with
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))
from ringrift_core.contract import Decision
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.worker import Worker
from tests.cluster.binaries import CONTROL_PLANE
from tests.cluster.control_plane import Endpoints, running_control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.requirement import required_binaries

NAMESPACE = "ringrift"
KINDS = ("trainingpipelines", "workerpools", "trainingiterations", "remotetasks", "jobs")
SMALL = {"cpu": "1", "memory": "1Gi"}
POOL = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "WorkerPool",
    "metadata": {"name": "pool"},
    "spec": {
        "type": "Cluster",
        "slots": [
            {"name": "games", "stages": ["selfplay"], "resources": SMALL, "count": 2},
            {"name": "work", "stages": ["cmaes", "evaluate", "train"], "resources": SMALL, "count": 2},
        ],
    },
}
PIPELINE = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "TrainingPipeline",
    "metadata": {"name": "tiny"},
    "spec": {
        "artifacts": {"uri": "s3://bucket/tiny"},
        "configurations": [{"board": "square8", "players": 2, "bootstrapGames": 20, "gamesPerIteration": 20}],
        "iterations": 2,
        "tracks": ["weights", "network"],
        "selfplay": {"engineModes": ["heuristic-only"], "shardGames": 10, "cooldown": "0s"},
    },
}
REMOTE_TASK = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "RemoteTask",
    "metadata": {"name": "elsewhere-square8-2p-i1-selfplay-a1"},
    "spec": {
        "pipeline": "elsewhere",
        "configuration": "square8-2p",
        "iteration": 1,
        "stage": "selfplay",
        "attempt": 1,
        "pool": "mac-studio",
        "slot": "games",
        "shards": "0/1",
        "parameters": {"store": "s3://bucket/elsewhere", "board": "square8", "players": 2, "iteration": 1},
        "output": "s3://bucket/elsewhere/square8-2p",
        "resources": SMALL,
    },
}
REMOTE_TASK_STATUS = {
    "phase": "Succeeded",
    "holder": "mac-studio",
    "progress": 1,
    "exitCode": 0,
    "claimedAt": "2026-11-27T19:00:00Z",
    "finishedAt": "2026-11-27T19:01:00Z",
    "result": {
        "stage": "selfplay",
        "attempt": 1,
        "startedAt": "2026-11-27T19:00:00Z",
        "finishedAt": "2026-11-27T19:01:00Z",
        "metrics": {"games": 20, "cut_games": 1, "turns": 480, "cut_share": 0.05},
        "message": "20 games of 24.0 turns, 1 cut by the move limit",
    },
}


def main(folder: Path) -> None:
    programs = required_binaries(*(program.name for program in CONTROL_PLANE))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        with running_control_plane(programs, place / "cluster", Endpoints.on_free_ports()) as plane:
            plane.kubectl.apply(Path("crds"), "--server-side")
            plane.kubectl.wait_for_definitions(seconds=30)
            plane.kubectl("create", "namespace", NAMESPACE)
            kubectl = plane.kubectl.within(NAMESPACE)
            operator = OperatorProcess(plane.kubeconfig, place / "operator")
            with operator, Worker(plane.kubeconfig, NAMESPACE) as worker:
                run_to_the_middle(kubectl, worker)
                operator.kill()
                write(folder / "cluster.json", [_kept(each) for kind in KINDS for each in kubectl.get(kind)["items"]])
                worker.holds.clear()
                operator.start()
                eventually(lambda: kubectl.get("tp", "tiny")["status"]["phase"] == "Completed")
                write(folder / "cluster_end.json", end(kubectl))


def run_to_the_middle(kubectl: Kubectl, worker: Worker) -> None:
    """The first iteration whole, weights promoted and network rejected; of the second all but the weights track."""
    worker.decisions["evaluate-network"] = Decision.REJECT
    worker.holds.add("export")
    for manifest in (POOL, PIPELINE, REMOTE_TASK):
        kubectl.apply(manifest)
    patch = ("patch", "rt", "elsewhere-square8-2p-i1-selfplay-a1", "--subresource=status", "--type=merge", "-p")
    kubectl(*patch, json.dumps({"status": REMOTE_TASK_STATUS}))
    eventually(lambda: "promote-weights" in worker.ran)
    worker.holds |= {"cmaes"}
    worker.holds.discard("export")
    eventually(lambda: phases(kubectl).get("evaluate-network") == "Succeeded" and phases(kubectl)["cmaes"] == "Running")


def phases(kubectl: Kubectl) -> dict[str, str]:
    """Phases of the tasks of the second iteration, once it is under way."""
    (configuration,) = kubectl.get("tp", "tiny")["status"]["configurations"]
    if configuration.get("iteration", 0) != 1:
        return {}
    return {task["name"]: task.get("phase", "Pending") for task in configuration["tasks"]}


def end(kubectl: Kubectl) -> dict[str, Any]:
    """Totals of the status, and what the records say."""
    status = kubectl.get("tp", "tiny")["status"]
    totals = ("phase", "iteration", "games", "promotions", "rollbacks", "tasks")
    records = kubectl.get("ti")["items"]
    return {
        "status": {name: status.get(name, 0) for name in totals},
        "champions": status["configurations"][0]["champions"],
        "records": {each["metadata"]["name"]: each["spec"]["summary"] for each in records},
    }


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _kept(obj: dict[str, Any]) -> dict[str, Any]:
    obj["metadata"].pop("managedFields", None)
    obj["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return obj


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
