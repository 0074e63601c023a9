"""A stage that needs more memory than its control group has, under the real `local`: a real group, version 1 (root)."""

from __future__ import annotations

import re
from pathlib import Path

from tests.control_groups import real_group, run_within
from tests.faults.workshop import Record, Said
from tests.unit.local.running import COMMAND, Local

LIMIT = 200


def test_a_night_that_the_kernel_ended_is_no_completion(tmp_path: Path, record: Record) -> None:
    Local(tmp_path, tracks=["network"], iterations=1, network={"bootstrapEpochs": 1})
    with real_group("memory", {"memory.limit_in_bytes": f"{LIMIT}M"}) as group:
        done = run_within([group], [*COMMAND, "-f", "pipeline.yaml", "--plain"], cwd=tmp_path)
        record(f"{LIMIT} MB of memory", "local", Said(done.returncode, f"local: {_why(done.stdout)}"))
        assert done.returncode == 1, done.stdout
        said = (
            r"small cannot go on: square8-2p: iteration 1 was the last and came to nothing: "
            r"network failed: train failed: "
            r"exit code 137: OOMKilled: the kernel ended it for want of memory: it took [0-9.]+Mi when last seen, "
            rf"and its control group has {LIMIT}Mi for all in it \({group}/memory\.limit_in_bytes\)"
        )
        assert re.search(said, done.stdout), done.stdout
        assert "is complete" not in done.stdout
        again = run_within([group], [*COMMAND, "-f", "pipeline.yaml", "--plain"], cwd=tmp_path)
        assert again.returncode == 1, again.stdout


def _why(output: str) -> str:
    return next((line for line in output.splitlines() if "cannot go on" in line), output)
