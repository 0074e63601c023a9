"""A stage that the kernel kills for want of memory, in a real control group of version 1 (root)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ringrift_operator.processes.deaths import MemoryWatch
from tests.control_groups import real_group, run_within

MIB = 2**20

RUN = """
import pathlib, sys, tempfile, time
from ringrift_core.contract import MergeParameters
from ringrift_operator.domain.outcomes import outcome_of
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import TaskIdentity
from ringrift_operator.local.children import Children
from tests.unit.domain.world import BEGINNING

folder = pathlib.Path(tempfile.mkdtemp())
processes = Children(folder, (sys.executable, "-P", "-c", sys.argv[1]))
parameters = MergeParameters(store="file:///tmp/x", board="square8", players=2, iteration=1)
identity = TaskIdentity("tp", "square8-2p", 1, "merge", 1)
processes.begin(PlacedTask("task", identity, parameters, None, None), BEGINNING)
while (child := processes.observe()[0]).is_live:
    time.sleep(0.02)
print(child.reason)
print(outcome_of(child, SHIPPED.steps["merge"].handling).message)
"""
"""Runs a stage as `local` does, and says how it ended."""

GROW = "import time; kept = []\nwhile True: kept.append(bytearray(8_000_000)); time.sleep(0.02)"
STOP = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize(
    ("stage", "reason", "said"),
    [
        (GROW, "OOMKilled", "exit code 137: OOMKilled: the kernel ended it for want of memory: it took "),
        (STOP, "", "exit code 137: it was killed: by the kernel for want of memory, or by somebody (SIGKILL)"),
    ],
    ids=["by the kernel", "by somebody"],
)
def test_the_kernel_counts_what_it_kills(stage: str, reason: str, said: str) -> None:
    with real_group("memory", {"memory.limit_in_bytes": str(250 * MIB)}) as group:
        root = Path(__file__).parents[3]
        done = run_within([group], [sys.executable, "-c", RUN, stage], cwd=root)
        assert done.stdout.splitlines()[:1] == [reason], done.stderr
        message = done.stdout.splitlines()[1]
        assert message.startswith(said)
        if reason:
            limit = f"its control group has 250Mi for all in it ({group}/memory.limit_in_bytes)"
            assert message.endswith(f"Mi when last seen, and {limit}")
            assert 50 < float(message.partition("it took ")[2].partition("Mi")[0]) < 250


def test_where_nobody_counts_use_and_limit_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringrift_operator.processes.deaths.memory_kills", lambda: None)
    watch = MemoryWatch()
    watch.saw(700 * MIB)
    watch.saw(300 * MIB)
    reason, said = watch.of_killed()
    assert reason is None
    assert said.startswith("it took 700Mi when last seen, and ")


def test_the_slots_of_this_machine_are_what_its_groups_leave() -> None:
    script = (
        "from ringrift_operator.local.machine import this_machine\n"
        "for slot in this_machine().spec.slots: print(*slot.resources.values())"
    )
    with (
        real_group("memory", {"memory.limit_in_bytes": str(300 * MIB)}) as memory,
        real_group("cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}) as cpu,
    ):
        done = run_within([memory, cpu], [sys.executable, "-P", "-c", script])
    assert done.stdout.splitlines() == [f"1 {300 * MIB}"] * 2, done.stderr
