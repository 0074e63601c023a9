"""A run of learning in a folder: what it leaves, and that no kill changes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]
SMALL = ["--games", "24", "--selfplay-games", "8", "--match-games", "2", "--first-uses", "1", "--uses", "1"]
ARGUMENTS = [*SMALL, "--size", "tiny", "--generations", "2", "--match", "network:policy random", "--device", "cpu"]


def begin(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "benchmarks.learning.run", "--folder", str(folder), *ARGUMENTS, *more],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "generations.jsonl").read_text().splitlines()]


def test_a_run_that_is_killed_in_any_stage_learns_the_same(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = begin(whole)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    first, second = lines_of(whole)
    assert (first["self_played_by"], second["self_played_by"]) == (None, 0)
    assert (first["new_games"], second["games"] <= 32) == (24, True)
    assert second["regression"]["decision"] in ("Keep", "Regressed")
    assert (whole / "networks" / "0001.onnx").exists()
    assert 0 < first["core_hours"] < second["core_hours"]
    for stage in ("selfplay", "train"):
        process = begin(killed)
        wait_for(killed / "log.txt", f'"stage":"{stage}"', process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = begin(killed)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    assert [line["network"] for line in lines_of(killed)] == [line["network"] for line in lines_of(whole)]


def test_a_folder_goes_on_with_the_settings_it_was_begun_with(tmp_path: Path) -> None:
    process = begin(tmp_path, "--minutes", "0.001")
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    assert "begin again to go on" in output
    process = begin(tmp_path, "--batch-size", "7")
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 2
    assert "batch_size 256, not 7" in " ".join(output.split())


def wait_for(log: Path, wanted: str, process: subprocess.Popen[str]) -> None:
    while not (log.exists() and wanted in log.read_text()):
        if process.poll() is not None:
            pytest.fail(process.communicate()[0])
        time.sleep(0.05)
