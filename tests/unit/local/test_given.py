"""How `ringrift-operator local` is given its files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.unit.local.running import COMMAND, PIPELINE

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}}
CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "games"}}
POOL = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "WorkerPool",
    "metadata": {"name": "small"},
    "spec": {"type": "Cluster", "slots": [{"name": "a", "stages": ["selfplay"], "resources": {"memory": "1Gi"}}]},
}


def dry_run(folder: Path, *options: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options, "--dry-run"], input=given, capture_output=True, text=True, cwd=folder, check=False
    )


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps], ids=["YAML", "JSON"])
def test_a_list_on_standard_input(write: object, tmp_path: Path) -> None:
    given = {"apiVersion": "v1", "kind": "List", "items": [SECRET, CLAIM, PIPELINE]}
    done = dry_run(tmp_path, "-f", "-", given=write(given))  # type: ignore[operator]
    assert done.returncode == 0, done.stderr
    assert "small: square8-2p: iteration 1: selfplay of 60 games" in done.stdout
    assert done.stderr == "ringrift-operator local: left to kubectl: Secret/keys\n"


def test_a_folder_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "pipeline.yml").write_text(yaml.safe_dump(PIPELINE))
    (tmp_path / "pool.json").write_text(json.dumps(POOL))
    done = dry_run(tmp_path, "-f", "in", "--file", "pool.json")
    assert done.returncode == 0, done.stderr
    assert "would stand still: no WorkerPool takes cmaes of square8-2p" in done.stdout, "the pool was read"


def test_what_is_wrong_on_standard_input_is_named(tmp_path: Path) -> None:
    done = dry_run(tmp_path, "-f", "-", given="a: [")
    assert done.returncode == 2
    assert done.stderr.startswith("standard input: line 1, column 5: is not YAML")


def test_closed_standard_input_is_empty_and_named(tmp_path: Path) -> None:
    command = 'exec "$@" <&-'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *COMMAND, "-f", "-"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (2, "ringrift-operator local: standard input holds no TrainingPipeline\n")
