"""How torch's threads wait. What it is worth: benchmarks/training."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ringrift_core.nn
from ringrift_core.contract import Artifact, Board, ExitCode, TrainParameters, to_arguments

CORE = Path(ringrift_core.nn.__file__).parents[1]


@pytest.mark.skipif(sys.platform != "linux", reason="asks GNU's OpenMP, which torch brings on Linux")
def test_a_stages_threads_sleep_while_they_wait(tmp_path: Path) -> None:
    """OpenMP itself is asked, in the process of a stage once torch is loaded: how often does it look before it sleeps?
    Its own default is 300,000 times."""
    dataset = Artifact(uri=f"{tmp_path.as_uri()}/square8-2p/objects/none.json", sha256="0" * 64, bytes=1)
    parameters = TrainParameters(
        store=tmp_path.as_uri(), board=Board.SQUARE8, players=2, iteration=1, seed=1, dataset=dataset
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, "-m", "ringrift_core", *to_arguments(parameters)],
        env={**environment, "OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.WRONG_INPUT, done.stderr
    said = [line.split("=")[1].strip(" '") for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]
    assert said == ["0"], done.stderr


def test_torch_loaded_too_early_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY")
    assert "torch" in sys.modules
    with pytest.warns(UserWarning, match="torch was loaded before ringrift_core.nn"):
        importlib.reload(ringrift_core.nn)
    importlib.reload(ringrift_core.nn)  # OMP_WAIT_POLICY is set by now: whoever set it knows.


def test_nothing_but_nn_loads_torch() -> None:
    loading = {
        path.relative_to(CORE).parts[0]
        for path in CORE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
        if name.partition(".")[0] == "torch"
    }
    assert loading == {"nn"}
