"""kill -9 of self-play, merge and export at random moments: their repeats come to the end of an undisturbed run.

Each stage is killed RINGRIFT_DATA_KILLS times (two in an ordinary test run), at moments drawn over the time that it
took undisturbed, up to four times before it may end:

    RINGRIFT_DATA_KILLS=20 RINGRIFT_DATA_GAMES=40000 pytest -s tests/unit/core/test_killed_data.py
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ringrift_core.archive import Archive
from ringrift_core.contract import (
    STAGE_PROGRAM,
    Board,
    EngineMode,
    ExportParameters,
    MergeParameters,
    SelfplayParameters,
    StageParameters,
    to_arguments,
)
from ringrift_core.replay.games import RecordedGame, read_games
from ringrift_core.replay.manifest import read_manifest
from ringrift_core.store import LocalStore

KILLS = int(os.environ.get("RINGRIFT_DATA_KILLS", "2"))
GAMES = int(os.environ.get("RINGRIFT_DATA_GAMES", "4000"))
MOST_IN_A_ROW = 4
SEED = 20


def _shards(stage: str) -> str:
    """Of `selfplay` all of them, of `selfplay 2` that one."""
    return f"{stage.partition(' ')[2] or '0-3'}/4"


class Place:
    """A store in a folder, and a folder for work that outlives a killed process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalStore(folder / "store")

    @property
    def archive(self) -> Archive:
        return Archive(self.store, "square8-2p")

    def parameters(self, stage: str, attempt: int) -> StageParameters:
        here = {"store": self.store.uri, "board": Board.SQUARE8, "players": 2, "iteration": 1, "attempt": attempt}
        if stage.startswith("selfplay"):
            modes = (EngineMode.RANDOM_ONLY, EngineMode.RANDOM_ONLY, EngineMode.HEURISTIC_ONLY)
            return SelfplayParameters(**here, seed=1, games=GAMES, shard=_shards(stage), engine_modes=modes)
        if stage == "export":
            return ExportParameters(**here, seed=1)
        return MergeParameters(**here, while_playing=stage == "sync")

    def start(self, stage: str, attempt: int) -> subprocess.Popen[bytes]:
        arguments = to_arguments(self.parameters(stage, attempt))
        command = [*STAGE_PROGRAM, *arguments, "--work-dir", str(self.folder / "work")]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)

    def finish(self, stage: str, attempt: int = 1) -> float:
        """Runs a stage to its end; returns its seconds."""
        began = time.monotonic()
        assert self.start(stage, attempt).wait(300) == 0
        return time.monotonic() - began

    def files(self) -> set[Path]:
        """Whatever lies in the store or beside it now."""
        return set(self.folder.rglob("*"))

    def copy(self, folder: Path) -> Place:
        shutil.copytree(self.folder, folder)
        return Place(folder)

    def truth(self) -> dict[str, object]:
        """Games, records and datasets, without clock times: what no kill may change."""
        found: dict[str, object] = {}
        for iteration, task in self.archive.tasks():
            record = self.archive.record(iteration, task)
            assert record is not None
            outputs = {name: artifact.sha256 for name, artifact in record.result.outputs.items()}
            found[f"{iteration}/{task}"] = (record.digest, record.result.result, outputs)
        manifest, _ = read_manifest(self.archive)
        found["games.json"] = manifest
        found["games"] = hashlib.sha256("".join(map(repr, self.games())).encode()).hexdigest()
        return found

    def games(self) -> list[RecordedGame]:
        """The merged games in their order; which row of its file each is does not count."""
        files = [self.archive.get_file(each.artifact, self.folder) for each in read_manifest(self.archive)[0].segments]
        return [replace(game, number=0) for file in files for game in read_games(file)]

    def half_written(self) -> list[str]:
        """Objects that are not what their name says, and checkpoints that nobody needs any more."""
        keys = self.store.keys("square8-2p/")
        wrong = [
            key for key in keys if "/objects/" in key and self.store.digest(key) != Path(key).name.partition(".")[0]
        ]
        return wrong + [key for key in self.store.keys("square8-2p/") if ".checkpoint" in key]


@pytest.mark.timeout(600 + 60 * KILLS)
@pytest.mark.parametrize("stage", ["selfplay", "merge", "export"])
def test_a_killed_stage_comes_to_the_same_end(stage: str, tmp_path: Path) -> None:
    undisturbed = Place(tmp_path / "undisturbed")
    for earlier in ("selfplay", "merge", "export")[: ("selfplay", "merge", "export").index(stage)]:
        undisturbed.finish(earlier)
    undisturbed.folder.mkdir(exist_ok=True)
    before = undisturbed.copy(tmp_path / "before")
    seconds = undisturbed.finish(stage)
    truth = undisturbed.truth()

    moments = random.Random(f"{SEED} {stage}")
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds <= 4 * KILLS + 4, "the stage ends before it can be killed"
        place = before.copy(tmp_path / "killed")
        attempt = 1
        while attempt <= MOST_IN_A_ROW and kills < KILLS:
            began = time.monotonic()
            process = place.start(stage, attempt)
            attempt += 1
            # Less of the start-up, in which nothing is done yet.
            with suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0.3, 1) * seconds)
                # Faster than the undisturbed run, which found the machine busier or its caches cold.
                seconds = min(seconds, time.monotonic() - began)
                break
            process.send_signal(signal.SIGKILL)
            if process.wait(60) != -signal.SIGKILL:
                break
            kills += 1
        place.finish(stage, attempt)
        assert place.truth() == truth
        assert place.half_written() == []
        shutil.rmtree(place.folder)
    print(json.dumps({"stage": stage, "kills": kills, "rounds": rounds, "undisturbed_seconds": round(seconds, 2)}))


@pytest.mark.timeout(600 + 60 * KILLS)
def test_a_merge_that_is_killed_between_two_others_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Of merges while self-play goes on, one a shard, those between the first and the last are killed."""
    once = Place(tmp_path / "once")
    once.folder.mkdir()
    for stage in ("selfplay", "merge"):
        once.finish(stage)
    place = Place(tmp_path / "killed")
    place.folder.mkdir()
    kills = 0
    place.finish("selfplay 0")
    place.finish("sync")
    for shard in (1, 2):
        place.finish(f"selfplay {shard}")
        for attempt in range(1, 1 + KILLS):
            before = place.files()
            process = place.start("sync", attempt)
            while process.poll() is None and place.files() == before:
                time.sleep(0.001)
            process.kill()
            kills += process.wait(60) == -signal.SIGKILL
        place.finish("sync", 1 + KILLS)
    place.finish("selfplay 3")
    place.finish("merge")
    assert kills >= KILLS, "they ended before they could be killed"
    manifests = [read_manifest(each.archive)[0] for each in (once, place)]
    assert len(manifests[1].segments) == 4
    assert [each.games for each in manifests] == [manifests[0].games] * 2
    assert once.games() == place.games()
    assert not place.half_written()
