"""A cluster is gone with the run that made it, however that ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.recording import wait_for

ROOT = Path(__file__).parents[2]


def processes_of(directory: Path) -> list[str]:
    """Command lines of the running processes that name `directory`."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it ended in between
                continue
            lines += [line] if str(directory) in line else []
    return lines


def links() -> set[str]:
    """Network devices of this machine that sandboxes are connected by."""
    return {path.name for path in Path("/sys/class/net").iterdir() if path.name.startswith("ringrift")}


def test_a_killed_run_leaves_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    before, directory = links(), tmp_path_factory.mktemp("killed")
    environment = {**os.environ, "TMPDIR": str(directory)}
    command = [sys.executable, "-m", "tests.cluster", "node"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("export KUBECONFIG="), "the cluster did not start"
        assert any("kubelet" in line for line in processes_of(directory))
        assert links() > before
        running.kill()
    wait_for(10, "the end of its processes", lambda: not processes_of(directory))
    wait_for(10, "the end of its cable", lambda: links() == before)
    assert str(directory) not in Path("/proc/mounts").read_text()
