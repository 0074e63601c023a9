"""What a process and all that it started take of the machine's memory.

A control group would know, but macOS has none, and on Linux a runner need not be allowed to make one: so it is summed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_SYSTEM = Path("/proc")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the system's table of processes."""

    pid: int
    parent: int
    group: int
    resident: int = 0
    """Bytes, shared ones among them; 0 where the table does not say."""


def resident_bytes(pid: int) -> int:
    """Memory of one process but for pages of files, which the kernel takes back; 0 where the system does not tell."""
    return _sum_of(_SYSTEM / str(pid) / "status", ("RssAnon:", "RssShmem:"))


def tree_bytes(pid: int) -> int:
    """Memory of a process that leads its group, and of all that it started, those whose parents are gone among them.

    On Linux what several of them share counts once, as in a control group; elsewhere once for each.
    """
    found = {each.pid: each for each in (_linux_table() if sys.platform == "linux" else _ps_table())}
    members = tree_of(found, pid)
    if sys.platform != "linux":
        return sum(found[member].resident for member in members)
    if members == {pid}:
        return resident_bytes(pid)
    return sum(_shared_bytes(member) for member in members)


def tree_of(found: Mapping[int, Process], root: int) -> set[int]:
    """Who is in the group that `root` leads, or has an ancestor there."""
    members = {each.pid for each in found.values() if root in (each.pid, each.group)}
    added = members
    while added:
        added = {each.pid for each in found.values() if each.parent in added} - members
        members = members | added
    return members


def read_ps(lines: Iterable[str]) -> Iterator[Process]:
    """What `ps -axo pid=,ppid=,pgid=,rss=` prints; it counts in KiB."""
    for line in lines:
        words = line.split()
        if len(words) == 4 and all(word.isdecimal() for word in words):
            pid, parent, group, resident = map(int, words)
            yield Process(pid, parent, group, resident * _KIB)


def _ps_table() -> Iterator[Process]:
    program = shutil.which("ps")
    if program is None:
        return
    told = subprocess.run(
        [program, "-axo", "pid=,ppid=,pgid=,rss="], capture_output=True, text=True, check=False
    ).stdout
    yield from read_ps(told.splitlines())


def _linux_table() -> Iterator[Process]:
    for name in os.listdir(_SYSTEM):  # noqa: PTH208 - a third of the time, for thousands of processes
        if not name.isdecimal():
            continue
        try:
            stat = (_SYSTEM / name / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue  # it has ended
        # Its name stands in parentheses and may hold some itself.
        state, parent, group, *_ = stat.rpartition(")")[2].split()
        if state != "Z":
            yield Process(int(name), int(parent), int(group))


def _shared_bytes(pid: int) -> int:
    """As `resident_bytes`, each page divided by how many have it."""
    folder = _SYSTEM / str(pid)
    return _sum_of(folder / "smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) or resident_bytes(pid)


def _sum_of(path: Path, names: tuple[str, ...]) -> int:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * _KIB for line in lines if line.startswith(names))
