"""A machine outside the cluster trains, is cut off for half a minute and for a minute and a half, and nothing is lost.

The store is a claim: a folder of this machine, which the node's Pods see as a volume and the runner as `artifactsPath`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl
from tests.e2e.conftest import RELEASE_NAMESPACE
from tests.e2e.recording import wait_for
from tests.e2e.stories.place import CONFIGURATION, MINUTE, Place, Reader, pipeline
from tests.e2e.stories.transcript import Transcript

POOL, CLAIM = "mac", "games"
SIZE = {"storage": "1Gi"}


def test_runner(place: Place, transcript: Transcript, tmp_path: Path) -> None:
    place.install()
    kubectl, reader = place.kubectl, Reader(place.kubectl, "outside")
    store = tmp_path / "store"
    store.mkdir()
    store.chmod(0o777)  # Pods write as a user of their own
    for manifest in volume(store):
        kubectl.apply(manifest)
    kubectl.apply(runner_pool(store))
    said = credentials(place, tmp_path / "kubeconfig")
    transcript.prints(f"make runner-credentials POOL={POOL}", said)
    with runner(tmp_path) as log:
        wait_for(MINUTE, "the runner", lambda: ready(kubectl).get("status") == "True")
        kubectl.apply(the_pipeline())
        reader.wait("the training", lambda: phase(kubectl, "train") == ("a1", "Running"))
        transcript.shows("The machine outside trains", kubectl, "rt", "-o", "wide")

        with cut_off(place):
            time.sleep(30)
        transcript.shows("Cut off for 30 s, and back", kubectl)
        reader.wait("the end of the training", lambda: reader.task("train").get("phase") == "Succeeded")
        trained = reader.task("train")
        assert trained["attempt"] == 1
        assert trained.get("failures", 0) == trained.get("delays", 0) == 0
        assert (store / CONFIGURATION / "tasks" / "i0001" / "train.json").exists()

        reader.wait("the gate", lambda: phase(kubectl, "evaluate-network") == ("a1", "Running"))
        transcript.shows("The machine outside plays the gate's match", kubectl)
        with cut_off(place) as inside:
            began = time.monotonic()
            within = Reader(inside, "outside")
            wait_for(3 * MINUTE, "the loss", lambda: within.task("evaluate-network").get("attempt", 1) == 2)
            lost = time.monotonic() - began
            transcript.shows(f"Cut off: after {lost:.0f} s it is lost", inside)
            transcript.says(f"Its task says: {within.task('evaluate-network').get('message', '')}")
            time.sleep(max(90 - lost, 0))
        wait_for(3 * MINUTE, "the runner", lambda: ready(kubectl).get("status") == "True")
        transcript.shows("Back after a minute and a half", kubectl)
        reader.completes()
        transcript.shows("The iteration is done", kubectl)

    (record,) = reader.records()
    stages = {stage["name"]: stage for stage in record["stages"]}
    assert stages["train"].get("attempts", 1) == 1
    assert stages["evaluate-network"]["attempts"] == 2
    assert reader.status()["tasks"].get("failed", 0) == 0
    told = [line for line in log.read_text().splitlines() if "train" in line or "evaluate" in line]
    transcript.prints("ringrift-runner --pool mac", "\n".join(messages(told)))


def the_pipeline() -> dict[str, Any]:
    made = pipeline("outside", tracks=["network"], network={"size": "tiny", "bootstrapEpochs": 20})
    made["spec"]["artifacts"] = {"persistentVolumeClaim": {"claimName": CLAIM}}
    made["spec"]["evaluation"] = {"maxGames": 60, "baselineGames": 10, "roundRobin": {"games": 0}}
    return made


def runner_pool(store: Path) -> dict[str, Any]:
    slots = [{"name": "work", "stages": ["train", "evaluate"], "resources": {"memory": "3Gi"}}]
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "WorkerPool",
        "metadata": {"name": POOL},
        "spec": {"type": "Runner", "slots": slots, "artifactsPath": str(store)},
    }


def volume(store: Path) -> tuple[dict[str, Any], ...]:
    """A folder of this machine as a volume of the cluster, and the claim on it."""
    modes = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    metadata = {"name": CLAIM}
    spec = {**modes, "capacity": SIZE, "hostPath": {"path": str(store)}}
    claim = {**modes, "volumeName": CLAIM, "resources": {"requests": SIZE}}
    return (
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim},
    )


def credentials(place: Place, path: Path) -> str:
    """Lets this machine be the runner of the pool, as an administrator does."""
    command = [sys.executable, "-m", "ringrift_operator", "runner-credentials", POOL]
    command += [f"--namespace={RELEASE_NAMESPACE}", "--output", str(path)]
    environment = {**without_proxies(), "KUBECONFIG": str(place.cluster.plane.kubeconfig)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def runner(folder: Path) -> Iterator[Path]:
    """`ringrift-runner` until the block ends; its log. What it writes the Pods may change."""
    command = [str(Path(sys.executable).parent / "ringrift-runner"), "--pool", POOL, "--folder", str(folder / "runner")]
    command += ["--kubeconfig", str(folder / "kubeconfig")]
    path = folder / "runner.log"
    with path.open("w") as log:
        process = subprocess.Popen(command, env=without_proxies(), stdout=log, stderr=log, umask=0)
        try:
            yield path
        finally:
            process.terminate()
            process.wait(120)
    assert process.returncode == 0, path.read_text()[-2000:]


@contextmanager
def cut_off(place: Place) -> Iterator[Kubectl]:
    """Pulls the cable between this machine and the cluster; kubectl as it goes on inside."""
    cable = f"ringrift{place.cluster.sandbox.number}"
    subprocess.run(["ip", "link", "set", cable, "down"], check=True)
    try:
        yield Inside(place)
    finally:
        subprocess.run(["ip", "link", "set", cable, "up"], check=True)


class Inside(Kubectl):
    """kubectl that runs in the sandbox."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.kubectl.program, place.kubectl.kubeconfig, place.kubectl.namespace)
        self._enter = place.cluster.sandbox.enter

    def command(self, *arguments: str) -> list[str]:
        return [*self._enter, *super().command(*arguments)]


def phase(kubectl: Kubectl, step: str) -> tuple[str, str]:
    """Attempt and phase of the newest RemoteTask of a step."""
    found = kubectl.get("rt", "-l", f"ringrift.ai/step={step}")["items"]
    told = sorted((each["metadata"]["name"][-2:], each.get("status", {}).get("phase", "Pending")) for each in found)
    return told[-1] if told else ("", "")


def ready(kubectl: Kubectl) -> dict[str, Any]:
    conditions = kubectl.get("wp", POOL).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})


def messages(lines: list[str]) -> list[str]:
    return [json.loads(line).get("message", line) if line.startswith("{") else line for line in lines]


def without_proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
