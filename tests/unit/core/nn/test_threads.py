"""Threads and native libraries: what the environment says of them changes nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ringrift_core.nn
from ringrift_core.contract import TrainParameters, read_result, to_arguments
from ringrift_core.replay.shards import SHARD_OUTPUT
from tests.commands import Commands

CORE = Path(ringrift_core.nn.__file__).parents[1]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[int, str, str]]:
    """`trained(NAME=VALUE, ...)` trains a network in that environment: exit status, stderr, SHA-256 of its weights."""
    folder = tmp_path_factory.mktemp("trained")
    commands = Commands(folder / "here")
    stages = commands.stages(train=False)
    dataset = [next(stages) for _ in range(3)][2].outputs["dataset"]

    def train(program: str = "from ringrift_core.cli import main; main()", **variables: str) -> tuple[int, str, str]:
        record = commands.store / "square8-2p" / "tasks" / "i0001" / "train.json"
        record.unlink(missing_ok=True)
        result = folder / "result.json"
        parameters = TrainParameters(**commands.here, iteration=1, seed=1, dataset=dataset, epochs=1)
        commands.environment = variables
        command = [sys.executable, "-P", "-c", program, *to_arguments(parameters), "--result", str(result)]
        done = commands.run("train", command)
        outputs = read_result(result.read_bytes()).outputs
        return done.returncode, done.stderr, outputs["candidate"].sha256 if outputs else ""

    return train


@pytest.fixture(scope="module")
def usual(trained: Callable[..., tuple[int, str, str]]) -> tuple[int, str, str]:
    return trained()


ENVIRONMENTS: tuple[dict[str, str], ...] = (
    # OpenMP gives fewer threads than it is asked for, for whose others oneDNN would wait for ever; instructions are
    # others, which would make another network; what is switched off, or said besides.
    {"OMP_THREAD_LIMIT": "1"}
    | {"ATEN_CPU_CAPABILITY": "default"}
    | {"TORCH_LOGS": "+dynamo", "TORCHDYNAMO_DISABLE": "1", "TORCH_COMPILE_DISABLE": "1", "ORT_LOGGING_LEVEL": "0"},
    {"OMP_DYNAMIC": "TRUE", "OMP_NUM_THREADS": "1"}
    | {"ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    {"OMP_MAX_ACTIVE_LEVELS": "0"}
    | {"MKL_CBWR": "COMPATIBLE", "OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"},
    # What is no number; all threads on one core.
    {"OMP_NUM_THREADS": "abc", "MKL_NUM_THREADS": "-1", "OPENBLAS_NUM_THREADS": "abc"}
    | {"OMP_PROC_BIND": "true", "OMP_PLACES": "{0}"},
    {"OMP_NUM_THREADS": "0", "OMP_STACKSIZE": "1", "GOMP_CPU_AFFINITY": "0"},
)
"""What different libraries read goes together, for nothing may change by any of it, and each takes a training."""


@pytest.mark.parametrize("variables", ENVIRONMENTS, ids=lambda variables: " ".join(map("=".join, variables.items())))
def test_what_native_libraries_read_of_the_environment_changes_nothing(
    variables: dict[str, str], trained: Callable[..., tuple[int, str, str]], usual: tuple[int, str, str]
) -> None:
    assert usual[:2] == (0, "")
    assert trained(**variables) == usual


@pytest.mark.parametrize("threads", ["1", "0", "abc", "-1", "100000"])
def test_self_play_plays_the_same_games_on_however_many_threads_are_asked_for(threads: str, tmp_path: Path) -> None:
    found = set()
    for name, variables in (("usual", {}), ("asked", {"RAYON_NUM_THREADS": threads})):
        commands = Commands(tmp_path / name / "here", environment=variables)
        found.add(next(commands.stages()).outputs[SHARD_OUTPUT].sha256)
    assert len(found) == 1


def test_torch_is_loaded_by_nn_or_after_it() -> None:
    loading = {
        path.relative_to(CORE).parts[0]
        for path in CORE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
        if name.partition(".")[0] == "torch"
    }
    assert loading == {"nn", "nnue"}
    command = "import ringrift_core.nnue.stage, os; assert os.environ['TORCH_CPP_LOG_LEVEL'] == 'ERROR'"
    environment = {name: value for name, value in os.environ.items() if name != "TORCH_CPP_LOG_LEVEL"}
    subprocess.run([sys.executable, "-P", "-c", command], env=environment, check=True)
