"""Machines outside the cluster: `ringrift-runner` and the operator over a real API server, with real processes.

Everything that is told in seconds goes five times as fast (runner_process.FASTER): twelve of silence are a minute.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.machine import POOL, Machine
from tests.apiserver.machine import a_machine as a_machine
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import Person
from tests.apiserver.runner_process import SILENCE
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for all namespaces, which takes a runner for lost after twelve seconds."""
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator"), before=SILENCE) as process:
        yield process


def test_a_task_is_claimed_run_told_of_and_answered(machine: Machine) -> None:
    with machine.runner("progress(0.25, 'a quarter'); wait_for('go-on'); finish('seven games')"):
        machine.asks_for("task")
        running = machine.sees("task", "Running")
        holder = running["holder"]
        assert holder
        eventually(lambda: machine.status("task").get("message") == "a quarter")
        assert machine.status("task")["progress"] == 0.25
        eventually(machine.is_online)
        assert holder in machine.pool_ready()["message"]
        eventually(lambda: machine.lease_holders().get("task") == holder)
        machine.touches("go-on")
        done = machine.sees("task", "Succeeded")
        assert (done["exitCode"], done["message"]) == (0, "seven games")
        assert done["result"]["result"]["games"] == 7
    # It gave its pool back as it left.
    assert machine.lease_holders()[f"ringrift-runner-{POOL}"] == ""
    eventually(lambda: machine.pool_ready().get("reason") == "RunnerOffline")


def test_a_real_stage_fails_with_its_own_sentence_and_a_real_one_succeeds(machine: Machine, tmp_path: Path) -> None:
    games = {"board": "square8", "players": 2, "iteration": 1, "seed": 1, "games": 4, "engineModes": ["heuristic-only"]}
    with machine.runner():
        machine.asks_for("good", parameters={"store": f"file://{tmp_path}/store", **games})
        done = machine.sees("good", "Succeeded")
        assert done["result"]["result"]["games"] == 4
        assert list((tmp_path / "store").glob("square8-2p/*"))
        machine.asks_for("bad", parameters={"store": f"file://{tmp_path}/runner/lock/store", **games})
        failed = machine.sees("bad", "Failed")
        assert failed["exitCode"] != 0
        assert "lock" in failed["message"]


def test_both_slots_work_at_once_and_each_takes_one(machine: Machine) -> None:
    with machine.runner("wait_for(f'go-on-{seed}'); finish()"):
        for seed, slot in enumerate(("games", "work", "games")):
            machine.asks_for(f"task-{seed}", seed, slot)
        machine.sees("task-0", "Running")
        machine.sees("task-1", "Running")
        time.sleep(2)
        assert machine.status("task-2").get("phase", "Pending") == "Pending"
        machine.touches("go-on-0")
        machine.sees("task-0", "Succeeded")
        machine.sees("task-2", "Running")
        for seed in (1, 2):
            machine.touches(f"go-on-{seed}")
            machine.sees(f"task-{seed}", "Succeeded")


def test_deleting_cancels_within_seconds_and_the_slot_is_free_only_once_it_has_saved(machine: Machine) -> None:
    with machine.runner("progress(0.5); wait_for(f'go-on-{seed}'); finish()"):
        machine.asks_for("first", 1)
        machine.sees("first", "Running")
        machine.kubectl("delete", "rt", "first")
        deleted = time.monotonic()
        eventually(lambda: machine.has("saving-1"))
        assert time.monotonic() - deleted < 5
        machine.asks_for("second", 2)
        time.sleep(2)
        assert machine.status("second").get("phase", "Pending") == "Pending"
        machine.touches("may-save")
        machine.sees("second", "Running")
        machine.touches("go-on-2")
        machine.sees("second", "Succeeded")


def test_told_to_stop_it_lets_its_stages_save_and_says_not_now(machine: Machine) -> None:
    runner = machine.runner("progress(0.5); wait_for('never')")
    runner.start()
    machine.asks_for("task")
    machine.sees("task", "Running")
    runner.ask_to_stop()
    eventually(lambda: machine.has("saving-1"))
    machine.asks_for("next", 2, "work")
    time.sleep(1)
    assert runner.is_running
    assert machine.status("task")["phase"] == "Running"
    machine.touches("may-save")
    assert runner.wait() == 0
    failed = machine.status("task")
    assert (failed["phase"], failed["exitCode"], failed["message"]) == ("Failed", 75, "saved")
    assert machine.status("next").get("phase", "Pending") == "Pending"


def test_a_runner_that_was_killed_gives_back_what_it_had_when_it_is_started_anew(machine: Machine) -> None:
    runner = machine.runner("wait_for('never')")
    runner.start()
    machine.asks_for("task")
    machine.sees("task", "Running")
    runner.kill()
    with runner:
        failed = machine.sees("task", "Failed")
        assert failed["exitCode"] == 75
        assert "started anew" in failed["message"]


@pytest.mark.usefixtures("worker")
def test_a_runner_that_is_too_old_is_given_nothing_until_it_is_upgraded(machine: Machine, namespace: str) -> None:
    machine.has_pool(artifactsPath=str(machine.folder / "store"))
    person = Person(machine.kubectl)
    with machine.runner("finish()", contract="0.9"):
        eventually(lambda: machine.pool_ready().get("reason") == "RunnerTooOld")
        assert machine.pool_ready()["status"] == "False"
        assert "(contract 0.9)" in machine.pool_ready()["message"]
        machine.kubectl.apply(small(namespace))
        eventually(lambda: person.status().get("phase") == "Bootstrapping")
        time.sleep(3)
        assert machine.kubectl.get("rt")["items"] == []
    with machine.runner("finish()"):
        eventually(lambda: "selfplay" in json.dumps(machine.kubectl.get("rt")["items"]))


def test_a_pipeline_is_trained_by_a_machine_outside_the_cluster(
    machine: Machine, worker: Worker, namespace: str, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    machine.has_pool(artifactsPath=str(store))
    person = Person(machine.kubectl)
    with machine.runner():
        machine.kubectl.apply(small(namespace))
        status = person.sees(phase="Completed")
    assert status["tasks"]["failed"] == 0
    assert {"selfplay", "cmaes", "evaluate-weights"}.isdisjoint(worker.ran)
    assert {"adopt", "merge"} <= set(worker.ran)
    assert list(store.glob("square8-2p/*"))
    eventually(lambda: machine.kubectl.get("rt")["items"] == [])
    # Leases go with their tasks.
    eventually(lambda: len(machine.kubectl.get("leases", "-l", "ringrift.ai/pool")["items"]) == 1)


def small(namespace: str, **spec: Any) -> dict[str, Any]:
    """A pipeline over a claim, of one short iteration."""
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "TrainingPipeline",
        "metadata": {"name": "tiny", "namespace": namespace},
        "spec": {
            "artifacts": {"persistentVolumeClaim": {"claimName": "games"}},
            "configurations": [{"board": "square8", "players": 2, "bootstrapGames": 4, "gamesPerIteration": 4}],
            "iterations": 1,
            "tracks": ["weights"],
            "selfplay": {"engineModes": ["heuristic-only"], "shardGames": 2, "cooldown": "0s"},
            "cmaes": {"generations": 1, "populationSize": 4, "gamesPerEvaluation": 2, "initialWeights": "Material"},
            # The worker moves no pointer of a real store, so there is no champion to seat.
            "evaluation": {"maxGames": 20, "baselineGames": 4, "roundRobin": {"games": 0}},
            **spec,
        },
    }
