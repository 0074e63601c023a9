"""Writes the fixture of a store and a state of `local` in mid-iteration, as one version leaves them.

    PYTHON tests/upgrade/write_local.py FOLDER

PYTHON is the interpreter of an installation of that version (of commit bdc4850 for released_0_1_0), FOLDER holds
pipelines.yaml. The run is stopped in the middle, packed, and then gone on with by the same version to its end:

    ringrift-data.tar.xz    stores and state, killed with the search of weights of `improving` and the self-play of
                            `bootstrapping` under way; networks and datasets, which nobody opens again, left out
    end.json                what that version ended with (`truth` in tests/upgrade/end.py)
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.upgrade.end import truth

COMMAND = (sys.executable, "-P", "-m", "ringrift_operator", "local", "-f", "pipelines.yaml", "--plain")
LEFT_OUT = (".onnx", ".safetensors", ".npz")
SECONDS = 300


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "pipelines.yaml").write_bytes((folder / "pipelines.yaml").read_bytes())
        data = place / "ringrift-data"
        run_to_the_middle(place, data)
        with tarfile.open(folder / "ringrift-data.tar.xz", "w:xz", preset=9) as archive:
            for path in sorted(data.rglob("*")):
                if path.is_file() and path.suffix not in LEFT_OUT and path.name != "lock":
                    archive.add(path, path.relative_to(place), filter=_without_owner)
        subprocess.run(COMMAND, cwd=place, check=True)
        end = json.dumps(truth(data), indent=1, sort_keys=True)
        (folder / "end.json").write_text(end + "\n", encoding="utf-8")


def run_to_the_middle(place: Path, data: Path) -> None:
    """Holds up a process of each pipeline, lets the rest run, and kills all."""
    operator = subprocess.Popen(COMMAND, cwd=place)
    try:
        shards = data / "bootstrapping/hex8-2p/tasks/i0001"
        eventually(lambda: any(shards.glob("selfplay-s????.json")))
        games = process_of(data, "bootstrapping", "selfplay")
        os.kill(games, signal.SIGSTOP)
        checkpoint = data / "improving/square8-2p/tasks/i0003/cmaes.checkpoint.json"
        eventually(lambda: checkpoint.exists() and json.loads(checkpoint.read_text())["number"] >= 3)
        os.kill(process_of(data, "improving", "cmaes"), signal.SIGSTOP)
        eventually(lambda: {*phases(data, "improving")} == IMPROVING)
        # As on a node that is drained: what was played is saved to the store, and the task waits for its next try.
        os.kill(games, signal.SIGTERM)
        os.kill(games, signal.SIGCONT)
        eventually(lambda: {*phases(data, "bootstrapping")} == BOOTSTRAPPING)
    finally:
        operator.kill()
        operator.wait()


IMPROVING = {
    ("cmaes", "Running"),
    ("evaluate-weights", "Pending"),
    *(
        (each, "Succeeded")
        for each in ("selfplay", "merge", "export", "train", "evaluate-network", "regression-weights")
    ),
}
BOOTSTRAPPING = {
    ("selfplay", "Pending"),
    ("merge", "Pending"),
    *((each, "Succeeded") for each in ("cmaes", "evaluate-weights")),
}


def phases(data: Path, pipeline: str) -> Iterator[tuple[str, str]]:
    """Name and phase of the tasks of the iteration under way."""
    status: dict[str, Any] = json.loads((data / f"_local/{pipeline}/pipeline.json").read_text())["status"]
    for task in status["configurations"][0]["tasks"]:
        yield task["name"], task.get("phase", "Pending")


def process_of(data: Path, pipeline: str, stage: str) -> int:
    """The process of a pipeline's running stage."""
    (path,) = (data / f"_local/{pipeline}/tasks").glob(f"*-{stage}-*.pid")
    return int(path.read_text().split()[0])


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the run did not come to its middle"
        time.sleep(0.01)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


if __name__ == "__main__":
    main(Path(sys.argv[1]))
