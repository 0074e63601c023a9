"""A machine outside the cluster: its pool, its token, its runner, and the cable between it and the cluster."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ringrift_operator.kube.client import ApiError, Client
from ringrift_operator.kube.resource import REMOTE_TASKS
from ringrift_operator.runner.credentials import read_kubeconfig
from tests.cluster.kubectl import Kubectl
from tests.e2e.conftest import RELEASE_NAMESPACE
from tests.e2e.stories.place import Place

POOL, CLAIM = "mac", "games"
KUBECONFIG = f"{POOL}.kubeconfig"
SIZE = {"storage": "1Gi"}
LABELS = {"for": "outside"}


def runner_pool(store: Path) -> dict[str, Any]:
    slots = [{"name": "work", "stages": ["train", "evaluate"], "resources": {"memory": "3Gi"}}]
    return pool(POOL, {"type": "Runner", "slots": slots, "artifactsPath": str(store)})


def pool(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """One that the story's pipeline selects."""
    metadata = {"name": name, "labels": LABELS}
    return {"apiVersion": "ringrift.ai/v1alpha1", "kind": "WorkerPool", "metadata": metadata, "spec": spec}


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
def runner(folder: Path, name: str = "runner") -> Iterator[Path]:
    """`ringrift-runner` until the block ends; its log. What it writes the Pods may change."""
    command = [str(Path(sys.executable).parent / "ringrift-runner"), "--pool", POOL, "--folder", str(folder / name)]
    command += ["--kubeconfig", str(folder / KUBECONFIG)]
    path = folder / f"{name}.log"
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
    """Drops what comes from this machine to the cluster, without a word; kubectl as it goes on inside."""
    rule = ("INPUT", "--in-interface", "eth0", "--jump", "DROP")
    place.cluster.sandbox.run("iptables", "--insert", *rule)
    try:
        yield Inside(place)
    finally:
        place.cluster.sandbox.run("iptables", "--delete", *rule)


class Inside(Kubectl):
    """kubectl that runs in the sandbox."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.kubectl.program, place.kubectl.kubeconfig, place.kubectl.namespace)
        self._enter = place.cluster.sandbox.enter

    def command(self, *arguments: str) -> list[str]:
        return [*self._enter, *super().command(*arguments)]


def phases(kubectl: Kubectl) -> dict[str, str]:
    """Of the RemoteTasks that are there, by name."""
    found = kubectl.get("rt")["items"]
    return {each["metadata"]["name"]: each.get("status", {}).get("phase", "Pending") for each in found}


def patched_status(kubeconfig: Path, task: str, status: dict[str, Any]) -> str:
    """What the API server says when the status of a RemoteTask is written by a runner's token. kubectl reads before it
    writes, which a runner may not."""

    async def scenario() -> str:
        access = replace(read_kubeconfig(kubeconfig), trust_env=False)
        async with Client(lambda: access, manager="ringrift-runner") as client:
            try:
                await client.patch(REMOTE_TASKS, (access.namespace, task), {"status": status}, "status")
            except ApiError as error:
                return f"{error.status}: {error.message}"
        return ""

    return asyncio.run(scenario())


def ready(kubectl: Kubectl) -> dict[str, Any]:
    conditions = kubectl.get("wp", POOL).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})


def messages(lines: list[str]) -> list[str]:
    return [json.loads(line).get("message", line) if line.startswith("{") else line for line in lines]


def without_proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
