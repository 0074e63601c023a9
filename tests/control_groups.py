"""Control groups for tests: real ones of version 1 where the machine has it, and trees of files as Linux shows them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from ringrift_core.control_groups import around
from tests import patience

UNLIMITED = str(2**63 - 4096)
"""What version 1 says for no limit of memory: PAGE_COUNTER_MAX in bytes."""


@dataclass
class Tree:
    """/sys/fs/cgroup, /proc/self/cgroup and /proc/self/mountinfo, made of files."""

    folder: Path
    members: list[str] = field(default_factory=list)
    mounted: list[str] = field(default_factory=list)

    @property
    def cgroups(self) -> Path:
        return self.folder / "sys/fs/cgroup"

    @property
    def places(self) -> tuple[Path, Path, Path]:
        """What the functions under test are told."""
        membership, mounts = self.folder / "membership", self.folder / "mounts"
        membership.write_text("".join(f"{line}\n" for line in self.members))
        mounts.write_text("".join(f"{line}\n" for line in self.mounted))
        return self.cgroups, membership, mounts

    def member(self, line: str) -> Tree:
        """A line of /proc/self/cgroup."""
        self.members.append(line)
        return self

    def mount(self, at: str, root: str = "/", controllers: str = "") -> Tree:
        """A mount below /sys/fs/cgroup, of version 2 unless it has controllers."""
        place = str(self.cgroups / at).replace(" ", r"\040")
        kind, options = ("cgroup", f"rw,{controllers}") if controllers else ("cgroup2", "rw,nsdelegate")
        self.mounted.append(f"31 24 0:27 {root} {place} ro,nosuid shared:9 - {kind} {kind} {options}")
        return self

    def group(self, at: str, **files: str) -> Tree:
        """A group's folder with files in it: `cpu_max="50000 100000"` is cpu.max."""
        folder = self.cgroups / at
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name.replace("_", ".", 1)).write_text(content + "\n")
        return self


@contextlib.contextmanager
def real_group(controller: str, files: Mapping[str, str]) -> Iterator[Path]:
    """A new group of version 1 within this process's own; skipped where there is none, or this user may make none."""
    own = next((group for group in around(controller) if (group / "cgroup.procs").exists()), None)
    if own is None or not (own / "notify_on_release").exists():
        pytest.skip(f"the controller {controller} of version 1 is not here")
    group = own / f"ringrift-test-{uuid4().hex[:8]}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"a control group needs root: {error.strerror}")
    try:
        for name, content in files.items():
            (group / name).write_text(content)
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Once those who were in it are gone."""
    deadline = time.monotonic() + patience.SECONDS
    while True:
        try:
            group.rmdir()
            return
        except OSError:
            assert time.monotonic() < deadline, f"{group} is not left"
            time.sleep(0.05)


def run_within(
    groups: Sequence[Path], command: Sequence[str], cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command that lies in these groups from its start."""
    enter = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
    return subprocess.run(
        ["sh", "-c", enter, "sh", *map(str, groups), "--", *command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | environment,
        timeout=600,
        check=False,
    )
