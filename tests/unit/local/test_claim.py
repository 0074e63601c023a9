"""`ringrift-operator local` beside another cluster on the same store, with the real stages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from ringrift_core.contract import STAGE_PROGRAM
from ringrift_operator.local.machine import machine_name
from tests.unit.local.running import Local

CLUSTER = "7f3c0f4e-4a8c-4d2f-9d55-7a2a6f1f3c11"


def claim_for_a_cluster(local: Local) -> None:
    place = ["--store", local.store.as_uri(), "--board", "square8", "--players", "2"]
    subprocess.run([*STAGE_PROGRAM, "adopt", *place, "--holder", f"{CLUSTER}/games/demo"], check=True)


def claim(local: Local) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((local.store / "square8-2p" / "claim.json").read_text(encoding="utf-8"))
    return found


def test_a_store_that_a_cluster_has_is_left_alone_until_somebody_asks_for_it(tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    claim_for_a_cluster(local)
    code, output = local.run()
    assert code == 1
    assert f"is held by pipeline games/demo of cluster {CLUSTER}" in output
    assert "annotate this one with ringrift.ai/take-over-requested-at=<time> in its file" in output
    assert not (local.store / "square8-2p" / "games.json").exists()
    assert claim(local)["holder"]["cluster"] == CLUSTER, "what is another's is not given back"

    path = local.folder / "pipeline.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["metadata"]["annotations"] = {"ringrift.ai/take-over-requested-at": "today"}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    code, output = local.run()
    assert code == 0, output
    assert f"the store was claimed by {CLUSTER}/games/demo, and is taken over as requested" in output
    assert claim(local) == {"contractVersion": claim(local)["contractVersion"], "holder": None, "renewedAt": None}


def test_while_it_runs_the_store_is_its_own(tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    process = local.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "begins with" in line:
                break
        assert claim(local)["holder"] == {"cluster": machine_name(), "namespace": "local", "pipeline": "small"}
    finally:
        process.terminate()
        process.communicate(timeout=120)
    assert claim(local)["holder"] is None, "given back, though it was stopped"
    code, output = local.run()
    assert code == 0, output
