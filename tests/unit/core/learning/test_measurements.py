"""What the benchmarks of learning tell, on a small scale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.equal_time import CLOSE, PILOTS, count_that_takes
from benchmarks.learning.curve import FIXED, curve_of
from benchmarks.learning.flipped import Trial
from ringrift_core.archive import Archive
from ringrift_core.contract import Board, Track
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.players.specification import Judge, JudgeKind
from ringrift_core.registry.records import read_registry
from ringrift_core.seating import Judges
from ringrift_core.store import open_store

ROOT = Path(__file__).parents[4]


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", f"benchmarks.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
    )


def told(module: str, *arguments: str) -> dict[str, Any]:
    ran = run(module, *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def generation(number: int, *shares: tuple[str, float]) -> dict[str, Any]:
    matches = [{"candidate": "network:policy", "opponent": name, "games": 40, "share": share} for name, share in shares]
    return {"generation": number, "core_hours": number / 2, "matches": matches}


def test_a_curve_rates_generations_by_whom_they_all_met() -> None:
    lines = [generation(0, (FIXED, 0.5), ("random", 0.9)), generation(1, (FIXED, 0.75), ("random", 0.975))]
    first, second = (point["elo"]["network:policy"] for point in curve_of(lines, 2))
    assert abs(first[0]) < 40
    assert second[0] - first[0] > 100
    assert second[1] < second[0] < second[2]
    # Of three seats an equal player wins a third.
    (equal,) = curve_of([generation(0, (FIXED, 1 / 3))], 3)
    assert abs(equal["elo"]["network:policy"][0]) < 30


def test_a_curve_without_the_player_it_counts_from_is_refused(tmp_path: Path) -> None:
    lines = tmp_path / "generations.jsonl"
    lines.write_text(json.dumps(generation(0, ("random", 0.9))) + "\n" + '{"generation": 1, "cor')
    refused = run("learning.curve", "--generations", str(lines), "--configuration", "square8-2p")
    assert refused.returncode == 2
    assert f"no generation has played against {FIXED}" in " ".join(refused.stderr.replace("│", " ").split())


def test_elo_over_time_goes_on_with_its_pieces(tmp_path: Path) -> None:
    pieces = tmp_path / "pieces.jsonl"
    kinds = ["--kind", "alpha-beta=weights@0:minimax", "--kind", "descent=weights@0:descent"]
    few = ["--configuration", "hex8-3p", *kinds, "--ms", "0.1,0.4", "--decisions", "4", "--pieces", str(pieces)]
    counted = told("ladder.over_time", *few, "--games", "0")
    assert counted["matches"] == []
    few += ["--games", "3"]
    found = told("ladder.over_time", *few)
    names = {f"{kind} {ms} ms" for kind in ("alpha-beta", "descent") for ms in ("0.1", "0.4")}
    assert found["players"].keys() == names
    assert len(found["matches"]) == 4
    for name, one in found["players"].items():
        assert one["count"] == counted["players"][name]["count"] >= 1
        assert one["took"] == counted["players"][name]["took"] > 0
        assert one["core_milliseconds"] > 0
        assert one["elo"][1] <= one["elo"][0] <= one["elo"][2]
    kept = pieces.read_text()
    pieces.write_text(kept + '{"cut')
    again = told("ladder.over_time", *few)
    assert again == found
    refused = run("ladder.over_time", *few, "--ms", "0")
    assert refused.returncode == 2
    assert "--ms 0" in refused.stderr


def test_a_ladder_goes_on_with_its_pieces(tmp_path: Path) -> None:
    pieces = tmp_path / "ladder.jsonl"
    few = ["--board", "hex8-3p", "--pairs", "2:1,3:2", "--decisions", "2", "--pieces", str(pieces)]
    begun = told("ladder.measure", *few, "--games", "6")["ladder"]["hex8-3p"]
    assert begun["pairs"]["2:1"]["games"] == 6
    assert begun["pairs"]["2:1"]["rate"] > 0.5
    assert begun["rungs"].keys() == {"1", "2", "3"}
    kept = pieces.read_text()
    pieces.write_text(kept + '{"cut')
    found = told("ladder.measure", *few, "--games", "9")["ladder"]["hex8-3p"]
    assert {pair: of["games"] for pair, of in found["pairs"].items()} == {"2:1": 9, "3:2": 9}
    assert pieces.read_text().startswith(kept)
    assert [json.loads(line)["first_group"] for line in pieces.read_text().splitlines()] == [0, 0, 2, 2]
    again = told("ladder.measure", *few, "--games", "9")["ladder"]["hex8-3p"]
    assert (again["pairs"], again["elo"]) == (found["pairs"], found["elo"])


def test_judges_are_measured_on_the_same_positions() -> None:
    few = ["--configuration", "hex8-2p", "--configuration", "hexagonal-4p", "--seconds", "0.1", "--positions", "3"]
    found = told("nnue.measure", *few, "--depth", "1")
    assert found.keys() == {"hex8-2p", "hexagonal-4p"}
    for judges in found.values():
        assert {"linear", "nnue portable"} <= judges.keys()
        assert judges["linear"]["of linear's"] == 1
        for figures in judges.values():
            assert figures["nodes/s"] == pytest.approx(figures["of linear's"] * judges["linear"]["nodes/s"])
            assert figures["depth 1, ms"] > 0


def test_training_is_measured_beside_a_plain_loop() -> None:
    found = told("training.plain", "--steps", "2", "--rounds", "1")
    assert found["loops"].keys() == {"ringrift train", "plain"}
    assert 0 <= found["waits_for_positions"] < 1
    assert found["ratio"] > 0


def test_the_ceiling_table_has_every_judge_and_goes_on_with_its_pieces(tmp_path: Path) -> None:
    kept = ["--pieces", str(tmp_path / "ceiling.jsonl")]
    few = [*kept, "--positions", "10", "--teacher", "weights@0:one-ply", "--network", "tiny"]
    of_60 = told("learning.ceiling", *few, "--games", "60")
    few += ["--games", "60,120"]
    found = told("learning.ceiling", *few)
    losses = found["losses"]
    assert (losses["60"], found["repeats"]) == (of_60["losses"]["60"], of_60["repeats"])
    assert told("learning.ceiling", *few) == found
    # Games that go on from those of 60 are those that are played at once.
    anew = [*few[2:], "--pieces", str(tmp_path / "anew.jsonl"), "--games", "120", "--positions", "0"]
    assert told("learning.ceiling", *anew)["losses"] == {"120": losses["120"]}
    assert losses.keys() == {"60", "120"}
    for of_games in losses.values():
        assert of_games.keys() == {"nothing", "hand_set", "regression", "mlp", "network"}
        assert 0.3 < of_games["network"] < 1
    refused = run("learning.ceiling", *few, "--games", "1")
    assert refused.returncode == 2
    assert "too few" in refused.stderr


def test_searches_of_weights_are_measured_by_length() -> None:
    few = ["--seeds", "2", "--generations", "1,2", "--population", "4", "--games", "2", "--groups", "10"]
    short, long = told("learning.measure", *few)["searches"]
    assert (short["games"], long["games"]) == (8, 16)
    for one in (short, long):
        assert one["core_seconds"] > 0
        assert len(one["start"]) == len(one["baseline"]) == 2
    for wrong in ("5;6", "5,0"):
        refused = run("learning.measure", *few, "--generations", wrong)
        assert refused.returncode == 2
        assert wrong in refused.stderr


def test_flipped_outcomes_are_those_of_the_seat_after_and_all_else_is_as_it_was(tmp_path: Path) -> None:
    trial = Trial(Board.SQUARE8, 3, 6, 1, tmp_path)
    columns = {}
    for labels, dataset in trial.datasets().items():
        (shard,) = DatasetManifest.load(trial.archive, dataset).shards
        with np.load(trial.archive.get_file(shard.artifact, tmp_path)) as file:
            columns[labels] = {name: file[name] for name in file.files}
    true, flipped = columns["true"], columns["flipped"]
    assert true.keys() == flipped.keys()
    assert {name for name in true if not np.array_equal(true[name], flipped[name], equal_nan=True)} == {
        "outcomes",
        "values",
    }
    assert np.array_equal(flipped["outcomes"][:, [1, 2, 0]], true["outcomes"])
    assert np.array_equal(flipped["values"][:, [1, 2, 0]], true["values"], equal_nan=True)


@given(time_of_one=st.floats(1e-4, 1), first=st.integers(1, 5000))
@example(time_of_one=0.6875, first=2)  # 0.6875 and 1.375 of the time: by the logarithm the latter is closer
def test_a_count_is_found_that_takes_the_wanted_time(time_of_one: float, first: int) -> None:
    tried: dict[int, float] = {}
    pilots = 0

    def time_ratio(count: int) -> float:
        nonlocal pilots
        pilots += 1
        return tried.setdefault(count, time_of_one * count)

    count, ratio = count_that_takes(time_ratio, first)
    assert ratio == tried[count]
    assert all(abs(ratio - 1) <= abs(other - 1) for other in tried.values())
    assert abs(ratio - 1) <= max(CLOSE, time_of_one / 2 + 1e-9)
    assert next(iter(tried)) == first
    assert pilots <= PILOTS


def test_an_nnue_is_distilled_from_a_folders_network_and_a_repeat_goes_on(tmp_path: Path) -> None:
    arguments = (
        "--folder", str(tmp_path), "--configuration", "square8-2p",
        "--network", str(ROOT / "results" / "square8-2p" / "teacher-nnue-0000"),
        "--play", "12 0.25 weights@0:one-ply", "--play", "4 0.1 network:gumbel:4",
        "--positions", "300", "--epochs", "1",
    )  # fmt: skip
    first, again = run("nnue.distill", *arguments), run("nnue.distill", *arguments)
    assert first.returncode == 0, first.stderr
    told_first, told_again = json.loads(first.stdout), json.loads(again.stdout)
    assert told_first["positions"] == 300
    assert {**told_again, "wall": 0, "core_seconds": 0} == {**told_first, "wall": 0, "core_seconds": 0}
    Judges(Board.SQUARE8, 2, None, tmp_path).of(Judge(JudgeKind.NNUE, file=tmp_path / "nnue.safetensors"))
    games = Archive(open_store((tmp_path / "store").as_uri()), "square8-2p")
    assert read_registry(games, Track.NETWORK).version == 1
    refused = run("nnue.distill", *arguments[:6], "--play", "12 weights@0:one-ply")
    assert refused.returncode == 2
    assert "'12 weights@0:one-ply': expected games, a share of random moves and a player" in " ".join(
        refused.stderr.replace("│", " ").split()
    )
