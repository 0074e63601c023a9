"""Champions that move while others look at them, by `ringrift-operator local` with the real stages."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_core.archive import to_stored_json
from ringrift_core.contract import Board, InitialWeights
from ringrift_core.players.weights import HeuristicWeights
from tests import patience
from tests.unit.local.running import Local
from tests.unit.local.test_evidence import EVERYBODY_PASSES, champion, configuration, registry


def moves(local: Local) -> list[tuple[str, int]]:
    return [(move["kind"], move["version"]) for move in registry(local)["log"]]


def outcomes(local: Local) -> list[str]:
    records = [json.loads(path.read_text()) for path in sorted((local.state / "iterations").glob("*.json"))]
    return [track["decision"] for record in records for track in record["spec"]["tracks"]]


def failed(local: Local) -> int:
    counts: Any = local.status()["tasks"]
    return int(counts.get("failed", 0))


def ask_for_a_rollback(local: Local) -> None:
    path = local.folder / "pipeline.yaml"
    document = yaml.safe_load(path.read_text())
    document["metadata"]["annotations"] = {"ringrift.ai/rollback-requested": "square8-2p/weights@now"}
    path.write_text(yaml.safe_dump(document))


@pytest.mark.timeout(600)
def test_three_promotions_in_a_row_disturb_no_test_of_a_champion(tmp_path: Path) -> None:
    local = Local(tmp_path, configurations=configuration(), iterations=4, evaluation=EVERYBODY_PASSES)
    code, output = local.run()
    assert code == 0, output
    assert moves(local) == [("promote", version) for version in (1, 2, 3, 4)]
    assert failed(local) == 0
    assert "superseded" not in output, "they come in order"


@pytest.mark.timeout(600)
def test_a_rollback_that_is_asked_for_in_mid_iteration_fails_nobody(tmp_path: Path) -> None:
    """The candidate of iteration 3 was made from version 2 and is judged against it, and 2 gives way to 1 meanwhile."""
    local = Local(tmp_path, configurations=configuration(), iterations=2, evaluation=EVERYBODY_PASSES)
    code, output = local.run()
    assert (code, moves(local)) == (0, [("promote", 1), ("promote", 2)]), output
    local.write(configurations=configuration(), iterations=4, evaluation=EVERYBODY_PASSES)
    process = local.start()
    began = time.monotonic()
    while not (local.state / "tasks" / "small-square8-2p-i3-cmaes-a1.log").exists():
        assert process.poll() is None
        assert time.monotonic() - began < patience.SECONDS
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    ask_for_a_rollback(local)
    code, output = local.run()
    assert code == 0, output
    assert moves(local) == [("promote", 1), ("promote", 2), ("rollback", 1), ("promote", 4)]
    assert outcomes(local) == ["Promoted", "Promoted", "Skipped", "Promoted"]
    assert failed(local) == 0
    told = champion(local)
    assert (told["champion"], told["predecessor"]) == ("4", "1")
    assert "superseded: the champion is 1, and the candidate was judged when it was 2" in output


@pytest.mark.timeout(600)
def test_a_champion_that_is_made_by_hand_between_two_runs_is_taken_over_and_fails_nobody(tmp_path: Path) -> None:
    local = Local(tmp_path, configurations=configuration(), iterations=1, evaluation=EVERYBODY_PASSES)
    code, output = local.run()
    assert (code, moves(local)) == (0, [("promote", 1)]), output
    other = HeuristicWeights.of_setting(InitialWeights.BASELINE, Board.SQUARE8, 2)
    (tmp_path / "other.json").write_bytes(to_stored_json(other))
    command = [sys.executable, "-P", "-m", "ringrift_core", "models", "promote", str(local.store), "square8-2p"]
    subprocess.run([*command, "weights", str(tmp_path / "other.json"), "--because", "somebody wants it"], check=True)
    local.write(configurations=configuration(), iterations=3, evaluation=EVERYBODY_PASSES)
    code, output = local.run()
    assert code == 0, output
    assert moves(local) == [("promote", 1), ("promote", 2), ("promote", 3)]
    assert outcomes(local) == ["Promoted", "Skipped", "Promoted"]
    assert failed(local) == 0
    assert (champion(local)["champion"], champion(local)["predecessor"]) == ("3", "2")
    assert "weights ends iteration 2: superseded: track weights: " in output
