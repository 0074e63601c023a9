"""A machine outside the cluster whose store is a bucket, as production has it: real stages, a real S3 server.

The keys are where a service finds them, in the file `environment` of the runner's folder.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.machine import POOL, Machine
from tests.apiserver.machine import a_machine as a_machine
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import Person
from tests.apiserver.runner_process import SILENCE, RunnerProcess
from tests.apiserver.test_runner import small
from tests.cluster.control_plane import ControlPlane
from tests.cluster.object_store import ObjectStore, running_object_store
from tests.cluster.process import free_ports
from tests.cluster.requirement import required_binaries
from tests.kueue.machine import Machine as Node

BUCKET = "ringrift"


class Server:
    """An S3 server that can be away, and comes back with what it held."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._binaries, (self._port,) = required_binaries("versitygw"), free_ports(1)
        self.store: ObjectStore
        self.start()
        self.store.create_bucket(BUCKET)

    def start(self, secret_key: str = "") -> None:
        running = running_object_store(self._binaries, self._folder, port=self._port, secret_key=secret_key)
        self.store = self._stack.enter_context(running)

    def stop(self) -> None:
        self._stack.close()

    def start_again(self) -> None:
        self.start(self.store.secret_key)

    def fetched(self) -> Counter[str]:
        """How often each object was asked for, by name, as the server's log has it."""
        log = (self._folder / "log" / "versitygw.log").read_text()
        return Counter(re.findall(r"\| GET \| /\S*/objects/(\S+)", log))


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator"), before=SILENCE) as process:
        yield process


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Nothing but the runner's file says where it is, and by which keys."""
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    made = Server(tmp_path / "s3")
    yield made
    made.stop()


def with_keys(runner: RunnerProcess, server: Server) -> RunnerProcess:
    """The runner, once its file has the store's keys."""
    lines = [f"{name}={value}" for name, value in server.store.environment().items()]
    (runner.folder / "environment").write_text("\n".join(["# of the bucket", *lines, ""]))
    return runner


def test_what_one_stage_has_fetched_from_the_bucket_no_other_fetches_again(machine: Machine, server: Server) -> None:
    where = {"store": f"s3://{BUCKET}/main", "board": "square8", "players": 2, "iteration": 1}
    runner = with_keys(machine.runner(), server)

    def done(name: str, stage: str, **parameters: Any) -> dict[str, Any]:
        output = f"s3://{BUCKET}/main/square8-2p"
        machine.asks_for(name, stage=stage, output=output, parameters={**where, **parameters})
        status = machine.sees(name, "Succeeded")
        result: dict[str, Any] = status["result"]["result"]
        return result

    with runner:
        assert done("games", "selfplay", games=4, seed=1, engineModes=["heuristic-only"])["games"] == 4
        assert done("merge", "merge")["games"] == 4
        before = server.fetched()
        assert done("export", "export", seed=1)["games"] == 4
        (segment,) = (name for name in server.fetched() - before if name.endswith(".sqlite"))
        # The same games, for another iteration.
        assert done("again", "export", seed=2, iteration=2, window=4)["games"] == 4
    stored = {path.name for path in (server.store.directory / BUCKET / "main/square8-2p/objects").iterdir()}
    assert segment in stored
    assert {name.rpartition(".")[2] for name in stored} >= {"sqlite", "npz", "json"}
    kept = {path.name for path in (runner.folder / "objects").iterdir()}
    assert segment.removesuffix(".sqlite") in kept
    assert kept <= {name.partition(".")[0] for name in stored}
    assert server.fetched()[segment] == 1


def test_a_stage_whose_bucket_is_away_is_put_off_and_done_once_it_is_back(
    machine: Machine, server: Server, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    person = Person(machine.kubectl)
    runner = with_keys(machine.runner(), server)
    pipeline = small(namespace, artifacts={"uri": f"s3://{BUCKET}/main"})

    def selfplay() -> dict[str, Any]:
        (configuration,) = person.status().get("configurations", [{}])
        return next((task for task in configuration.get("tasks", ()) if task["name"] == "selfplay"), {})

    with Node(control_plane.kubeconfig, (namespace,), tmp_path / "node", server.store.environment()) as node:
        machine.kubectl.apply(pipeline)
        eventually(lambda: [run.exit_code for run in node.of(namespace, "adopt")] == [0])
        server.stop()
        with runner:
            eventually(lambda: selfplay().get("delays"), lambda: runner.said[-3000:])
            put_off = selfplay()
            assert put_off.get("failures", 0) == 0
            assert f"store s3://{BUCKET}/main" in put_off["message"]
            assert "ended with 75" in runner.said
            machine.shows("the bucket is away", "tp,rt", "-o", "wide")
            server.start_again()
            status = person.sees(phase="Completed")
    assert status["tasks"]["failed"] == 0
    ran = {run.labels["ringrift.ai/stage"] for run in node.runs.values()}
    assert ran.isdisjoint({"selfplay", "cmaes", "evaluate"})
    assert POOL in runner.said
    print(f"its task: {put_off['message']}")
