"""What a process and all that it started take, where there are control groups and where there are none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringrift_operator.processes.memory import Process, read_ps, resident_bytes, tree_bytes, tree_of
from tests import patience

MIB = 2**20

TREE = """
import mmap, os, subprocess, sys, time
child = "import time; x = bytearray({size}); open('child', 'w').close(); time.sleep(600)"
if {orphan}:
    child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {{child!r}}])"
subprocess.Popen([sys.executable, "-c", child])
x = bytearray({size})
open("parent", "w").close()
time.sleep(600)
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("orphan", [False, True], ids=["its child", "a grandchild whose parent is gone"])
def test_all_that_it_started_counts(started: list[subprocess.Popen[bytes]], tmp_path: Path, orphan: bool) -> None:
    program = TREE.format(size=100 * MIB, orphan=orphan)
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, start_new_session=True)
    started.append(process)
    until = time.monotonic() + patience.SECONDS
    while not all((tmp_path / name).exists() for name in ("child", "parent")):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert 100 * MIB < resident_bytes(process.pid) < 150 * MIB
    assert 200 * MIB < tree_bytes(process.pid) < 280 * MIB


FORK = """
import os, time
x = bytearray({size})
for _ in range(3):
    if not os.fork():
        time.sleep(600)
open("parent", "w").close()
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="pages that are shared are told by /proc")
def test_what_several_share_counts_once(started: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", FORK.format(size=100 * MIB)], cwd=tmp_path, start_new_session=True
    )
    started.append(process)
    until = time.monotonic() + patience.SECONDS
    while not (tmp_path / "parent").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert 100 * MIB < tree_bytes(process.pid) < 150 * MIB


MACOS = """\
    1     0     1  18096
  501     1   501   9216
  777   501   777 204800
  778   777   777 102400
  779   778   779  51200
  780     1   777   1024
  900     1   900 999999
"""
"""As macOS prints it: 778 is in the group of 777, 779 has made one of its own, 780's parent is gone."""


def test_the_table_of_macos_is_read() -> None:
    table = {each.pid: each for each in read_ps(MACOS.splitlines())}
    assert table[778] == Process(778, 777, 777, 100 * MIB)
    members = tree_of(table, 777)
    assert members == {777, 778, 779, 780}
    assert sum(table[pid].resident for pid in members) == (204800 + 102400 + 51200 + 1024) * 1024


def test_the_table_of_this_machine_is_read_by_ps() -> None:
    told = subprocess.run(["ps", "-axo", "pid=,ppid=,pgid=,rss="], capture_output=True, text=True, check=True).stdout
    found = list(read_ps(told.splitlines()))
    assert len(found) == len(told.splitlines())
    assert any(each.resident for each in found)
