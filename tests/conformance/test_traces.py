"""Every recorded game and hand-made position, through the command that users type."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ringrift_core.contract import STAGE_PROGRAM


def conform(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*STAGE_PROGRAM, "conform", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def test_canonical_games_and_positions_agree(traces: Path) -> None:
    run = conform("--profile", "canonical", traces / "canonical", traces / "positions.jsonl")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report == {"games": 354, "steps": 84363, "positions": 43, "mismatches": 0}


def test_deployed_games_agree(traces: Path) -> None:
    run = conform("--profile", "deployed", traces / "deployed")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {"games": 240, "steps": 53132, "positions": 0, "mismatches": 0}


def test_a_difference_is_named_and_fails_the_command(traces: Path, tmp_path: Path) -> None:
    lines = sorted((traces / "canonical").glob("square8_2p*"))[0].read_text().splitlines()
    lines[5] = lines[5].replace('"elim":[0,0]', '"elim":[1,0]')
    changed = tmp_path / "changed.jsonl"
    changed.write_text("\n".join(lines))
    run = conform(changed)
    assert run.returncode == 1
    assert json.loads(run.stdout.splitlines()[-1])["mismatches"] == 1
    shown = run.stdout + run.stderr
    assert "step 4" in shown
    assert "elim" in shown
    assert str(changed) in shown
