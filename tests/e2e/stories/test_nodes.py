"""A network trained by one Pod, and by two (JobSet, DDP over gloo): the same loss. One of the two is killed in between,
which is an attempt, and they go on from the checkpoint."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from images.build import reference_of
from images.contents import WORKER
from ringrift_core.contract import StageResult, TrainResult
from tests.cluster.binaries import JOBSET
from tests.cluster.jobset import running_jobset
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.cluster.requirement import required_binaries
from tests.e2e.stories.place import Place, Reader, pipeline, standing
from tests.e2e.stories.training import training_pool
from tests.e2e.stories.transcript import Transcript

GAMES = 300
GPU = "nvidia.com/gpu"
ALONE, TOGETHER = "alone", "together"
ALLOWED = 0.005
"""Between the held-out losses."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    required_binaries("helm", JOBSET.name)
    with standing(tmp_path_factory.mktemp("cluster"), tmp_path_factory.mktemp("store")) as there:
        directory = tmp_path_factory.mktemp("jobset") / "here"
        with running_jobset(there.cluster.plane, directory, inside=there.cluster.sandbox.enter):
            yield there


def learning(name: str, nodes: int) -> dict[str, Any]:
    """Games by seeds, so that both learn from the same."""
    return pipeline(
        name,
        games=GAMES,
        tracks=["network"],
        selfplay={"engineModes": ["minimax-only"], "shardGames": 50, "cooldown": "1s"},
        network={"size": "tiny", "bootstrapEpochs": 20, "batchSize": 256, "distributed": {"nodes": nodes}},
        evaluation={"gate": "Fixed", "games": 4, "baselineGames": 4, "roundRobin": {"games": 0}},
    )


def pool() -> dict[str, Any]:
    """Two places for training, which both fit a small machine."""
    found = training_pool(has_image=False)
    (slot,) = found["spec"]["slots"]
    slot["count"] = 2
    slot["resources"]["cpu"] = "500m"
    return found


def pods(kubectl: Kubectl) -> list[dict[str, Any]]:
    """Those that train, by their rank."""
    found = kubectl.get("pods", "-l", "ringrift.ai/step=train")["items"]
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


def logs(kubectl: Kubectl, pod: dict[str, Any]) -> str:
    try:
        return kubectl("logs", pod["metadata"]["name"])
    except KubectlError:
        return ""


def processes_of(pod: dict[str, Any]) -> list[int]:
    """The PIDs, on this machine, of what runs in a Pod: the kernel names its control group by the Pod's UID."""
    uid: str = pod["metadata"]["uid"]
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if uid in (each / "cgroup").read_text() and "ringrift_core" in (each / "cmdline").read_text():
                found.append(int(each.name))
        except OSError:
            continue
    return found


def trained(place: Place, name: str) -> TrainResult:
    record = json.loads((place.store(name) / "tasks/i0001/train.json").read_text())
    return StageResult.model_validate(record["result"]).answer(TrainResult)


def test_nodes(place: Place, transcript: Transcript) -> None:
    place.install(f"--set=images.trainer={reference_of(WORKER)}")
    kubectl = place.kubectl
    kubectl.apply(pool())
    one = Reader(kubectl, ALONE)
    kubectl.apply(learning(ALONE, nodes=1))
    one.completes(20)
    alone = trained(place, ALONE)

    two = Reader(kubectl, TOGETHER)
    kubectl.apply(learning(TOGETHER, nodes=2))
    two.wait("both Pods", lambda: len(pods(kubectl)) == 2)
    two.wait("the third epoch", lambda: any('"epoch 3' in logs(kubectl, pod) for pod in pods(kubectl)))
    transcript.shows("Two Pods train one network", kubectl, "jobsets,pods")
    first = {pod["metadata"]["uid"] for pod in pods(kubectl)}
    for pid in processes_of(pods(kubectl)[1]):
        os.kill(pid, signal.SIGKILL)
    two.wait("the second attempt", lambda: two.task("train").get("attempt") == 2)
    transcript.shows("One was killed in mid-epoch: both are asked for anew", kubectl, "jobsets,pods")

    def new_ones() -> list[dict[str, Any]]:
        return [pod for pod in pods(kubectl) if pod["metadata"]["uid"] not in first]

    said = two.wait(
        "where they go on", lambda: next(filter(None, map(gone_on, (logs(kubectl, p) for p in new_ones()))), "")
    )
    status = two.completes(20)
    together = trained(place, TOGETHER)
    transcript.shows("The iteration is done", kubectl)
    transcript.prints("kubectl logs", said)
    transcript.prints("kubectl get events", "\n".join(line for line in two.events() if line.startswith("Task")))
    difference = abs(together.held_out_loss - alone.held_out_loss)
    transcript.says(
        f"Held-out loss: {alone.held_out_loss:.5f} by one Pod, {together.held_out_loss:.5f} by two, of which one was "
        f"killed (allowed: {ALLOWED})."
    )
    assert difference < ALLOWED
    assert status["tasks"]["failed"] == 1


def test_a_gpu(place: Place, transcript: Transcript) -> None:
    """Without one: a node that says that it has some is given what asks for one."""
    kubectl = place.kubectl
    found = pool()
    (slot,) = found["spec"]["slots"]
    slot |= {"device": "cuda", "count": 1}
    slot["resources"] |= {GPU: "1"}
    kubectl.apply(found)
    kubectl.apply(learning("gpu", nodes=1))
    reader = Reader(kubectl, "gpu")
    waits = reader.wait(
        "a word of the GPU", lambda: f"Insufficient {GPU}" in reader.condition("Reconciling")["message"]
    )
    assert waits
    transcript.shows("A training waits for a GPU", kubectl, "tp", "gpu", "-o", "wide")
    (node,) = kubectl.get("nodes")["items"]
    capacity = [{"op": "add", "path": f"/status/capacity/{GPU.replace('/', '~1')}", "value": "2"}]
    kubectl(
        "patch", "node", node["metadata"]["name"], "--subresource=status", "--type=json", "-p", json.dumps(capacity)
    )
    reader.wait("its Pod on the node", lambda: [pod for pod in pods(kubectl) if pod["spec"].get("nodeName")])
    (pod,) = pods(kubectl)[:1]
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"][GPU] == "1"
    assert container["args"][container["args"].index("--device") + 1] == "cuda"
    transcript.shows("The node says that it has two", kubectl, "pods", "-o", "wide")
    kubectl("delete", "tp", "gpu")


@pytest.mark.parametrize(
    ("room", "slot", "selector", "said"),
    [
        ("too-little", {"cpu": "999", "memory": "1Gi"}, {}, "1 Insufficient cpu"),
        ("nowhere", {"cpu": "1", "memory": "1Gi"}, {"ringrift.ai/room": "none"}, "1 node(s) didn't match"),
    ],
)
def test_no_room(
    room: str, slot: dict[str, str], selector: dict[str, str], said: str, place: Place, transcript: Transcript
) -> None:
    """On no node, by its size or its labels: the pipeline says so within a minute."""
    place.install(f"--set=images.trainer={reference_of(WORKER)}")
    kubectl, reader = place.kubectl, Reader(place.kubectl, room)
    said = f"selfplay does not start: Unschedulable: 0/1 nodes are available: {said}"
    slots = [{"name": "play", "stages": ["selfplay", "cmaes", "evaluate"], "resources": slot}]
    found = {**pool(), "metadata": {"name": room, "labels": {"room": room}}}
    found["spec"] = {"type": "Cluster", "slots": slots, "podTemplate": {"nodeSelector": selector}}
    kubectl.apply(found)
    kubectl.apply(pipeline(room, poolSelector={"matchLabels": {"room": room}}))
    reader.wait("its adoption", lambda: reader.configuration.get("adopted"))
    reader.wait("a word of the room", lambda: said in reader.condition("Ready").get("message", ""), minutes=1)
    assert reader.configuration["stages"]["selfplay"] == "Waiting"
    assert said in kubectl("get", "tp", room, "-o", "wide")
    transcript.shows(f"Room: {room}", kubectl, "tp", room, "-o", "wide")
    kubectl("delete", f"tp/{room}", f"wp/{room}")


def gone_on(log: str) -> str:
    """The line that says from where, if it is there."""
    return next((line for line in log.splitlines() if "going on after step" in line), "")
