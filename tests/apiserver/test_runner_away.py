"""What becomes of a machine outside the cluster that is cut off, asleep, doubled, or out of memory or disk.

Everything that is told in seconds goes five times as fast (runner_process.FASTER), so here 6, 18 and 30 s are the half
minute, the minute and a half and the two and a half minutes of which docs/design.md speaks.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.machine import POOL, Machine
from tests.apiserver.machine import a_machine as a_machine
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import Person
from tests.apiserver.runner_process import FASTER, SILENCE
from tests.apiserver.test_runner import small
from tests.cluster.control_plane import ControlPlane
from tests.faults.workshop import free_bytes, small_disk

MINUTE = 60 / FASTER


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator"), before=SILENCE) as process:
        yield process


def selfplay(person: Person) -> dict[str, Any]:
    """What the pipeline's status says of its self-play."""
    (configuration,) = person.status().get("configurations", [{}])
    return next((task for task in configuration.get("tasks", ()) if task["name"] == "selfplay"), {})


def remote(person: Person) -> dict[str, str]:
    """Phases of the pipeline's RemoteTasks of self-play, by attempt."""
    found = person.kubectl.get("rt", "-l", "ringrift.ai/step=selfplay")["items"]
    return {each["metadata"]["name"][-2:]: each.get("status", {}).get("phase", "Pending") for each in found}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("clock_off", [0, -3600, 3600], ids=["its clock right", "an hour slow", "an hour fast"])
def test_cut_off_for_longer_and_longer(machine: Machine, namespace: str, clock_off: float) -> None:
    person = Person(machine.kubectl)
    limit = f"{2 * MINUTE:.0f}s"
    pipeline = small(namespace, alerts={"runnerOffline": limit})
    machine.has_pool(artifactsPath=str(machine.folder / "store"))
    body = "wait_for('go-on-' + told('attempt')); finish()"
    with machine.runner(body, clock_off=clock_off) as runner:
        machine.kubectl.apply(pipeline)
        eventually(lambda: remote(person) == {"a1": "Running"}, lambda: runner.said[-3000:])

        # Half a minute: nothing is lost.
        machine.cable.unplug()
        time.sleep(MINUTE / 2)
        machine.cable.plug()
        time.sleep(MINUTE)
        assert remote(person) == {"a1": "Running"}
        assert machine.is_online()
        machine.shows("half a minute away, and back")

        # A minute and a half: its task is lost, which is no failure of it, and tried again.
        machine.cable.unplug()
        went = time.monotonic()
        eventually(lambda: selfplay(person).get("attempt") == 2)
        assert time.monotonic() - went > MINUTE - 2 - 1  # what it last said may be a heartbeat old
        again = selfplay(person)
        assert (again.get("failures", 0), again["delays"]) == (0, 1)
        assert f"silent for more than {MINUTE:.0f} s" in again["message"]
        eventually(lambda: not machine.is_online())
        assert "a1" not in remote(person)
        machine.shows("away for more than a minute", "wp", "-o", "wide")
        print(f"its task: {again['message']}")

        # Two minutes and a half: people are told, no sooner than after two of them.
        eventually(lambda: person.condition("WorkerOffline")["status"] == "True")
        told = person.condition("WorkerOffline")
        found = re.fullmatch(rf"{POOL} was last heard of at (\d\d:\d\d:\d\d) UTC", told["message"])
        assert found, told
        since = datetime.fromisoformat(told["lastTransitionTime"])
        heard = datetime.combine(since.date(), time_of_day.fromisoformat(found[1]), UTC)
        assert 2 * MINUTE - 1 < (since - heard).total_seconds() < 4 * MINUTE
        assert any(line.startswith("WorkerOffline") for line in person.events())
        print(f"WorkerOffline, {(since - heard).total_seconds():.0f} s after it was last heard of: {told['message']}")

        # What it has finished meanwhile is of no use to anybody.
        machine.touches("go-on-1")
        eventually(lambda: "ended with 0" in runner.said)
        machine.cable.plug()
        eventually(machine.is_online)
        eventually(lambda: person.condition("WorkerOffline")["status"] == "False")
        eventually(lambda: "nobody waits for its end any more" in runner.said)
        assert selfplay(person)["attempt"] == 2
        eventually(lambda: remote(person) == {"a2": "Running"})
        machine.shows("back, with a result that nobody waits for")
        print("\n".join(line for line in runner.said.splitlines() if "-a1: " in line and "debug" not in line))
        machine.touches("go-on-2")
        eventually(lambda: selfplay(person).get("phase") == "Succeeded", lambda: json.dumps(selfplay(person)))
        assert selfplay(person).get("failures", 0) == 0


def test_what_it_does_alone_while_it_is_cut_off_is_cancelled_when_it_is_back(machine: Machine) -> None:
    with machine.runner("wait_for('never')") as runner:
        machine.asks_for("task")
        machine.sees("task", "Running")
        machine.cable.unplug()
        machine.sees("task", "Lost")
        assert not machine.has("saving-1")
        machine.cable.plug()
        eventually(lambda: machine.has("saving-1"))
        machine.touches("may-save")
        eventually(lambda: "task: ended with 75" in runner.said)
        assert machine.status("task")["phase"] == "Lost"
        machine.shows("back, and what it did alone is cancelled")


def test_of_two_runners_with_one_name_the_second_waits_and_says_for_whom(machine: Machine) -> None:
    first, second = machine.runner("finish()"), machine.runner("finish()", name="second")
    first.start()
    eventually(machine.is_online)
    second.start()
    holder = (machine.folder / "runner" / "identity").read_text()
    eventually(lambda: f"pool {POOL} is held by the runner {holder}: stop that one" in second.said)
    for number in range(3):
        machine.asks_for(f"task-{number}", number)
        assert machine.sees(f"task-{number}", "Succeeded")["holder"] == holder
    print("\n".join(line for line in second.said.splitlines() if "is held by" in line))
    first.stop()
    machine.asks_for("next", 3)
    other = (machine.folder / "second" / "identity").read_text()
    assert machine.sees("next", "Succeeded")["holder"] == other != holder


def test_a_second_runner_of_one_folder_does_not_begin(machine: Machine) -> None:
    first, second = machine.runner("finish()"), machine.runner("finish()")
    first.start()
    eventually(machine.is_online)
    second.start()
    assert second.wait() == 1
    assert "another ringrift-runner (process " in second.said


def test_above_its_slots_memory_a_stage_is_ended_with_all_that_it_started(machine: Machine) -> None:
    body = """
import subprocess
greedy = "import time; open('greedy', 'w').close(); x = bytearray(300_000_000); time.sleep(10**6)"
subprocess.run([sys.executable, "-c", greedy], cwd=folder)
"""
    with machine.runner(body):
        machine.asks_for("task", resources={"memory": "100Mi"})
        failed = machine.sees("task", "Failed")
        machine.shows("above its slot's memory", "rt", "-o", "wide")
    assert (failed["exitCode"], failed["reason"]) == (137, "OOMKilled")
    assert re.fullmatch(r"OOMKilled: it took \d+(\.\d+)?Mi of memory, and its slot has 100Mi", failed["message"])
    assert machine.has("greedy")


def test_past_its_deadline_a_stage_is_ended(machine: Machine) -> None:
    with machine.runner("wait_for('never')"):
        machine.asks_for("task", deadline="2s")
        failed = machine.sees("task", "Failed")
    assert failed["reason"] == "DeadlineExceeded"


def test_on_a_full_disk_it_says_not_now_and_goes_on_when_there_is_room(machine: Machine, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk, machine.runner("finish()", folder=disk / "runner") as runner:
        eventually(machine.is_online)
        filler = disk / "filler"
        filler.write_bytes(b"x" * free_bytes(disk))
        machine.asks_for("task")
        failed = machine.sees("task", "Failed")
        assert failed["exitCode"] == 75
        assert "No space left on device" in failed["message"]
        filler.unlink()
        machine.asks_for("next", 2)
        machine.sees("next", "Succeeded")
        machine.shows("a full disk, and room again", "rt", "-o", "wide")
        assert runner.is_running
