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
from safetensors.torch import load_file

from ringrift_core.archive import Archive
from ringrift_core.contract import Board, Track
from ringrift_core.players.cards import ModelCard
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.store import open_store

ROOT = Path(__file__).parents[4]
SMALL = ["--games", "24", "--selfplay-games", "8", "--match-games", "2", "--first-uses", "1", "--uses", "1"]
ARGUMENTS = [*SMALL, "--generations", "2", "--match", "network:policy random", "--device", "cpu"]
TINY = ("--size", "tiny")


def begin(folder: Path, *more: str, size: tuple[str, ...] = TINY) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "benchmarks.learning.run", "--folder", str(folder), *ARGUMENTS, *size, *more],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "generations.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two generations."""
    folder = tmp_path_factory.mktemp("whole")
    process = begin(folder)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    return folder


def test_a_run_that_is_killed_in_any_stage_learns_the_same(whole: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
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


def test_a_run_starts_from_what_another_board_has_taught(whole: Path, tmp_path: Path) -> None:
    large, exported = tmp_path / "large", tmp_path / "exported"
    champion = read_registry(Archive(open_store((whole / "store").as_uri()), "square8-2p"), Track.NETWORK)
    command = ["models", "export", str(whole / "store"), "square8-2p", "network", "--to", str(exported)]
    subprocess.run([sys.executable, "-P", "-m", "ringrift_core", *command], check=True)
    few = ["--configuration", "square19-2p", "--teacher", "weights@0:one-ply", "--games", "4", "--generations", "1"]
    process = begin(large, *few, "--transfer", str(exported), size=())
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    archive = Archive(open_store((large / "store").as_uri()), "square19-2p")
    card = ModelCard.load(archive, champion_artifact(archive, Track.NETWORK, 1))
    assert (card.board, card.blocks, card.started_from) == (Board.SQUARE19, 2, f"square8@{champion.version}")
    trained = load_file(archive.get_file(card.weights, tmp_path))
    taught = load_file(exported / "weights.safetensors")
    change = sum(float((trained[name] - taught[name]).norm()) for name in taught)
    assert 0 < change < 0.5 * sum(float(tensor.norm()) for tensor in taught.values()), "not begun anew"
    process = begin(tmp_path / "other", "--configuration", "hex8-2p", "--transfer", str(exported), size=())
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 2
    assert "hexagonal-2p" in output


def test_a_folder_goes_on_with_the_settings_it_was_begun_with(tmp_path: Path) -> None:
    process = begin(tmp_path, "--minutes", "0.001")
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    assert "begin again to go on" in output
    process = begin(tmp_path, "--batch-size", "7")
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 2
    assert "batch_size 256, not 7" in " ".join(output.split())
    process = begin(tmp_path, "--batch-size", "7", "--change", "--minutes", "0.001")
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    assert json.loads((tmp_path / "settings.json").read_text())["batch_size"] == 7
    assert json.loads((tmp_path / "settings-until-0.json").read_text())["batch_size"] == 256


def wait_for(log: Path, wanted: str, process: subprocess.Popen[str]) -> None:
    while not (log.exists() and wanted in log.read_text()):
        if process.poll() is not None:
            pytest.fail(process.communicate()[0])
        time.sleep(0.05)
