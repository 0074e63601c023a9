"""Matches of two players at a fixed count each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ringrift_core.contract import Board, NetworkSize
from ringrift_core.nn.network import NetworkShape
from ringrift_core.nn.quantised import export_untrained

ROOT = Path(__file__).parents[4]


def match(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "benchmarks.learning.match", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
    )


def test_beside_a_search_with_a_network_stands_the_same_search_with_one_that_knows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    export_untrained(NetworkShape.of_size(Board.HEX8, 2, NetworkSize.TINY), 1, file)
    candidate = f"network={file}:puct:4"
    few = ["--board", "hex8", "--games", "2", "--untrained", "tiny", "--json"]
    played = match("--candidate", candidate, "--opponent", "random", "--opponent", "weights@0:one-ply", *few)
    assert played.returncode == 0, played.stderr
    lines = [json.loads(line) for line in played.stdout.splitlines()]
    assert [(line["candidate"], line["opponent"]) for line in lines] == [
        (candidate, "random"),
        (candidate, "weights@0:one-ply"),
        ("untrained tiny:puct:4", "random"),
        ("untrained tiny:puct:4", "weights@0:one-ply"),
        (candidate, "untrained tiny:puct:4"),
    ]
    assert all(line["candidate_cost"]["decisions"] > 0 for line in lines)
    # The candidate of this test knows nothing either: the same games.
    assert [line["rate"] for line in lines[:2]] == [line["rate"] for line in lines[2:4]]
    refused = match("--candidate", "weights@0:one-ply", "--opponent", "random", *few)
    assert refused.returncode == 2
    assert "weights@0:one-ply asks no network" in " ".join(refused.stderr.replace("│", " ").split())


def test_a_count_is_found_that_takes_as_long_and_a_repeat_goes_on_with_it(tmp_path: Path) -> None:
    few = ["--board", "hex8", "--games", "2", "--equal-time", "--json", "--pieces", str(tmp_path / "pieces.jsonl")]
    players = ("--candidate", "weights@0:minimax:20", "--opponent", "weights@0:minimax:2000")
    played, again = match(*players, *few), match(*players, *few)
    assert played.returncode == 0, played.stderr
    assert again.stdout == played.stdout
    name = json.loads(played.stdout)["candidate"]
    assert f"{name} over weights@0:minimax:2000: 2 of at least 2 games" in " ".join(played.stderr.split())
    assert name.startswith("weights@0:minimax:")
    assert 500 < int(name.rpartition(":")[2]) < 8000
    refused = match("--candidate", "weights@0:one-ply", "--opponent", "random", *few)
    assert refused.returncode == 2
    assert "weights@0:one-ply has no count" in " ".join(refused.stderr.replace("│", " ").split())


def test_a_count_is_found_that_takes_as_long_one_at_a_time() -> None:
    few = ["--board", "hex8", "--games", "2", "--equal-time-alone", "--json"]
    players = ["--candidate", "weights@0:minimax:20", "--opponent", "weights@0:minimax:2000"]
    played = match(*players, *few, "--alone", "16")
    assert played.returncode == 0, played.stderr
    told = json.loads(played.stdout)
    assert 500 < int(told["candidate"].rpartition(":")[2]) < 8000
    assert 0.5 < told["alone"]["time_ratio"] < 2
    for wrong, sentence in ([], "--alone says by how many"), (["--alone", "4", "--equal-time"], "cannot take both"):
        refused = match(*players, *few, *wrong)
        assert refused.returncode == 2
        assert sentence in " ".join(refused.stderr.replace("│", " ").split())
