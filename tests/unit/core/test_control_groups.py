"""Cores and memory by the control groups around this process.

Version 1 is real where the machine has it and the user is root; version 2, and what other machines show of either, are
trees of files as the kernel shows them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ringrift_core.control_groups import around
from ringrift_core.cores import available_cores
from ringrift_core.memory import available_memory, memory_kills
from tests.control_groups import UNLIMITED, Tree, real_group, run_within

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
MIB = 2**20


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Of a machine with 64 cores."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(64), raising=False)
    return Tree(tmp_path)


def test_half_a_core_of_version_2_is_one(tree: Tree) -> None:
    tree.member("0::/system.slice/train.service").mount("")
    tree.group("system.slice/train.service", cpu_max="50000 100000", memory_max=str(300 * MIB))
    assert available_cores(*tree.places) == 1
    assert available_memory(*tree.places).size == 300 * MIB


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 2), ("200000 100000", 2), ("1000 1000000", 1)])
def test_a_part_of_a_core_counts_whole(quota: str, cores: int, tree: Tree) -> None:
    tree.member("0::/a").mount("").group("a", cpu_max=quota)
    assert available_cores(*tree.places) == cores


def test_a_parents_limit_counts_below_a_group_without_one(tree: Tree) -> None:
    tree.member("0::/kubepods/pod7/main").mount("")
    tree.group("kubepods/pod7", cpu_max="300000 100000", memory_max=str(200 * MIB))
    tree.group("kubepods/pod7/main", cpu_max="max 100000", memory_max="max")
    assert available_cores(*tree.places) == 3
    limit = available_memory(*tree.places)
    assert (limit.size, limit.file) == (200 * MIB, tree.cgroups / "kubepods/pod7/memory.max")


def test_above_memory_high_a_group_crawls(tree: Tree) -> None:
    tree.member("0::/a").mount("").group("a", memory_max=str(200 * MIB), memory_high=str(150 * MIB))
    assert available_memory(*tree.places).size == 150 * MIB


def test_a_neighbours_limit_is_not_ones_own(tree: Tree) -> None:
    tree.member("0::/a").mount("").group("a").group("b", cpu_max="100000 100000", memory_max="1000")
    assert available_cores(*tree.places) == 64
    assert available_memory(*tree.places).size == MACHINE


def test_controllers_that_are_mounted_together(tree: Tree) -> None:
    tree.member("4:memory:/docker/a").member("2:cpu,cpuacct:/docker/a")
    tree.mount("cpu,cpuacct", controllers="cpu,cpuacct").mount("memory", controllers="memory")
    tree.group("cpu,cpuacct/docker", **{"cpu_cfs_quota_us": "250000", "cpu_cfs_period_us": "100000"})
    tree.group("memory/docker/a", memory_limit_in_bytes=str(100 * MIB))
    assert available_cores(*tree.places) == 3
    assert available_memory(*tree.places).size == 100 * MIB


def test_both_versions_side_by_side(tree: Tree) -> None:
    """systemd's hybrid: version 2 is there without the controllers, and its paths are others."""
    tree.member("4:memory:/a").member("1:name=systemd:/c").member("0::/b")
    tree.mount("unified").mount("memory", controllers="memory").mount("systemd", controllers="name=systemd")
    tree.group("unified/b").group("memory/a", memory_limit_in_bytes=str(64 * MIB))
    tree.group("memory/b", memory_limit_in_bytes="1").group("systemd/c", memory_limit_in_bytes="1")
    assert available_memory(*tree.places).size == 64 * MIB


def test_the_number_by_which_version_1_says_unlimited_is_the_machine(tree: Tree) -> None:
    tree.member("4:memory:/").mount("memory", controllers="memory").group("memory", memory_limit_in_bytes=UNLIMITED)
    limit = available_memory(*tree.places)
    assert (limit.size, limit.file) == (MACHINE, None)


def test_a_container_that_sees_its_own_group_as_the_mount(tree: Tree) -> None:
    """Docker without a namespace of control groups: the path is the host's, and so is the mount's root."""
    tree.member("4:memory:/docker/a/init").mount("memory", root="/docker/a", controllers="memory")
    tree.group("memory", memory_limit_in_bytes=str(100 * MIB))
    tree.group("memory/init", memory_limit_in_bytes=str(80 * MIB))
    tree.group("memory/docker/a/init", memory_limit_in_bytes="1")
    assert available_memory(*tree.places).size == 80 * MIB


@pytest.mark.parametrize("path", ["/", "/../..", "/../other", "/kubepods/pod7/main"])
def test_a_path_that_leads_nowhere_is_the_mount_itself(path: str, tree: Tree) -> None:
    tree.member(f"0::{path}").mount("").group("", cpu_max="200000 100000", memory_max=str(50 * MIB))
    tree.group("other", memory_max="1")
    assert available_cores(*tree.places) == 2
    assert available_memory(*tree.places).size == 50 * MIB


def test_a_mount_from_outside_the_namespace_bounds_as_well(tree: Tree) -> None:
    tree.member("0::/").mount("host", root="/../..").group("host", memory_max=str(70 * MIB))
    assert available_memory(*tree.places).size == 70 * MIB


def test_they_may_be_mounted_anywhere(tree: Tree) -> None:
    tree.member("0::/a").mount("else where").group("else where/a", cpu_max="100000 100000", memory_max=str(90 * MIB))
    assert available_cores(*tree.places) == 1
    assert available_memory(*tree.places).size == 90 * MIB


def test_where_proc_is_hidden_the_customary_places_are_asked(tree: Tree) -> None:
    tree.group("", cpu_max="200000 100000").group("memory", memory_limit_in_bytes=str(60 * MIB))
    nowhere = tree.folder / "hidden"
    assert available_cores(tree.cgroups, nowhere, nowhere) == 2
    assert available_memory(tree.cgroups, nowhere, nowhere).size == 60 * MIB


@pytest.mark.parametrize("content", ["", "max", "-1", "nonsense here", "100000 0", "0"])
def test_what_is_no_limit_limits_nothing(content: str, tree: Tree) -> None:
    tree.member("0::/a").mount("").group("a", cpu_max=content, memory_max=content.split(" ")[0])
    limit = available_memory(*tree.places).size
    assert available_cores(*tree.places) == 64
    assert limit == (100000 if content.startswith("1") else MACHINE)


def test_a_file_that_cannot_be_read_limits_nothing(tree: Tree) -> None:
    tree.member("0::/a").mount("").group("a")
    for name in ("cpu.max", "memory.max", "memory.events"):
        (tree.cgroups / "a" / name).mkdir()
    assert available_cores(*tree.places) == 64
    assert available_memory(*tree.places).size == MACHINE
    assert memory_kills(*tree.places) is None


def test_kills_are_counted_by_the_innermost_group(tree: Tree) -> None:
    tree.member("0::/a/b").mount("")
    tree.group("a", memory_events="low 0\nhigh 0\nmax 9\noom 9\noom_kill 9")
    tree.group("a/b", memory_events="low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0")
    assert memory_kills(*tree.places) == 2


def test_version_1_counts_kills_elsewhere(tree: Tree) -> None:
    tree.member("4:memory:/a").mount("memory", controllers="memory")
    tree.group("memory/a", memory_oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 3")
    assert memory_kills(*tree.places) == 3


SAY = "from ringrift_core.cores import available_cores as c; from ringrift_core.memory import available_memory as m;"


def test_a_real_group_bounds_cores() -> None:
    quota = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}
    with real_group("cpu", quota) as outer:
        inner = outer / "inner"
        inner.mkdir()
        try:
            for group in (outer, inner):
                done = run_within([group], [sys.executable, "-P", "-c", f"{SAY} print(c())"])
                assert done.stdout == "1\n", done.stderr
        finally:
            inner.rmdir()


PLAY = """
import sys
from ringrift_core import _engine, cli
played = _engine.play_games
def spy(*arguments, **more):
    print("threads", more["threads"], flush=True)
    return played(*arguments, **more)
_engine.play_games = spy
cli.main()
"""


def test_self_play_in_half_a_core_is_one_thread(tmp_path: Path) -> None:
    where = ["--store", (tmp_path / "store").as_uri(), "--board", "square8", "--players", "2", "--iteration", "1"]
    what = ["--seed", "1", "--games", "20", "--shard", "0/1", "--engine-modes", "random-only"]
    with real_group("cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}) as group:
        done = run_within([group], [sys.executable, "-P", "-c", PLAY, "selfplay", *where, *what])
    assert done.returncode == 0, done.stderr
    assert "threads 1" in done.stdout.splitlines()


def test_a_real_group_bounds_memory() -> None:
    with real_group("memory", {"memory.limit_in_bytes": str(300 * MIB)}) as outer:
        inner = outer / "inner"
        inner.mkdir()
        try:
            done = run_within([inner], [sys.executable, "-P", "-c", f"{SAY} print(m().size, m().file)"])
            assert done.stdout.split() == [str(300 * MIB), str(outer / "memory.limit_in_bytes")], done.stderr
        finally:
            inner.rmdir()


@pytest.mark.skipif(sys.platform != "linux", reason="there are no control groups")
def test_this_machine_has_a_group_to_look_at() -> None:
    assert any(group.is_dir() for group in around("memory"))
