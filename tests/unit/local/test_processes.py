"""Stages as processes: what is read of them, what limits them, and that none is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringrift_core.contract import MergeParameters, Stage
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import ChildPhase, TaskIdentity, TaskObservation
from ringrift_operator.local.children import Children
from ringrift_operator.processes.supervisor import GRACE_SECONDS
from tests import patience
from tests.results import merged
from tests.unit.domain.world import BEGINNING, pool

STAGE = """
import json, pathlib, signal, sys, time
result = pathlib.Path(sys.argv[sys.argv.index("--result") + 1])
def progress(fraction, message):
    line = {"kind": "progress", "stage": "merge", "progress": fraction, "message": message}
    print(json.dumps(line), flush=True)
def finish(message="done", code=0):
    times = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}
    answer = {"stage": "merge", **times, "message": message, "result": {"games": 7, "newGames": 7}}
    result.write_text(json.dumps(answer))
    sys.exit(code)
"""
"""What a stage has to do by the contract; each test says how it goes on."""


Start = Callable[..., tuple[Children, str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(body, **slot)` runs a stage whose program ends with `body`."""
    started: list[Children] = []

    def begin(body: str, **slot: object) -> tuple[Children, str]:
        program = tmp_path / "stage.py"
        program.write_text(STAGE + body)
        processes = Children(tmp_path / "tasks", (sys.executable, str(program)))
        started.append(processes)
        found = pool(slots=[{"name": "s", "stages": ["selfplay"], "resources": {"memory": "4Gi"}, **slot}])
        parameters = MergeParameters(store="file:///tmp/x", board="square8", players=2, iteration=1)
        identity = TaskIdentity("tp", "square8-2p", 1, "merge", 1)
        processes.begin(PlacedTask("task", identity, parameters, found, found.spec.slots[0]), BEGINNING)
        return processes, "task"

    yield begin
    for processes in started:
        processes.stop(lambda: True)


def ended(processes: Children) -> TaskObservation:
    return seen(processes, lambda child: not child.is_live)


def seen(processes: Children, wanted: Callable[[TaskObservation], bool]) -> TaskObservation:
    deadline = time.monotonic() + patience.SECONDS
    while True:
        (child,) = processes.observe()
        if wanted(child):
            return child
        assert time.monotonic() < deadline, child
        time.sleep(0.02)


def test_a_result_is_read(start: Start) -> None:
    child = ended(start("finish()")[0])
    assert (child.phase, child.exit_code) == (ChildPhase.SUCCEEDED, 0)
    assert child.result is not None
    assert (child.result.stage, child.result.result) == (Stage.MERGE, merged(7, 7))


def test_progress_is_the_last_line(start: Start) -> None:
    processes, name = start("progress(0.25, 'a'); progress(0.5, 'b'); time.sleep(60)")
    child = seen(processes, lambda child: child.progress == 0.5)
    assert child.message == "b"
    assert processes.progress()[name].message == "b"


def test_it_was_last_heard_of_when_it_told_progress_or_began(start: Start) -> None:
    began = datetime.now(UTC)
    processes, _ = start(
        "print('a word', flush=True); time.sleep(1); progress(0.5, 'b'); print('c', flush=True); time.sleep(60)"
    )
    (silent,) = processes.observe()
    assert silent.heard_at is not None
    assert began <= silent.heard_at <= datetime.now(UTC)
    told = seen(processes, lambda child: child.progress == 0.5)
    assert told.heard_at is not None
    assert told.heard_at - silent.heard_at >= timedelta(seconds=0.5)
    time.sleep(0.2)
    (after,) = processes.observe()
    assert after.heard_at == told.heard_at


def test_a_failure_carries_the_stages_sentence(start: Start) -> None:
    child = ended(start("finish('the manifest is no manifest', 2)")[0])
    assert (child.phase, child.exit_code, child.message) == (ChildPhase.FAILED, 2, "the manifest is no manifest")
    assert child.result is not None, "what it has found all the same"
    assert child.result.message == "the manifest is no manifest"


def test_a_death_without_a_word_carries_the_last_line(start: Start) -> None:
    child = ended(start("raise SystemError('out of paper')")[0])
    assert (child.exit_code, child.message) == (1, "SystemError: out of paper")


def test_exit_0_with_a_broken_result_is_no_result(start: Start) -> None:
    child = ended(start("result.write_text('{'); sys.exit(0)")[0])
    assert (child.phase, child.result) == (ChildPhase.SUCCEEDED, None)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_above_its_memory_it_is_ended_and_called_oomkilled(start: Start) -> None:
    child = ended(start("x = bytearray(300_000_000); time.sleep(10**6)", resources={"memory": "100Mi"})[0])
    assert (child.exit_code, child.reason) == (137, "OOMKilled")
    assert child.message.startswith("OOMKilled: it took ")
    assert child.message.endswith("Mi of memory, and its slot has 100Mi")


def test_past_its_deadline_it_is_ended(start: Start) -> None:
    child = ended(start("time.sleep(10**6)", deadline="1s")[0])
    assert (child.phase, child.reason) == (ChildPhase.FAILED, "DeadlineExceeded")
    assert child.message == "DeadlineExceeded: it ran for longer than 1s"


def test_stop_lets_it_save_what_it_has(start: Start, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    body = f"""
def save(*_):
    pathlib.Path({str(saved)!r}).write_text("yes")
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
progress(0.1, "ready")
time.sleep(60)
"""
    processes, _ = start(body)
    seen(processes, lambda child: child.progress is not None)
    processes.stop()
    assert saved.read_text() == "yes"
    assert not processes.has_live


def test_an_impatient_stop_does_not_wait(start: Start) -> None:
    processes, _ = start("signal.signal(signal.SIGTERM, signal.SIG_IGN); progress(0.1, 'ready'); time.sleep(60)")
    seen(processes, lambda child: child.progress is not None)
    began = time.monotonic()
    processes.stop(lambda: True)
    assert time.monotonic() - began < GRACE_SECONDS
    assert not processes.has_live


def test_a_leftover_of_a_killed_local_is_ended(start: Start, tmp_path: Path) -> None:
    processes, _ = start("progress(0.1, 'ready'); time.sleep(60)")
    seen(processes, lambda child: child.progress is not None)
    assert Children(tmp_path / "tasks").end_leftovers() == 1
    assert ended(processes).exit_code == 137
    assert Children(tmp_path / "tasks").end_leftovers() == 0


def test_another_process_of_the_same_number_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-P", "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        folder = tmp_path / "tasks"
        folder.mkdir()
        (folder / "old.pid").write_text(f"{bystander.pid} 12345")
        assert Children(folder).end_leftovers() == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells children that their parent has died")
def test_children_die_with_their_parent() -> None:
    """Even when it is killed with -9."""
    script = """
import os, subprocess, time
from ringrift_operator.processes.child import _dies_with
child = subprocess.Popen(["sleep", "60"], preexec_fn=_dies_with(os.getpid()), start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-P", "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + patience.SECONDS
    while Path(f"/proc/{child}").exists() and b"State:\tZ" not in Path(f"/proc/{child}/status").read_bytes():
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.02)
