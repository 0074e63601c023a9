"""Builds of the cluster's programs: one at a time, and who waits is told for whom."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests import patience
from tests.cluster.binaries import one_at_a_time


def test_who_waits_for_a_build_is_told_which_and_told_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock, is_in = tmp_path / ".lock", threading.Event()

    def another_build() -> None:
        with one_at_a_time(lock, first_word=0.2, next_word=0.2):
            is_in.set()

    waiting = threading.Thread(target=another_build)
    said = ""

    def hears(words: str, times: int) -> None:
        nonlocal said
        deadline = time.monotonic() + patience.SECONDS
        while said.count(words) < times:
            assert time.monotonic() < deadline, said
            said += capsys.readouterr().err
            time.sleep(0.05)

    with one_at_a_time(lock) as tell:
        waiting.start()
        hears("waiting for another build, ", 1)
        for program in ("etcd v3.6.7", "kueue v0.17.0"):
            tell(program)
            hears(f"waiting for process {os.getpid()}, which builds {program}, ", 2)
        assert not is_in.is_set()
    waiting.join(patience.SECONDS)
    assert is_in.is_set()


def test_who_need_not_wait_is_told_nothing_not_even_by_what_an_ended_build_has_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / ".lock"
    for _ in range(2):
        with one_at_a_time(lock, first_word=0) as tell:
            assert lock.read_text() == ""
            tell("etcd v3.6.7")
    assert capsys.readouterr().err == ""
