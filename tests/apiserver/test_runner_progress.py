"""What a machine outside the cluster tells of its stages: at its pace, and people are told of silence."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.apiserver.machine import Machine
from tests.apiserver.machine import a_machine as a_machine
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import Person
from tests.apiserver.runner_process import SILENCE
from tests.apiserver.test_runner import small
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl

PACE = 2.0
"""Seconds between two writes of progress, here."""


CPU, GPU = "ringrift_worker_cpu_seconds_total", "ringrift_worker_gpu"


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator"), before=SILENCE) as process:
        yield process


@pytest.mark.usefixtures("worker")
def test_a_stage_that_tells_nothing_is_told_of_until_it_speaks(
    machine: Machine, namespace: str, operator: OperatorProcess
) -> None:
    person = Person(machine.kubectl)
    machine.has_pool(artifactsPath=str(machine.folder / "store"))
    body = """
number = 0
while "selfplay" not in sys.argv:
    number += 1
    progress(0.5, f"line {number}")
    time.sleep(0.5)
progress(0.25, "a quarter")
wait_for("go-on")
finish()
"""
    with machine.runner(body) as runner:
        machine.kubectl.apply(small(namespace, alerts={"progressStall": "4s"}))
        eventually(lambda: person.condition("Degraded").get("status") == "True", lambda: runner.said[-3000:])
        degraded = person.condition("Degraded")
        assert degraded["reason"] == "NoProgress"
        assert "square8-2p: selfplay has told no progress since" in degraded["message"]
        assert "longer than 4s; its last line: 25% a quarter" in degraded["message"]
        assert "cmaes" not in degraded["message"]
        machine.shows("a stage says nothing", "tp", "-o", "wide")
        where = f'namespace="{namespace}",pipeline="tiny",pool="mac",slot="games",stage="selfplay"'
        (worker,) = (each for each in operator.fetch("/metrics").splitlines() if each.startswith(CPU) and where in each)
        assert worker.endswith("} 7.5")
        assert worker.replace(CPU, GPU).replace("} 7.5", "} 0.25") in operator.fetch("/metrics")
        machine.touches("go-on")
        eventually(lambda: person.condition("Degraded")["status"] == "False")


@contextmanager
def watched(kubectl: Kubectl, name: str, path: Path) -> Iterator[Callable[[], list[str]]]:
    """A line for each version of a task's status, from now on."""
    line = 'jsonpath={.status.phase}|{.status.message}{"\\n"}'
    with path.open("wb") as output:
        watching = subprocess.Popen(kubectl.command("get", "rt", name, "--watch", "-o", line), stdout=output)
    try:
        yield lambda: path.read_text().splitlines()
    finally:
        watching.terminate()
        watching.wait()


def test_however_much_a_stage_tells_it_is_written_at_its_runners_pace(machine: Machine, tmp_path: Path) -> None:
    body = """
for number in range(50):
    progress(number / 100, f"at once {number}")
for number in range(50):
    progress(0.5 + number / 100, f"one by one {number}")
    time.sleep(0.1)
wait_for("go-on")
finish()
"""
    with machine.runner(body, progress=PACE):
        machine.asks_for("task")
        began = time.monotonic()
        with watched(machine.kubectl, "task", tmp_path / "versions") as versions:
            eventually(lambda: "Running|one by one 49" in versions(), versions)
            lasted = time.monotonic() - began
            machine.touches("go-on")
            machine.sees("task", "Succeeded")
            eventually(lambda: versions()[-1] == "Succeeded|done", versions)
    told = [version for version in versions() if version.startswith("Running|")]
    print("\n".join(versions()))
    # The first at once, then one for each pace that has passed.
    assert 3 <= len(told) <= 1 + lasted / PACE
