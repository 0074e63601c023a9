"""Stages whose native code does not come back: they end themselves, whoever holds the interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringrift_core.contract import (
    Board,
    CmaesParameters,
    ExitCode,
    InitialWeights,
    Progress,
    StageResult,
    read_result,
    to_arguments,
)
from ringrift_core.stage import TO_ANSWER, TO_SAVE
from ringrift_operator.processes.supervisor import GRACE_SECONDS
from tests import patience

HANGS = {
    "with the interpreter": "[ctypes.PyDLL(None).pthread_mutex_lock(mutex) for _ in range(2)]",
    "without it": "[ctypes.CDLL(None).pthread_mutex_lock(mutex) for _ in range(2)]",
    "in Python": "[time.sleep(0.1) for _ in range(6000)]",
}

PROGRAM = """
import ctypes, sys, time
import ringrift_core.stage
from ringrift_core import _engine
from ringrift_core.cli import main
if len(sys.argv) > 1 and sys.argv[1].startswith("--seconds="):
    ringrift_core.stage.TO_ANSWER = float(sys.argv.pop(1).partition("=")[2])
mutex = ctypes.create_string_buffer(64)
def hang(*_, progress, **__):
    progress(3)
    {hang}
_engine.play_matches = hang
main()
"""
"""`ringrift cmaes`, with an engine whose matches never end."""


def start(folder: Path, hang: str, *options: str) -> subprocess.Popen[str]:
    """The stage, once it hangs."""
    parameters = CmaesParameters(
        store=(folder / "store").as_uri(),
        board=Board.SQUARE8,
        players=2,
        iteration=1,
        initial_weights=InitialWeights.MATERIAL,
    )
    arguments = [*options, *to_arguments(parameters), "--result", str(folder / "result.json")]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM.replace("{hang}", hang), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert Progress.model_validate_json(line).message == "generation 1", line
    time.sleep(0.2)
    return process


def result(folder: Path) -> StageResult:
    return read_result((folder / "result.json").read_bytes())


def test_a_stage_whose_native_code_holds_the_interpreter_ends_within_thirty_seconds(tmp_path: Path) -> None:
    process = start(tmp_path, HANGS["with the interpreter"])
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert TO_ANSWER <= time.monotonic() - began < 30
    assert process.returncode == ExitCode.NOT_NOW
    assert said.startswith("ringrift cmaes: did not answer a signal within 25 s, and ended itself")
    assert said.count("\n") == 1
    found = result(tmp_path)
    assert said == f"ringrift cmaes: {found.message}\n"
    assert 0 <= time.time() - found.finished_at.timestamp() < 10
    assert found.result is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("hang", HANGS)
def test_whatever_hangs_and_whichever_signal_asked(hang: str, number: signal.Signals, tmp_path: Path) -> None:
    process = start(tmp_path, HANGS[hang], "--seconds=0.3")
    process.send_signal(number)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == ExitCode.NOT_NOW, said
    assert result(tmp_path).message in said


def test_a_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    process = start(tmp_path, HANGS["with the interpreter"])
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=patience.SECONDS)
    assert time.monotonic() - began < TO_ANSWER
    assert process.returncode == ExitCode.NOT_NOW


def test_it_ends_though_nobody_takes_its_last_words(tmp_path: Path) -> None:
    """A result that nobody reads and an stderr that nobody empties: both would block for ever."""
    os.mkfifo(tmp_path / "result.json")
    process = start(tmp_path, HANGS["with the interpreter"], "--seconds=0.3")
    process.send_signal(signal.SIGTERM)
    assert process.wait(patience.SECONDS) == ExitCode.NOT_NOW
    process.communicate()


def test_a_stage_that_answers_has_time_to_save(tmp_path: Path) -> None:
    body = """
    def save(run):
        run.answer()
        time.sleep(1)
        raise ringrift_core.stage.NotNowError("saved all of it")
    ringrift_core.stage.Run.pause_point = save
    while progress(3):
        time.sleep(0.01)
    return [[]] * 20
"""
    process = start(tmp_path, body.strip(), "--seconds=0.5")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=patience.SECONDS)
    assert (process.returncode, said) == (ExitCode.NOT_NOW, "ringrift cmaes: saved all of it\n")


def test_a_pod_and_local_wait_longer_than_a_stage_takes() -> None:
    from ringrift_operator.builders.pod import GRACE_SECONDS as POD_SECONDS

    assert TO_ANSWER < 30 < TO_SAVE < min(GRACE_SECONDS, POD_SECONDS)


TOLD_WHILE_LOADING = """
import os, signal, sys
class Told:
    def find_spec(self, name, path=None, target=None):
        if name == "ringrift_core.cli":
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Told())
from ringrift_core.__main__ import main
main()
"""


def test_a_command_that_is_told_to_stop_while_it_is_loaded_ends_with_not_now(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", TOLD_WHILE_LOADING, "check-store", "--store", f"file://{tmp_path}/store"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.NOT_NOW, "", "")
    assert not (tmp_path / "store").exists()
