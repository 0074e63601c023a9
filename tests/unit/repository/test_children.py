"""Children run the installed package, whatever lies in the folder in which they are started."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringrift_core.cli import app
from ringrift_core.contract import STAGE_PROGRAM, Board, MergeParameters
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import TaskIdentity
from ringrift_operator.local.children import Children
from tests.unit.domain.world import BEGINNING, pool

ROOT = Path(__file__).parents[3]


@pytest.fixture
def decoy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which holds a `ringrift_core` that cannot run."""
    package = tmp_path / "ringrift_core"
    package.mkdir()
    for module in ("__init__.py", "__main__.py"):
        (package / module).write_text('raise SystemExit("the checkout in the working folder was run")')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("decoy")
def test_a_stage_is_run_by_the_installed_package() -> None:
    done = subprocess.run([*STAGE_PROGRAM, "merge", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--store" in done.stdout


@pytest.mark.usefixtures("decoy")
def test_self_play_is_measured_from_a_folder_with_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringrift_core.selfplay.speed.GAMES", {(Board.SQUARE8, 2): 20})
    result = CliRunner().invoke(app, ["bench", "selfplay", "--json", "--share", "1", "--cores", "1", "--rounds", "1"])
    assert result.exit_code == 0, result.output


def test_local_runs_its_stages_from_a_folder_with_a_checkout(decoy: Path) -> None:
    processes = Children(decoy / "tasks")
    parameters = MergeParameters(store=(decoy / "store").as_uri(), board="square8", players=2, iteration=1)
    found = pool(slots=[{"name": "s", "stages": ["selfplay"], "resources": {"memory": "4Gi"}}])
    identity = TaskIdentity("tp", "square8-2p", 1, "merge", 1)
    processes.begin(PlacedTask("task", identity, parameters, found, found.spec.slots[0]), BEGINNING)
    while processes.has_live:
        (child,) = processes.observe()
        time.sleep(0.02)
    processes.stop()
    assert "run ringrift selfplay first" in child.message


def test_whatever_starts_python_keeps_the_working_folder_out_of_its_path() -> None:
    # In braces it is part of a sentence.
    files = [file for part in ("ringrift_core", "operator", "benchmarks") for file in (ROOT / part).rglob("*.py")]
    starts = {
        str(file.relative_to(ROOT)): re.findall(r"(?<!\{)sys\.executable(.{0,6})", file.read_text())
        for file in files
        if "sys.executable" in file.read_text()
    }
    assert "ringrift_core/contract/base.py" in starts, "stages are started in one place"
    assert all(after == ', "-P"' for found in starts.values() for after in found), starts
