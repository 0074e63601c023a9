"""A terminal that goes away, or that nothing can be drawn over."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests import patience
from tests.unit.local.running import COMMAND, Local

LONG = {"cmaes": {"generations": 400, "populationSize": 20, "gamesPerEvaluation": 20}, "iterations": 1}
"""Hours, if it were not stopped."""


def on_a_terminal(
    local: Local, prefix: tuple[str, ...] = (), variables: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, int]:
    """`local` as the leader of a terminal of its own: process and our end of the terminal."""
    child, master = pty.fork()
    if child == 0:
        os.chdir(local.folder)
        for name in ("COLUMNS", "LINES", "NO_COLOR", "CI", "FORCE_COLOR"):
            os.environ.pop(name, None)
        os.environ |= {"TERM": "xterm-256color", **variables}
        os.execvp((*prefix, *COMMAND)[0], [*prefix, *COMMAND, "-f", "pipeline.yaml"])
    return child, master


def shown(master: int, until: str) -> str:
    seen = b""
    deadline = time.monotonic() + patience.SECONDS
    while until.encode() not in seen:
        assert time.monotonic() < deadline, seen[-3000:]
        try:
            seen += os.read(master, 65536)
        except OSError:
            break
    return seen.decode(errors="ignore")


def ended(child: int) -> int:
    deadline = time.monotonic() + patience.SECONDS
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("it goes on without a terminal")


def test_the_end_of_the_terminal_stops_it_as_sigterm_does(tmp_path: Path) -> None:
    local = Local(tmp_path, **LONG)
    child, master = on_a_terminal(local)
    shown(master, "60 games in all")
    os.close(master)
    assert ended(child) == 130
    assert local.processes() == []
    assert local.status()["games"] == 60
    # Its checkpoint is there, and the next one goes on from it.
    local.write(**{**LONG, "cmaes": {**LONG["cmaes"], "generations": 1}})  # type: ignore[dict-item]
    assert "continues at" in _beginning(local)


def _beginning(local: Local) -> str:
    process = local.start()
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    return line


def test_a_display_that_cannot_be_written_stops_it_though_no_signal_came(tmp_path: Path) -> None:
    """As with `disown -h`: the shell sends nothing, and the terminal is gone all the same."""
    local = Local(tmp_path, **LONG)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "-f", "pipeline.yaml"],
        cwd=local.folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    shown(master, "60 games in all")
    os.close(master)
    assert process.wait(patience.SECONDS) == 130
    assert local.processes() == []


def test_under_nohup_the_end_of_the_terminal_means_nothing(tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    child, master = on_a_terminal(local, prefix=("nohup",))
    deadline = time.monotonic() + patience.SECONDS
    output = local.folder / "nohup.out"
    while not output.exists() or "begins" not in output.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.close(master)
    assert ended(child) == 0
    assert "small is complete" in output.read_text()


@pytest.mark.parametrize(
    "variables",
    [
        {"FORCE_COLOR": "1"},
        {"FORCE_COLOR": "3", "TERM": "xterm-256color"},
        {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"},
        {"TTY_COMPATIBLE": "1", "NO_COLOR": "1"},
        {"JUPYTER_COLUMNS": "80", "DATABRICKS_RUNTIME_VERSION": "13"},
        {"COLUMNS": "0"},
        {"COLUMNS": "1000000000"},
        {"COLUMNS": "20", "LINES": "1"},
    ],
    ids=lambda variables: " ".join(f"{name}={value}" for name, value in variables.items()),
)
def test_a_file_gets_lines_whatever_the_environment_says_of_terminals(
    variables: dict[str, str], tmp_path: Path
) -> None:
    local = Local(tmp_path, iterations=1)
    output = local.folder / "output"
    with output.open("wb") as file:
        done = subprocess.run(
            [*COMMAND, "-f", "pipeline.yaml"],
            cwd=local.folder,
            stdout=file,
            env={**os.environ, **variables},
            timeout=patience.SECONDS,
            check=False,
        )
    text = output.read_text()
    assert done.returncode == 0, text
    assert not re.search(r"\x1b\[[0-9;?]*[A-KSTf-hlsu]", text), "it moves the cursor"
    assert len(text) < 8000
    assert len([line for line in text.splitlines() if "is complete" in line]) == 1


@pytest.mark.parametrize(
    "variables",
    [{"TERM": "dumb"}, {"TERM": ""}, {"TERM": "unknown"}, {"TTY_INTERACTIVE": "0"}, {"TTY_COMPATIBLE": "0"}],
    ids=lambda variables: " ".join(f"{name}={value}" for name, value in variables.items()),
)
def test_a_terminal_that_cannot_be_drawn_over_gets_lines_as_it_goes(variables: dict[str, str], tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    child, master = on_a_terminal(local, variables=variables)
    begun = shown(master, "begins; store")
    assert "small begins; store ./ringrift-data/games" in begun
    assert local.processes() or "complete" not in begun, "it said nothing until the end"
    rest = shown(master, "ringrift bench rules measures it")
    assert "\x1b" not in begun + rest
    assert ended(child) == 0
    os.close(master)
