"""Several processes, started by torchrun as people start them, train what one trains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.contract import Artifact, ExitCode, StageResult, TrainParameters, TrainResult, to_arguments
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.losses import WEIGHTS
from ringrift_core.players.cards import ModelCard
from ringrift_core.store import open_store
from tests import patience
from tests.cluster.process import free_ports
from tests.unit.core.desk import Desk
from tests.unit.core.nn import distributed_worker

ROOT = Path(__file__).parents[4]
TORCHRUN = [sys.executable, "-m", "ringrift_core.nn.together", "--standalone", "--nproc-per-node", "2"]
SURROUNDINGS = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def told(path: Path, *command: str) -> Any:
    worker = str(Path(distributed_worker.__file__))
    done = subprocess.run(
        [*command, worker, str(path)], env=SURROUNDINGS, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())


def test_two_processes_lose_what_one_loses_step_by_step(tmp_path: Path) -> None:
    """At equal batches: they see the same positions through the same symmetries, each a half of them."""
    alone = told(tmp_path / "alone.json", sys.executable)
    together = told(tmp_path / "together.json", *TORCHRUN)
    assert len(alone["lost"]) == len(together["lost"]) == distributed_worker.STEPS
    for one, both in zip(alone["lost"], together["lost"], strict=True):
        for heads in (WEIGHTS, {"value": 1.0}, {"policy": 1.0}):
            lost = [sum(weight * each[head] for head, weight in heads.items()) for each in (one, both)]
            assert lost[1] == pytest.approx(lost[0], abs=1e-6)
    assert together["held_out"] == pytest.approx(alone["held_out"], abs=1e-6)
    assert alone["lost"][0]["policy"] > alone["lost"][-1]["policy"] + 0.05, "and they learn"


def command_of(desk: Desk, dataset: Artifact, result: Path, **more: Any) -> list[str]:
    parameters = TrainParameters(
        **desk.here, iteration=1, seed=1, dataset=dataset, batch_size=128, distributed=True, **more
    )
    return [*TORCHRUN, "-m", "ringrift_core", *to_arguments(parameters), "--result", str(result)]


def exported(desk: Desk) -> Artifact:
    desk.selfplay(games=30)
    desk.merge()
    return desk.export().outputs["dataset"]


def test_the_first_process_alone_writes_and_a_killed_one_is_gone_on_from(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    alone = other.train(dataset=exported(other), seed=1, batch_size=128, epochs=4).answer(TrainResult)
    dataset, result = exported(desk), tmp_path / "result.json"

    first = command_of(desk, dataset, result, epochs=4)
    process = started(first)
    os.kill(follower_of(process), signal.SIGKILL)
    process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 128 + signal.SIGKILL
    assert any(".checkpoint.json" in key for key in desk.archive.store.keys(""))

    second = subprocess.run(
        [*first[: first.index("--attempt") + 1], "2", *first[first.index("--attempt") + 2 :]],
        env=SURROUNDINGS,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == ExitCode.DONE, second.stderr
    assert second.stdout.count('"kind": "result"') == 1
    assert "going on after step" in second.stdout
    answer = StageResult.model_validate_json(result.read_text())
    found = answer.answer(TrainResult)
    assert found.held_out_loss == pytest.approx(alone.held_out_loss, abs=0.005)
    assert ModelCard.load(desk.archive, answer.outputs["candidate"]).blocks == 4
    curve = desk.archive.store.read(desk.archive.key("tracking/i0001-train/scalars.jsonl"))
    assert curve is not None
    steps = [json.loads(line)["step"] for line in curve.content.splitlines()]
    assert steps == sorted(set(steps)), "nobody else told anything"


def test_all_of_them_stop_and_save_where_one_is_told_to(desk: Desk, tmp_path: Path) -> None:
    """As where the Pod of one of them is drained."""
    dataset, result = exported(desk), tmp_path / "result.json"
    process = started(command_of(desk, dataset, result, epochs=400))
    os.kill(follower_of(process), signal.SIGTERM)
    process.communicate(timeout=patience.SECONDS)
    assert process.returncode == ExitCode.NOT_NOW
    assert "what was finished is saved" in StageResult.model_validate_json(result.read_text()).message
    assert any(".checkpoint.json" in key for key in desk.archive.store.keys(""))


def test_one_that_has_lost_the_other_ends_with_not_now(desk: Desk, tmp_path: Path) -> None:
    """As where the machine of one of them dies, and nobody is left to say so."""
    dataset, result = exported(desk), tmp_path / "result.json"
    command = command_of(desk, dataset, result, epochs=400)
    alone = [sys.executable, *command[len(TORCHRUN) :]]
    (port,) = free_ports(1)
    common = {**SURROUNDINGS, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    follower = subprocess.Popen(alone, env={**common, "RANK": "1"}, cwd=ROOT, stdout=subprocess.DEVNULL)
    leader = started(alone, {**common, "RANK": "0"})
    follower.kill()
    said, _ = leader.communicate(timeout=patience.SECONDS)
    assert (leader.returncode, follower.wait()) == (ExitCode.NOT_NOW, -signal.SIGKILL), said
    assert "another of the processes that train together is gone" in (
        StageResult.model_validate_json(result.read_text()).message
    )


def started(command: list[str], surroundings: Mapping[str, str] = SURROUNDINGS) -> subprocess.Popen[str]:
    """The processes, once their first epoch is over."""
    process = subprocess.Popen(
        command, env=surroundings, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if '"message": "epoch 1' in line and '"kind": "log"' in line:
            break
    return process


def follower_of(process: subprocess.Popen[str]) -> int:
    """PID of the one process that does not lead."""
    (found,) = (pid for pid in _children(process.pid) if _environment(pid).get("RANK") == "1")
    return found


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.partition("=")[::2] for pair in pairs if "=" in pair)


def test_who_was_not_started_by_torchrun_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    dataset = exported(desk)
    with pytest.raises(WrongInputError, match="--distributed: RANK is not set: start the processes by torchrun"):
        desk.train(dataset=dataset, distributed=True, epochs=200, batch_size=1024)
