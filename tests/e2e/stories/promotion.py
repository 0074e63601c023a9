"""Champions made by hand, as a person does, before a pipeline has the store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ringrift_core.contract import Board, InitialWeights
from ringrift_core.players.weights import HeuristicWeights
from tests.e2e.stories.place import BUCKET, CONFIGURATION, Place, environment_of


def promoted_by_hand(place: Place, pipeline: str, folder: Path, strength: float) -> None:
    """Makes the hand-set weights, each times `strength`, the champion of a pipeline's store."""
    hand_set = HeuristicWeights.of_setting(InitialWeights.BASELINE, Board.SQUARE8, 2)
    weights = {name: weight * strength for name, weight in hand_set.weights.items()}
    path = folder / "weights.json"
    path.write_text(json.dumps({"format": 1, "board": "square8", "players": 2, "weights": weights}))
    command = [sys.executable, "-m", "ringrift_core", "models", "promote", f"s3://{BUCKET}/{pipeline}", CONFIGURATION]
    command += ["weights", str(path), "--because", "a story wants a champion"]
    done = subprocess.run(command, env=environment_of(place.object_store), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
