"""What lies in the working folder is somebody's data: no command runs it, or lets it change a result."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ringrift_core.contract import STAGE_PROGRAM
from tests.commands import OPERATOR, Commands

BY_MODULE = ((sys.executable, "-m", "ringrift_core"), (sys.executable, "-m", "ringrift_operator"))
"""Without -P: Python itself looks in the working folder first."""

SCRIPTS = tuple((str(Path(sys.executable).parent / name),) for name in ("ringrift", "ringrift-operator"))

IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Every top-level module that any command imports: Python is asked, while they run."""
    commands = Commands(tmp_path_factory.mktemp("asked") / "here", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    results = list(commands.stages())
    assert len(results) == 10
    for _ in commands.viewers():
        pass
    commands.local("--dry-run")
    said = "".join(done.stderr for done in commands.said.values())
    # ringrift_core and its submodules are the program itself: test_children.py.
    found = {name.partition(".")[0] for name in IMPORTED.findall(said)} - {"ringrift_core", "ringrift_operator"}
    assert {"random", "copy", "types", "numpy", "cma", "rich", "json", "torch", "onnxruntime", "yaml"} <= found
    return frozenset(found)


def before_us(*options: str, folder: Path) -> set[str]:
    """What the interpreter imports for itself, and for a program that does nothing, before it comes to the program."""
    (folder / "nothing.py").write_text("import sys\n")
    done = subprocess.run(
        [sys.executable, *options],
        cwd=folder,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in IMPORTED.findall(done.stderr)} | {"sitecustomize", "usercustomize"}


class Traps:
    """A working folder full of files that leave a mark when they are run."""

    def __init__(self, folder: Path, names: frozenset[str]) -> None:
        self.folder, self.marks = folder / "here", folder / "marks"
        self.folder.mkdir(parents=True)
        self.marks.mkdir()
        for name in names:
            (self.folder / f"{name}.py").write_text(f"open({str(self.marks / name)!r}, 'w').close()\n")

    def sprung(self) -> set[str]:
        return {path.name for path in self.marks.iterdir()}


@pytest.mark.parametrize(
    ("core", "operator", "environment"),
    [
        pytest.param(*BY_MODULE, {}, id="python -m"),
        pytest.param(*SCRIPTS, {}, id="console scripts"),
        pytest.param(*BY_MODULE, {"PYTHONPATH": ""}, id="python -m with an empty PYTHONPATH"),
        pytest.param(STAGE_PROGRAM, OPERATOR, {"PYTHONPATH": ":"}, id="-P with PYTHONPATH=:"),
        pytest.param(*BY_MODULE, {"PYTHONPATH": "."}, id="python -m with PYTHONPATH=."),
    ],
)
def test_no_command_runs_a_file_of_the_working_folder(
    core: tuple[str, ...],
    operator: tuple[str, ...],
    environment: dict[str, str],
    imported: frozenset[str],
    tmp_path: Path,
) -> None:
    # `python -m` imports a dozen modules before it comes to any program, from the working folder too: -P is for that.
    start = ("-m", "nothing") if "-m" in core else ("-c", "")
    traps = Traps(tmp_path, imported - before_us(*start, folder=tmp_path))
    commands = Commands(traps.folder, core, operator, environment)
    # Training takes longest, and imports the same however it was started.
    assert all(result.message is not None for result in commands.stages(train=not environment))
    for done in commands.viewers():
        assert done.returncode == 0, done.stderr
    assert commands.local("--plain").returncode == 0, commands.said["local"].stdout
    assert traps.sprung() == set()


def test_a_script_with_the_working_folder_on_its_path_runs_no_more_than_its_installer_wrote(
    imported: frozenset[str], tmp_path: Path
) -> None:
    """An installer's script may import `re` before it comes to us: that much is out of our hands, and no more."""
    traps = Traps(tmp_path, imported - before_us("-c", "import sys, re", folder=tmp_path))
    core, operator = SCRIPTS
    commands = Commands(traps.folder, core, operator, {"PYTHONPATH": os.pathsep})
    for done in commands.viewers():
        assert "Traceback" not in done.stderr
    assert traps.sprung() == set()


def test_what_a_command_starts_keeps_the_working_folder_out_too(tmp_path: Path) -> None:
    """Workers of torch or of multiprocessing are Pythons that somebody else starts."""
    traps = Traps(tmp_path, frozenset({"pickle", "random"}))
    program = (
        "from ringrift_core.entry import leave_working_folder_out\n"
        "leave_working_folder_out()\n"
        "import multiprocessing, subprocess, sys\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        assert pool.apply(abs, (-3,)) == 3\n"
        "    subprocess.run([sys.executable, '-c', 'import random'], check=True)\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    command = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep}
    done = subprocess.run(command, cwd=traps.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert traps.sprung() == set()


def test_an_absolute_part_of_the_python_path_is_kept(tmp_path: Path) -> None:
    program = (
        "from ringrift_core.entry import leave_working_folder_out as leave\n"
        "import os, sys; leave(); print(os.environ['PYTHONPATH']); print(sys.path.count(os.getcwd()))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    path, count = done.stdout.split()
    assert path == str(tmp_path)
    assert int(count) > 0


def test_a_working_folder_that_is_gone_stops_no_command(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os, sys; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); os.execv({SCRIPTS[0][0]!r}, sys.argv)"
    done = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_signals_to_cma_in_the_working_folder_change_no_search_and_none_are_left_there(tmp_path: Path) -> None:
    """The package reads its options from `cma_signals.in` between generations, unless it is told not to."""
    found = {}
    for name, content in (("plain", None), ("signals", "{'maxiter': 1, 'tolx': 1e9, 'CMA_rankmu': 0}")):
        commands = Commands(tmp_path / name / "here")
        if content is not None:
            (commands.folder / "cma_signals.in").write_text(content)
        (search,) = (result for result in commands.stages(train=False) if result.stage == "cmaes")
        found[name] = (search.result, search.outputs["candidate"].sha256)
        assert {path.name for path in commands.folder.iterdir()} <= {"cma_signals.in"}
        shutil.rmtree(tmp_path / name)
    assert found["signals"] == found["plain"]
