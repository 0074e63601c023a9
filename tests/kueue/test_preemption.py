"""Two namespaces on one quota: the urgent takes machines from the other in mid self-play and in mid training.

Stages are real processes, which save and exit 75 within their grace time; what comes of them in the end is what comes
of a run that nobody disturbs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringrift_core.contract import ExitCode
from ringrift_core.replay.games import read_games
from ringrift_core.replay.sources import find_files
from ringrift_operator.builders.pod import GRACE_SECONDS
from tests.apiserver.operator_process import OperatorProcess
from tests.apiserver.person import Person
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.cluster.object_store import ObjectStore, running_object_store
from tests.cluster.process import free_ports
from tests.cluster.queues import Manifest
from tests.cluster.requirement import required_binaries
from tests.e2e.recording import wait_for
from tests.kueue.conftest import CPUS, made_namespace, pool, slot
from tests.kueue.machine import Machine, Run

MINUTES = 40
BUCKET = "ringrift"
GAMES = 6000
"""So many that a shard lasts longer than the urgent pipeline takes to ask for a machine."""

SLOTS = (slot("games", "selfplay", count=CPUS), slot("work", "train", "evaluate", cpu=CPUS))
"""Self-play and training each ask for the whole quota."""


def learning(namespace: str) -> Manifest:
    """A network from games of a search; everything by seeds."""
    return _pipeline(
        namespace,
        "learning",
        tracks=["network"],
        configurations=[{"board": "square8", "players": 2, "bootstrapGames": GAMES}],
        selfplay={"engineModes": ["minimax-only"], "randomMoves": 0, "shardGames": GAMES // 4, "cooldown": "0s"},
        network={"bootstrapEpochs": 1, "batchSize": 64},
        evaluation={"gate": "Fixed", "games": 4, "baselineGames": 4},
    )


def urgent(namespace: str, name: str) -> Manifest:
    """Something short that asks for a machine several times."""
    return _pipeline(
        namespace,
        name,
        tracks=["weights"],
        configurations=[{"board": "square8", "players": 2, "bootstrapGames": 20}],
        selfplay={"engineModes": ["heuristic-only"], "shardGames": 20, "cooldown": "0s"},
        cmaes={"generations": 1, "populationSize": 4, "gamesPerEvaluation": 4},
        evaluation={"gate": "Fixed", "games": 4, "baselineGames": 4},
    )


def _pipeline(namespace: str, name: str, **spec: object) -> Manifest:
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "TrainingPipeline",
        "metadata": {"name": name},
        "spec": {"artifacts": {"uri": f"s3://{BUCKET}/{namespace}/{name}"}, "iterations": 1, **spec},
    }


@dataclass(frozen=True)
class Played:
    """What came of the pipeline in both namespaces, and what was seen of it."""

    machine: Machine
    disturbed: Person
    undisturbed: Person
    urgent: list[Person]
    games: dict[str, list[str]]
    """Ids in their order, by namespace."""

    def interrupted(self, step: str) -> list[Run]:
        return [run for run in self.machine.of("low", step) if run.was_interrupted]


@pytest.fixture(scope="module")
def store(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    required_binaries("versitygw")
    (port,) = free_ports(1)
    with running_object_store(control_plane.binaries, tmp_path_factory.mktemp("s3"), port=port) as served:
        served.create_bucket(BUCKET)
        yield served


@pytest.fixture(scope="module")
def played(
    control_plane: ControlPlane,
    operator: OperatorProcess,
    store: ObjectStore,
    output_directory: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Played]:
    assert operator.is_running
    low, high, alone = (made_namespace(control_plane, name) for name in ("low", "high", "alone"))
    low.apply(pool(*SLOTS, priority="background"))
    high.apply(pool(slot("all", "selfplay", "cmaes", "evaluate", cpu=CPUS), priority="urgent"))
    alone.apply(pool(*SLOTS, queue=None))
    directory = tmp_path_factory.mktemp("machine")
    with Machine(control_plane.kubeconfig, ("low", "high", "alone"), directory, store.environment()) as machine:
        disturbed, undisturbed = Person(low, "learning"), Person(alone, "learning")
        low.apply(learning("low"))
        people = []
        for step, name in (("selfplay", "first"), ("train", "second")):
            wait_for(MINUTES * 60, f"{step} under way", lambda step=step: _is_well_under_way(machine, step))
            high.apply(urgent("high", name))
            person = Person(high, name)
            people.append(person)
            wait_for(MINUTES * 60, f"{step} taken back", lambda step=step: any(_interrupted(machine.of("low", step))))
            wait_for(MINUTES * 60, "its queue", lambda step=step: _stage(disturbed, step) == "Queued")
            _keep(output_directory, f"preempted-{step}", low)
            _ends(person)
        _ends(disturbed)
        alone.apply(learning("alone"))
        _ends(undisturbed)
        with patch.dict("os.environ", store.environment()):
            games = {name: _games(f"s3://{BUCKET}/{name}/learning", directory / name) for name in ("low", "alone")}
        found = Played(machine, disturbed, undisturbed, people, games)
        _report(output_directory, found)
        yield found


def _is_well_under_way(machine: Machine, step: str) -> bool:
    """Whether a run of the step has told of progress and not of its end."""
    runs = [run for run in machine.of("low", step) if run.exit_code is None]
    return any(re.search(r'"progress": ?0\.(0*[1-9])', run.log.read_text(errors="replace")) for run in runs)


def _interrupted(runs: list[Run]) -> list[bool]:
    return [run.was_interrupted for run in runs]


def _stage(person: Person, name: str) -> str:
    found: str = person.status()["configurations"][0]["stages"].get(name, "")
    return found


def _ends(person: Person) -> None:
    def completed() -> bool:
        status = person.status()
        conditions = {each["type"]: each for each in status.get("conditions", ())}
        assert conditions.get("Stalled", {}).get("status") != "True", conditions["Stalled"]["message"]
        return bool(status.get("phase") == "Completed")

    wait_for(MINUTES * 60, f"the end of {person.kubectl.namespace}/{person.name}", completed)


def _games(uri: str, folder: Path) -> list[str]:
    folder.mkdir()
    return [str(game.id) for file in find_files(uri, folder) for game in read_games(file.path)]


def _keep(directory: Path, name: str, kubectl: Kubectl) -> None:
    seen = [
        kubectl("get", "tp", "-o", "wide"),
        kubectl("describe", "tp"),
        kubectl("get", "jobs,workloads", "-o", "wide"),
    ]
    (directory / f"{name}.txt").write_text("\n".join(seen))


def _report(directory: Path, found: Played) -> None:
    lines = [f"{'POD':24} {'ATTEMPT':>7} {'EXIT':>4} {'INTERRUPTED':>11}  GOES ON FROM"]
    for run in found.machine.runs.values():
        again = re.search(r"goes on from (\d+ of \d+)|step (\d+)", run.log.read_text(errors="replace"))
        attempt = run.labels["ringrift.ai/attempt"]
        lines.append(
            f"{run.name:24} {attempt:>7} {run.exit_code!s:>4} {run.was_interrupted!s:>11}  {again[0] if again else ''}"
        )
    lines += [line for line in found.disturbed.events() if line.startswith("Task")]
    lines += [f"{name}: {len(ids)} games" for name, ids in found.games.items()]
    (directory / "preemption.txt").write_text("\n".join(lines) + "\n")


def _record(person: Person) -> dict[str, Any]:
    (record,) = person.kubectl.get("ti", "-l", f"ringrift.ai/pipeline={person.name}")["items"]
    spec: dict[str, Any] = record["spec"]
    return spec


@pytest.mark.parametrize("step", ["selfplay", "train"])
def test_what_was_taken_back_saved_and_left_within_its_grace_time(played: Played, step: str) -> None:
    interrupted = played.interrupted(step)
    assert interrupted, "it was never taken back"
    assert {run.exit_code for run in interrupted} <= {ExitCode.NOT_NOW, ExitCode.DONE}
    assert ExitCode.NOT_NOW in {run.exit_code for run in interrupted}
    assert GRACE_SECONDS >= 60


def test_no_attempt_was_lost(played: Played) -> None:
    def attempts(namespace: str) -> set[tuple[str, str]]:
        runs = [run for run in played.machine.runs.values() if run.namespace == namespace]
        return {(run.labels["ringrift.ai/step"], run.labels["ringrift.ai/attempt"]) for run in runs}

    # A merge that finds games twice has the missing ones played, and comes again as its next attempt.
    assert attempts("low") == attempts("alone")
    assert {number for step, number in attempts("low") if step != "merge"} == {"1"}
    for person in (played.disturbed, played.undisturbed, *played.urgent):
        status = person.status()
        assert status["tasks"]["failed"] == 0
        assert not [line for line in person.events() if line.startswith(("TaskFailed", "TaskDelayed"))]
    told = [line for line in played.disturbed.events() if line.startswith("TaskPreempted")]
    assert any("selfplay is held again" in line for line in told)
    assert any("train is held again" in line for line in told)


def test_the_games_are_those_of_an_undisturbed_run(played: Played) -> None:
    assert len(played.games["low"]) == GAMES
    assert played.games["low"] == played.games["alone"]


def test_the_network_is_that_of_an_undisturbed_run(played: Played) -> None:
    def candidate(person: Person) -> str:
        (track,) = _record(person)["tracks"]
        digest: str = track["candidate"]["sha256"]
        return digest

    assert candidate(played.disturbed) == candidate(played.undisturbed)


def test_at_most_the_games_in_flight_were_played_again(played: Played) -> None:
    """Every game that an interrupted run had finished is found by the run that goes on with its shard."""
    for run in played.interrupted("selfplay"):
        told = [json.loads(line) for line in run.log.read_text().splitlines() if '"progress"' in line]
        after = [each for each in played.machine.of("low", "selfplay") if each.began > run.began]
        finished = max((each["progress"] for each in told), default=0.0) * (GAMES // 4)
        index = run.pod.rpartition("-")[0]
        again = next((each for each in after if each.pod.rpartition("-")[0] == index), None)
        if again is None or finished < 1:
            continue
        kept = re.search(r"goes on from (\d+) of", again.log.read_text())
        assert kept is not None, f"{again.pod} began anew"
        assert int(kept[1]) >= int(finished)
