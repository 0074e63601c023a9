"""A machine outside the cluster trains, is cut off for longer and longer, and nothing is lost; its token opens nothing.

The store is a claim: a folder of this machine, which the node's Pods see as a volume and the runner as `artifactsPath`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.kubectl import Kubectl, KubectlError
from tests.e2e.conftest import RELEASE_NAMESPACE
from tests.e2e.recording import wait_for
from tests.e2e.stories.outside import (
    CLAIM,
    KUBECONFIG,
    LABELS,
    POOL,
    credentials,
    cut_off,
    messages,
    patched_status,
    phases,
    pool,
    ready,
    runner,
    runner_pool,
    volume,
)
from tests.e2e.stories.place import CONFIGURATION, MINUTE, SECRET, Place, Reader, pipeline
from tests.e2e.stories.transcript import Transcript

TRAINING, GATE, LATER_TRAINING = (
    f"outside-{CONFIGURATION}-{task}-a1" for task in ("i1-train", "i1-evaluate-network", "i2-train")
)
SMALL = {"cpu": "500m", "memory": "256Mi"}
PLAYERS = {"type": "Cluster", "slots": [{"name": "play", "stages": ["selfplay"], "resources": SMALL, "count": 2}]}
OTHERS = {"type": "Runner", "slots": [{"name": "play", "stages": ["selfplay"], "resources": {"memory": "1Gi"}}]}


def test_runner(place: Place, transcript: Transcript, tmp_path: Path) -> None:
    place.install()
    kubectl, reader = place.kubectl, Reader(place.kubectl, "outside")
    store = tmp_path / "store"
    store.mkdir()
    store.chmod(0o777)  # Pods write as a user of their own
    for manifest in (*volume(store), pool("players", PLAYERS), runner_pool(store)):
        kubectl.apply(manifest)
    said = credentials(place, tmp_path / KUBECONFIG)
    transcript.prints(f"ringrift-operator runner-credentials {POOL}", said.replace(f"{tmp_path}/", ""))
    with runner(tmp_path) as log:
        wait_for(MINUTE, "the runner", lambda: ready(kubectl).get("status") == "True")
        kubectl.apply(the_pipeline())
        reader.wait("the training", lambda: phases(kubectl).get(TRAINING) == "Running")
        transcript.shows("The machine outside trains", kubectl, "rt", "-o", "wide")
        is_held_up_by_the_first(tmp_path, transcript)
        is_refused(kubectl, tmp_path / KUBECONFIG, transcript)
        loses_nothing_in_half_a_minute(place, reader, transcript)
        assert (store / CONFIGURATION / "tasks" / "i0001" / "train.json").exists()
        loses_its_task_in_a_minute_and_a_half(place, reader, transcript)
        is_told_of_after_two_minutes(place, reader, transcript)
        reader.completes()
        transcript.shows("Both iterations are done", kubectl)

    first, second = ({stage["name"]: stage for stage in record["stages"]} for record in reader.records())
    assert first["train"].get("attempts", 1) == 1
    assert first["evaluate-network"]["attempts"] == second["train"]["attempts"] == 2
    assert reader.status()["tasks"].get("failed", 0) == 0
    told = [line for line in log.read_text().splitlines() if "train" in line or "evaluate" in line]
    transcript.prints("ringrift-runner --pool mac", "\n".join(messages(told)))


def is_held_up_by_the_first(folder: Path, transcript: Transcript) -> None:
    """A second runner with the same token."""
    with runner(folder, "second") as log:
        wait_for(MINUTE, "a word of the second runner", lambda: "is held by the runner" in log.read_text())
    transcript.says("A second runner of the pool begins nothing, and says for whom it waits:")
    transcript.prints("ringrift-runner --pool mac", "\n".join(messages(log.read_text().splitlines())))


def is_refused(kubectl: Kubectl, kubeconfig: Path, transcript: Transcript) -> None:
    """What the runner's token opens to whoever has stolen it: nothing."""
    task = kubectl.get("rt", TRAINING)
    kubectl.apply(pool("mini", OTHERS))
    kubectl.apply({**task, "metadata": {"name": "of-mini"}, "spec": {**task["spec"], "pool": "mini"}, "status": {}})
    attempts = (
        ("get", "secret", SECRET),
        ("patch", "rt", TRAINING, "--type=merge", '--patch={"spec": {"attempt": 9}}'),
        ("patch", "wp", POOL, "--type=merge", '--patch={"spec": {"suspend": true}}'),
        ("create", "job", "mine", "--image=ringrift-worker:dev"),
        ("create", "token", f"ringrift-runner-{POOL}", "--duration=24h"),
    )
    transcript.says("## What the runner's token is refused")
    thief = Kubectl(kubectl.program, kubeconfig, RELEASE_NAMESPACE)
    for attempt in attempts:
        with pytest.raises(KubectlError, match=r"(?i)forbidden") as refused:
            thief(*attempt)
        transcript.prints(f"kubectl --kubeconfig {KUBECONFIG} {shown(attempt)}", str(refused.value))
    for name, claimed, why in (
        ("of-mini", "Failed", "this task is not of pool mac"),
        (TRAINING, "Lost", "the operator alone says that a task is lost"),
    ):
        said = patched_status(kubeconfig, name, {"phase": claimed})
        assert why in said
        transcript.says(f"A PATCH of the status of {name}, phase {claimed}, as a runner sends it: {said}")
    kubectl("delete", "wp", "mini")
    kubectl("delete", "rt", "of-mini")


def loses_nothing_in_half_a_minute(place: Place, reader: Reader, transcript: Transcript) -> None:
    with cut_off(place):
        time.sleep(30)
    transcript.shows("Cut off for 30 s, and back", reader.kubectl)
    reader.wait("the end of the training", lambda: reader.task("train").get("phase") == "Succeeded")
    trained = reader.task("train")
    assert trained["attempt"] == 1
    assert trained.get("failures", 0) == trained.get("delays", 0) == 0


def loses_its_task_in_a_minute_and_a_half(place: Place, reader: Reader, transcript: Transcript) -> None:
    reader.wait("the gate", lambda: phases(reader.kubectl).get(GATE) == "Running")
    transcript.shows("The machine outside plays the gate's match", reader.kubectl)
    with cut_off(place) as inside:
        began = time.monotonic()
        within = Reader(inside, reader.name)
        wait_for(3 * MINUTE, "the loss", lambda: within.task("evaluate-network").get("attempt", 1) == 2)
        lost = time.monotonic() - began
        transcript.shows(f"Cut off: after {lost:.0f} s it is lost", inside, "wp", "-o", "wide")
        task = within.task("evaluate-network")
        transcript.says(f"Its task says: {task.get('message', '')}")
        assert (task.get("failures", 0), task["delays"]) == (0, 1)
        time.sleep(max(90 - lost, 0))
        assert within.condition("WorkerOffline").get("status") != "True"
    wait_for(3 * MINUTE, "the runner", lambda: ready(reader.kubectl).get("status") == "True")
    transcript.shows("Back after a minute and a half", reader.kubectl)


def is_told_of_after_two_minutes(place: Place, reader: Reader, transcript: Transcript) -> None:
    reader.wait("the second training", lambda: phases(reader.kubectl).get(LATER_TRAINING) == "Running")
    with cut_off(place) as inside:
        began = time.monotonic()
        within = Reader(inside, reader.name)
        wait_for(4 * MINUTE, "a word", lambda: within.condition("WorkerOffline").get("status") == "True")
        told = time.monotonic() - began
        transcript.shows(f"Cut off in the second iteration's training: after {told:.0f} s people are told", inside)
        transcript.says(f"Its condition WorkerOffline: {within.condition('WorkerOffline')['message']}")
        time.sleep(max(150 - told, 0))
    wait_for(3 * MINUTE, "the runner", lambda: reader.condition("WorkerOffline").get("status") == "False")
    transcript.shows("Back after two minutes and a half: WorkerOffline is cleared", reader.kubectl)


def the_pipeline() -> dict[str, Any]:
    made = pipeline("outside", iterations=2, tracks=["network"], network={"size": "tiny", "bootstrapEpochs": 20})
    made["spec"]["artifacts"] = {"persistentVolumeClaim": {"claimName": CLAIM}}
    made["spec"]["evaluation"] = {"maxGames": 60, "baselineGames": 10, "roundRobin": {"games": 0}}
    made["spec"]["poolSelector"] = {"matchLabels": LABELS}
    return made


def shown(attempt: tuple[str, ...]) -> str:
    """As it is typed."""
    return " ".join(f"--patch='{each.removeprefix('--patch=')}'" if "{" in each else each for each in attempt)
