"""Two pipelines that 0.1.0 left in mid-iteration, gone on with by today's `local`: they end as they would have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.contract import STAGE_PROGRAM, AdoptParameters, Board, to_arguments
from tests.upgrade.end import truth

RELEASED = Path(__file__).parent / "released_0_1_0"
COMMAND = (sys.executable, "-P", "-m", "ringrift_operator", "local", "-f", "pipelines.yaml", "--plain")


def taken_up(folder: Path) -> Path:
    """The stores and the state of `local`, where a command finds them."""
    (folder / "pipelines.yaml").write_bytes((RELEASED / "pipelines.yaml").read_bytes())
    with tarfile.open(RELEASED / "ringrift-data.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "ringrift-data"


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        [*COMMAND, *options], cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def by_maker(end: dict[str, Any]) -> dict[str, Any]:
    """What a run ended with, three of its digests said by who made the file.

    Games are recorded with the policies of today's search (which moves were played is in their ids, compared as they
    are), and the last digits of a search of weights are those of the machine's floating point.
    """
    (segment,) = end["bootstrapping/hex8-2p/games"]["segments"]
    made = {
        segment["artifact"]["sha256"]: "merge",
        end["bootstrapping/hex8-2p/i0001/selfplay-s0001"]["games"]: "selfplay",
        end["improving/square8-2p/i0003/cmaes"]["candidate"]: "cmaes",
    }

    def said(value: Any) -> Any:
        match value:
            case {"sha256": digest, **rest} if digest in made:
                return {"uri": said(rest["uri"]), "sha256": made[digest]}
            case dict():
                return {name: said(each) for name, each in value.items()}
            case list():
                return [said(each) for each in value]
            case str():
                return reduce(lambda text, digest: text.replace(digest, made[digest]), made, value)
            case _:
                return value

    found: dict[str, Any] = said(end)
    return found


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The data and the output of a run from the fixture to the end."""
    folder = tmp_path_factory.mktemp("upgraded")
    data = taken_up(folder)
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return data, done.stdout


@pytest.mark.timeout(600)
def test_games_champions_verdicts_and_totals_are_those_of_0_1_0(ended: tuple[Path, str]) -> None:
    wanted = by_maker(json.loads((RELEASED / "end.json").read_text(encoding="utf-8")))
    found = by_maker(truth(ended[0]))
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == value, name


@pytest.mark.timeout(600)
def test_what_was_finished_was_not_begun_again(ended: tuple[Path, str]) -> None:
    told = [json.loads(line) for line in (ended[0] / "_local/improving/events.jsonl").read_text().splitlines()]
    assert not [each for each in told if each["type"] == "Warning"]
    logs = {path.name: path.read_text() for path in ended[0].glob("_local/*/tasks/*.log")}
    assert "going on after generation" in logs["improving-square8-2p-i3-cmaes-a1.log"]
    games = logs["bootstrapping-hex8-2p-i1-selfplay-desk-0-a2.log"]
    assert "shard 0 is finished already" in games
    assert "shard 1 goes on from" in games
    assert [name for name in logs if "-a2." in name] == ["bootstrapping-hex8-2p-i1-selfplay-desk-0-a2.log"]


@pytest.mark.timeout(600)
def test_a_store_of_both_is_adopted_as_one(ended: tuple[Path, str]) -> None:
    """Two iterations were recorded by 0.1.0, and a part of the third."""
    data = ended[0]
    records = sorted(path.name for path in data.glob("_local/improving/iterations/*.json"))
    assert records == [f"improving-square8-2p-i{number}.json" for number in (1, 2, 3)]
    asked = AdoptParameters(store=(data / "improving").as_uri(), board=Board.SQUARE8, players=2)
    command = [*STAGE_PROGRAM, *to_arguments(asked), "--result", str(data / "adopted.json")]
    adopted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert adopted.returncode == 0, adopted.stderr
    result = json.loads((data / "adopted.json").read_text())["result"]
    assert (result["iteration"], result["games"], result["promotions"]) == (3, 56, 3)
