from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ringrift_core.cli import app

ARCHIVE = Path(__file__).parents[2] / "conformance" / "traces.tar.xz"


def conform(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["conform", *map(str, arguments)])


def counts(result: Result) -> dict[str, int]:
    found: dict[str, int] = json.loads(result.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recorded game of each profile, and the hand-made positions."""
    folder = tmp_path_factory.mktemp("traces")
    wanted = {"positions.jsonl", "hex8_2p_s0001.jsonl", "hex8_2p_s1005.jsonl"}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and Path(member.name).name in wanted:
                (folder / Path(member.name).name).write_bytes(content.read())
    assert {file.name for file in folder.iterdir()} == wanted
    return folder


def test_equal_games_and_positions_are_counted(traces: Path) -> None:
    result = conform(traces / "hex8_2p_s0001.jsonl", traces / "positions.jsonl")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    found = counts(result)
    assert list(found) == ["games", "steps", "positions", "mismatches"]
    assert found["games"] == 1
    assert found["steps"] > 100
    assert found["positions"] > 40
    assert found["mismatches"] == 0
    deployed = conform("--profile", "deployed", traces / "hex8_2p_s1005.jsonl")
    assert (deployed.exit_code, counts(deployed)["mismatches"]) == (0, 0)


def test_a_folder_is_searched(traces: Path) -> None:
    assert counts(conform("--profile", "deployed", traces))["games"] == 2


def test_a_difference_is_told_readably_and_fails(traces: Path, tmp_path: Path) -> None:
    lines = (traces / "hex8_2p_s0001.jsonl").read_text().splitlines()
    step = json.loads(lines[10])
    step["after"]["hand"][0] -= 1
    lines[10] = json.dumps(step)
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(gzip.compress("\n".join(lines).encode()))
    result = conform(damaged)
    assert result.exit_code == 1
    assert counts(result)["mismatches"] == 1
    for part in ("damaged.jsonl.gz, line 11", "rule:", "expected:", "found:", "hand"):
        assert part in result.stdout


def test_a_path_that_is_not_there_is_named_and_the_others_are_replayed(traces: Path, tmp_path: Path) -> None:
    result = conform(tmp_path / "nothing.jsonl", traces / "hex8_2p_s0001.jsonl", tmp_path)
    assert result.exit_code == 2
    missing, empty = result.stderr.splitlines()
    assert missing.startswith("ringrift conform: ")
    assert "nothing.jsonl" in missing
    assert str(tmp_path) in empty
    assert "no .jsonl" in empty
    found = counts(result)
    assert (found["games"], found["mismatches"]) == (1, 0)
    assert counts(conform(tmp_path)) == {"games": 0, "steps": 0, "positions": 0, "mismatches": 0}


def test_a_file_that_is_no_trace_is_a_difference(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text('{"engine": "x"\n')
    result = conform(tmp_path / "broken.jsonl")
    assert (result.exit_code, counts(result)["mismatches"]) == (1, 1)
