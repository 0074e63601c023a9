"""A machine outside the cluster, with a pool of its own, and what its stages do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.contract import STAGE_PROGRAM
from tests.apiserver.cable import Cable
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.runner_process import RunnerProcess, access_for
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.results import played

POOL = "mac"

STAGE = f"""
import json, os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[0]).parent
result = pathlib.Path(sys.argv[sys.argv.index("--result") + 1])
def told(name):
    return sys.argv[sys.argv.index("--" + name) + 1]
seed = told("seed")
(folder / f"began-{{seed}}").write_text(str(os.getpid()))
def progress(fraction, message=""):
    line = {{"kind": "progress", "stage": "selfplay", "progress": fraction, "message": message}}
    line |= {{"cpuSeconds": 7.5, "gpu": 0.25}}
    print(json.dumps(line), flush=True)
def finish(message="done", code=0):
    times = {{"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}}
    found = json.loads({played(7).model_dump_json(by_alias=True)!r})
    result.write_text(json.dumps({{"stage": "selfplay", **times, "message": message, "result": found}}))
    sys.exit(code)
def wait_for(name):
    while not (folder / name).exists():
        time.sleep(0.05)
def save(*_):
    (folder / f"saving-{{seed}}").touch()
    wait_for("may-save")
    finish("saved", 75)
signal.signal(signal.SIGTERM, save)
"""
"""What a stage has to do by the contract; each test says how it goes on."""


class Machine:
    """A machine outside the cluster with a pool of its own, and the person who looks at it by kubectl."""

    def __init__(
        self, control_plane: ControlPlane, kubectl: Kubectl, namespace: str, folder: Path, cable: Cable
    ) -> None:
        self.kubectl, self.folder, self.cable = kubectl, folder, cable
        self._control_plane, self._namespace = control_plane, namespace
        self.runners: list[RunnerProcess] = []

    def has_pool(self, name: str = POOL, **spec: Any) -> None:
        slots = [
            {"name": "games", "stages": ["selfplay"], "resources": {"memory": "1Gi"}},
            {"name": "work", "stages": ["cmaes", "evaluate"], "resources": {"memory": "1Gi"}},
        ]
        document = {"apiVersion": "ringrift.ai/v1alpha1", "kind": "WorkerPool", "metadata": {"name": name}}
        self.kubectl.apply({**document, "spec": {"type": "Runner", "slots": slots, **spec}})

    def runner(
        self, body: str = "", *, name: str = "runner", pool: str = POOL, folder: Path | None = None, **settings: Any
    ) -> RunnerProcess:
        """A runner, not started yet; stages end with `body`, or are the real ones without."""
        program: tuple[str, ...] = STAGE_PROGRAM
        if body:
            script = self.folder / "stage.py"
            script.write_text(STAGE + body)
            program = (sys.executable, "-P", str(script))
        access = access_for(self._control_plane, self._namespace, pool)
        place = folder or self.folder / name
        made = RunnerProcess(access, place, pool, program, server=self.cable.server, **settings)
        self.runners.append(made)
        return made

    def asks_for(self, name: str, seed: int = 1, slot: str = "games", pool: str = POOL, **spec: Any) -> None:
        """A RemoteTask as the operator makes them, but for its owner: once the pool is online."""
        eventually(lambda: self.is_online(pool), lambda: "\n".join(runner.said[-3000:] for runner in self.runners))
        parameters = {"store": "file:///nowhere", "board": "square8", "players": 2, "iteration": 1}
        labels = {"ringrift.ai/pool": pool, "ringrift.ai/slot": slot}
        document = {"apiVersion": "ringrift.ai/v1alpha1", "kind": "RemoteTask"}
        task = {
            "pipeline": "tiny",
            "configuration": "square8-2p",
            "iteration": 1,
            "stage": "selfplay",
            "attempt": 1,
            "pool": pool,
            "slot": slot,
            "parameters": {**parameters, "seed": seed, "games": 4},
            "output": "file:///nowhere/square8-2p",
            "resources": {"memory": "1Gi"},
            **spec,
        }
        self.kubectl.apply({**document, "metadata": {"name": name, "labels": labels}, "spec": task})

    def status(self, name: str) -> dict[str, Any]:
        try:
            status: dict[str, Any] = self.kubectl.get("rt", name).get("status", {})
        except KubectlError:
            return {"phase": "Gone"}
        return status

    def sees(self, name: str, phase: str) -> dict[str, Any]:
        """The status of a task, once it is in this phase."""

        def matching() -> dict[str, Any] | None:
            status = self.status(name)
            return status if status.get("phase", "Pending") == phase else None

        def otherwise() -> str:
            logs = [runner.said[-3000:] for runner in self.runners if runner.log.exists()]
            return "\n".join([json.dumps(self.status(name), indent=1), *logs])

        found: dict[str, Any] = eventually(matching, otherwise)
        return found

    def pool_ready(self, pool: str = POOL) -> dict[str, Any]:
        conditions = self.kubectl.get("wp", pool).get("status", {}).get("conditions", ())
        return next((each for each in conditions if each["type"] == "Ready"), {})

    def is_online(self, pool: str = POOL) -> bool:
        return self.pool_ready(pool).get("status") == "True"

    def lease_holders(self) -> dict[str, str]:
        """Who holds each Lease there is, "" for nobody: the operator makes a task's beside the work, not before it."""
        leases = self.kubectl.get("leases")["items"]
        return {lease["metadata"]["name"]: lease["spec"].get("holderIdentity", "") for lease in leases}

    def shows(self, moment: str, *asked: str) -> None:
        """Prints what `kubectl get` tells people: `pytest -rP` keeps it (results/runner.md)."""
        what = asked or ("wp,rt", "-o", "wide")
        print(f"{moment}:\n$ kubectl get {' '.join(what)}\n{self.kubectl('get', *what)}")

    def touches(self, name: str) -> None:
        """What stages wait for."""
        (self.folder / name).touch()

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture(name="machine")
def a_machine(
    operator: OperatorProcess,
    control_plane: ControlPlane,
    kubectl: Kubectl,
    namespace: str,
    tmp_path: Path,
) -> Iterator[Machine]:
    """A machine with a pool, under the operator that the test's module has started."""
    assert operator.is_running
    with Cable(control_plane) as cable:
        yield from _with_pool(Machine(control_plane, kubectl, namespace, tmp_path, cable))


def _with_pool(made: Machine) -> Iterator[Machine]:
    made.has_pool()
    yield made
    made.touches("may-save")
    for runner in made.runners:
        if runner.is_running:
            runner.ask_to_stop()
    for runner in made.runners:
        if runner.is_running:
            runner.wait()
