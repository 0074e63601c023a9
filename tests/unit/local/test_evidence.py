"""Games that nobody won, by `ringrift-operator local` with the real stages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.running import Local

EVERYBODY_PASSES = {
    "gate": "Fixed",
    "games": 8,
    "maxGames": 60,
    "promotionThreshold": 0.07,
    "regressionThreshold": 0.06,
    "baselineGames": 0,
}
"""A gate that almost any candidate passes."""


def configuration(**changes: object) -> list[dict[str, object]]:
    return [{"board": "square8", "players": 2, "bootstrapGames": 30, "gamesPerIteration": 20, **changes}]


def champion(local: Local) -> dict[str, Any]:
    found: Any = local.status()["configurations"]
    (track,) = (track for track in found[0]["tracks"] if track["name"] == "weights")
    return dict(track)


def registry(local: Local) -> dict[str, Any]:
    return json.loads((local.store / "square8-2p/registry/weights.json").read_text())  # type: ignore[no-any-return]


def degraded(local: Local) -> dict[str, Any]:
    conditions: Any = local.status()["conditions"]
    return next(dict(each) for each in conditions if each["type"] == "Degraded")


@pytest.mark.timeout(600)
def test_games_that_nobody_wins_roll_no_champion_back(tmp_path: Path) -> None:
    local = Local(tmp_path, configurations=configuration(), iterations=2, evaluation=EVERYBODY_PASSES)
    code, output = local.run()
    assert code == 0, output
    assert champion(local)["champion"] == "2"
    short = {"maxMoves": 3}
    local.write(
        configurations=configuration(**short), iterations=5, rollback={"maxConsecutiveFailures": 2},
        evaluation=EVERYBODY_PASSES,
    )  # fmt: skip
    code, output = local.run()
    assert code == 0, output
    told = champion(local)
    assert (told["champion"], told.get("consecutiveFailures", 0), told["unjudged"]) == ("2", 0, 3)
    assert [move["kind"] for move in registry(local)["log"]] == ["promote"] * 2
    assert degraded(local)["status"] == "True"
    assert "weights came to no verdict in 3 iterations in a row: refused as evidence" in degraded(local)["message"]
    assert "warning: square8-2p: selfplay: 100% of the games were cut by the move limit, more than 5%" in output
    assert "weights skipped" in output
    assert "    warning: selfplay: 100% of the games were cut by the move limit, more than 5%" in output
    assert "refused as evidence: in each of 3 generations more than 50% of the games were cut" in output
