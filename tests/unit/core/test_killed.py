"""Stages as processes, killed with SIGKILL at random moments and begun again: the store must end up the same."""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import time
from pathlib import Path

from benchmarks.core_seconds import core_seconds_of
from ringrift_core.archive import Archive
from ringrift_core.contract import (
    STAGE_PROGRAM,
    Artifact,
    Board,
    CmaesParameters,
    EvaluateParameters,
    ExitCode,
    ExportParameters,
    GateKind,
    InitialWeights,
    MergeParameters,
    NetworkSize,
    PromoteParameters,
    SelfplayParameters,
    Stage,
    StageParameters,
    StageResult,
    Track,
    to_arguments,
)
from ringrift_core.nn.network import NetworkShape
from ringrift_core.nn.quantised import export_untrained
from ringrift_core.store import LocalStore
from tests import patience


class Pipeline:
    """One iteration of the weights track, by the command line."""

    def __init__(self, folder: Path, undisturbed: Pipeline | None = None, killer: random.Random | None = None) -> None:
        """With a killer, stages die at moments drawn over the core-seconds that the undisturbed pipeline's took: those
        are the same on a machine that is busy and on one that is idle."""
        self.store = LocalStore(folder / "store")
        self.result = folder / "result.json"
        self.here = {"store": self.store.uri, "board": Board.SQUARE8, "players": 2}
        self.result.parent.mkdir()
        self.undisturbed = undisturbed
        self.killer = killer
        self.seconds: dict[Stage, float] = {}
        self.kills = 0

    def iteration(self, number: int) -> None:
        """Runs every stage to its end, killing each one to three times when there is a killer."""
        self._finish(SelfplayParameters(**self.here, iteration=number, seed=number, games=900, shard="0-2/3"))
        self._finish(MergeParameters(**self.here, iteration=number))
        self._finish(ExportParameters(**self.here, iteration=number, seed=number))
        search = CmaesParameters(
            **self.here,
            iteration=number,
            seed=number,
            generations=6,
            population_size=8,
            games_per_evaluation=8,
            initial_weights=InitialWeights.MATERIAL,
        )
        candidate = self._finish(search).outputs["candidate"]
        trial = EvaluateParameters(
            **self.here,
            iteration=number,
            track=Track.WEIGHTS,
            candidate=candidate,
            gate=GateKind.FIXED,
            games=60,
            champion_version=number - 1,
            initial_weights=InitialWeights.MATERIAL,
        )
        # Six generations beat material alone by far; promote would refuse a verdict that says otherwise.
        verdict = self._finish(trial).outputs["verdict"]
        self._finish(self._promotion(number, candidate, verdict))

    def _promotion(self, number: int, candidate: Artifact, verdict: Artifact) -> PromoteParameters:
        return PromoteParameters(
            **self.here,
            track=Track.WEIGHTS,
            iteration=number,
            request_id=f"iteration-{number}",
            expected_version=number - 1,
            candidate=candidate,
            verdict=verdict,
        )

    def _finish(self, parameters: StageParameters) -> StageResult:
        self.result.unlink(missing_ok=True)
        kills = 0 if self.killer is None else self.killer.choice((1, 2, 3))
        for attempt in range(1, kills + 1):
            self._kill(self._start(parameters, attempt), parameters.stage)
        before = _core_seconds_of_children()
        assert self._start(parameters, kills + 1).wait(100) == ExitCode.DONE
        self.seconds[parameters.stage] = _core_seconds_of_children() - before
        return StageResult.model_validate_json(self.result.read_text())

    def _start(self, parameters: StageParameters, attempt: int) -> subprocess.Popen[bytes]:
        arguments = to_arguments(parameters.model_copy(update={"attempt": attempt}))
        command = [*STAGE_PROGRAM, *arguments, "--result", str(self.result)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def _kill(self, process: subprocess.Popen[bytes], stage: Stage) -> None:
        """At a moment of the stage's run: most after its start-up, some as it ends; one that has ended is no kill."""
        assert self.killer is not None
        assert self.undisturbed is not None
        moment = self.killer.uniform(0.3, 1.0) * self.undisturbed.seconds[stage]
        while process.poll() is None and core_seconds_of(process.pid) < moment:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        self.kills += process.wait(100) == -signal.SIGKILL

    def outcome(self) -> dict[str, object]:
        """Registry, games and task results, without clock times and without the folder's name."""
        archive = Archive(self.store, "square8-2p")
        tasks = {}
        for iteration, task in archive.tasks():
            record = archive.record(iteration, task)
            assert record is not None
            digests = {name: artifact.sha256 for name, artifact in record.result.outputs.items()}
            tasks[f"{iteration}/{task}"] = (record.digest, record.result.result, digests)
        return {"tasks": tasks, "registry": self._json("registry/weights.json"), "games": self._json("games.json")}

    def _json(self, name: str) -> object:
        found = self.store.read(f"square8-2p/{name}")
        assert found is not None
        return json.loads(found.content)


def _core_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_killed_stages_that_are_begun_again_leave_the_same_store(tmp_path: Path) -> None:
    undisturbed = Pipeline(tmp_path / "undisturbed")
    undisturbed.iteration(1)
    killed = Pipeline(tmp_path / "killed", undisturbed, random.Random(20))
    killed.iteration(1)
    assert killed.kills >= 4
    assert killed.outcome() == undisturbed.outcome()
    leftovers = [key for key in killed.store.keys("") if ".checkpoint" in key]
    assert leftovers == []


def test_sigterm_ends_self_play_with_not_now_and_what_was_finished_is_kept(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    parameters = SelfplayParameters(
        store=store.uri, board=Board.HEXAGONAL, players=2, iteration=1, seed=1, games=400, shard="0-99/100"
    )
    result = tmp_path / "result.json"
    command = [*STAGE_PROGRAM, *to_arguments(parameters), "--result", str(result)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["kind"] == "log":
            break
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == ExitCode.NOT_NOW
    assert said.startswith("ringrift selfplay: stopped on request")
    finished = list(Archive(store, "hexagonal-2p").tasks())
    assert 1 <= len(finished) < 100
    assert StageResult.model_validate_json(result.read_text()).stage is Stage.SELFPLAY


def test_sigterm_ends_self_play_in_which_everybody_asks_a_network(tmp_path: Path) -> None:
    """Several processes of it side by side, as a machine of many cores has them."""
    network = tmp_path / "network.onnx"
    export_untrained(NetworkShape.of_size(Board.HEX8, 2, NetworkSize.TINY), 1, network)
    parameters = SelfplayParameters(
        store=LocalStore(tmp_path / "store").uri,
        board=Board.HEX8,
        players=2,
        iteration=1,
        seed=1,
        games=4000,
        shard="0-1/2",
        player=f"network={network}:gumbel:64",
    )
    command = [*STAGE_PROGRAM, *to_arguments(parameters)]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([*command, "--index", str(index)], stdout=pipe, stderr=pipe, text=True) for index in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["kind"] == "progress":
                break
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        _, said = process.communicate(timeout=patience.SECONDS)
        assert process.returncode == ExitCode.NOT_NOW
        assert said.startswith("ringrift selfplay: stopped on request"), "not by its watchdog"
