"""kill -9 of `local` at random moments changes nothing but the time it takes.

RINGRIFT_KILLS and RINGRIFT_KILL_TRACKS ask for more than the two kills of an ordinary test run:

    RINGRIFT_KILLS=10 RINGRIFT_KILL_TRACKS=weights,network pytest tests/unit/local/test_kill.py
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests import patience
from tests.unit.local.running import Local

KILLS = int(os.environ.get("RINGRIFT_KILLS", "2"))
TRACKS = os.environ.get("RINGRIFT_KILL_TRACKS", "weights").split(",")


@pytest.mark.timeout(600 + 120 * KILLS)
@pytest.mark.skipif(sys.platform != "linux", reason="children die with their parent on Linux")
def test_killed_at_random_moments_it_comes_to_the_same_end(tmp_path: Path) -> None:
    network = {"bootstrapEpochs": 2, "epochs": 1}
    # The same folder for both runs: artifacts may name their store.
    local = Local(tmp_path / "run", tracks=TRACKS, network=network)
    began = time.monotonic()
    code, output = local.run()
    undisturbed_seconds = time.monotonic() - began
    assert code == 0, output
    undisturbed = local.truth()
    games = local.status()["games"]
    shutil.move(local.folder, tmp_path / "undisturbed")

    local = Local(tmp_path / "run", tracks=TRACKS, network=network)
    moments = random.Random(20260101)
    kills = 0
    done = False
    while not done and kills < KILLS:
        process = local.start()
        # Fractions of a whole run, so that some kills come early and some in the middle of things.
        delay = moments.uniform(0.3, max(1.0, 2 * undisturbed_seconds / KILLS))
        try:
            process.wait(timeout=delay)
            done = True
        except Exception:
            process.kill()
            kills += 1
        process.communicate()
        deadline = time.monotonic() + patience.SECONDS
        while local.processes():
            assert time.monotonic() < deadline, f"left behind: {local.processes()}"
            time.sleep(0.05)
    code, output = local.run()
    assert code == 0, output
    print(json.dumps({"kills": kills, "undisturbed_seconds": round(undisturbed_seconds, 1), "games": games}))
    assert kills > 0
    assert local.status()["games"] == games
    assert local.truth() == undisturbed
