"""Every command that does something, on a small store of its own, as processes: for tests of what surrounds them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ringrift_core.contract import (
    STAGE_PROGRAM,
    AdoptParameters,
    Board,
    CmaesParameters,
    EvaluateParameters,
    ExportParameters,
    GateKind,
    InitialWeights,
    MergeParameters,
    PromoteParameters,
    RollbackParameters,
    SelfplayParameters,
    StageParameters,
    StageResult,
    Track,
    TrainParameters,
    read_result,
    to_arguments,
)
from tests import patience
from tests.unit.local.running import PIPELINE

OPERATOR = (sys.executable, "-P", "-m", "ringrift_operator")
TRACES = Path(__file__).parent / "conformance" / "traces.tar.xz"
TRACE = "hex8_2p_s0001.jsonl"


@dataclass
class Commands:
    """A folder to work in, and how commands are started there."""

    folder: Path
    core: Sequence[str] = STAGE_PROGRAM
    operator: Sequence[str] = OPERATOR
    environment: dict[str, str] = field(default_factory=dict)
    store: Path = Path()
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    """What each command did, by its name."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = self.folder.parent / f"{self.folder.name}-store"

    @property
    def here(self) -> dict[str, object]:
        return {"store": self.store.as_uri(), "board": Board.SQUARE8, "players": 2}

    def run(self, name: str, command: Sequence[str], typed: str = "") -> subprocess.CompletedProcess[str]:
        self.said[name] = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            input=typed,
            capture_output=True,
            text=True,
            timeout=patience.SECONDS,
            check=False,
        )
        return self.said[name]

    def stage(self, parameters: StageParameters) -> StageResult:
        """The stage's answer; it must end well."""
        path = self.store.parent / "result.json"
        path.unlink(missing_ok=True)
        done = self.run(parameters.stage, [*self.core, *to_arguments(parameters), "--result", str(path)])
        assert done.returncode == 0, f"{parameters.stage}: {done.stderr}"
        return read_result(path.read_bytes())

    def stages(self, *, train: bool = True) -> Iterator[StageResult]:
        """One iteration, stage by stage."""
        one = {**self.here, "iteration": 1}
        yield self.stage(SelfplayParameters(**one, seed=1, games=40))
        yield self.stage(MergeParameters(**one))
        exported = self.stage(ExportParameters(**one, seed=1))
        yield exported
        if train:
            yield self.stage(TrainParameters(**one, seed=1, dataset=exported.outputs["dataset"], epochs=1))
        search = {"generations": 2, "population_size": 4, "games_per_evaluation": 4}
        found = self.stage(CmaesParameters(**one, **search, seed=1, initial_weights=InitialWeights.MATERIAL))
        yield found
        candidate = found.outputs["candidate"]
        gate = {"gate": GateKind.FIXED, "games": 10, "initial_weights": InitialWeights.MATERIAL}
        yield self.stage(EvaluateParameters(**one, **gate, track=Track.WEIGHTS, candidate=candidate))
        move = {"track": Track.WEIGHTS, "expected_version": 0, "candidate": candidate}
        yield self.stage(PromoteParameters(**one, **move, request_id="one"))
        two = {**self.here, "iteration": 2, "track": Track.WEIGHTS, "candidate": candidate}
        yield self.stage(PromoteParameters(**two, expected_version=1, request_id="two"))
        back = {"track": Track.WEIGHTS, "expected_version": 2, "request_id": "back", "cause": "a test"}
        yield self.stage(RollbackParameters(**self.here, **back))
        yield self.stage(AdoptParameters(**self.here))

    def viewers(self) -> Iterator[subprocess.CompletedProcess[str]]:
        """What only shows something; after the stages."""
        for name, arguments in self.shows().items():
            yield self.run(name, [*self.core, *arguments], typed="3,3\nquit\n")

    def shows(self) -> dict[str, list[str]]:
        games = str(self.store / "square8-2p")
        return {
            "help": ["--help"],
            "version": ["--version"],
            "play": ["play", "2", "--seed", "1"],
            "watch": ["play", "1", "1", "--seed", "1"],
            "bench rules": ["bench", "rules", "--seconds", "0.01"],
            "bench search": ["bench", "search", "--seconds", "0.01"],
            "replay list": ["replay", "list", games],
            "replay list --json": ["replay", "list", games, "--json"],
            "replay stats": ["replay", "stats", games],
            "replay verify": ["replay", "verify", games],
            "conform": ["conform", str(self._trace())],
        }

    def _trace(self) -> Path:
        path = self.store.parent / TRACE
        if not path.exists():
            with tarfile.open(TRACES) as archive:
                member = next(each for each in archive if each.name.endswith(TRACE))
                content = archive.extractfile(member)
                assert content is not None
                path.write_bytes(content.read())
        return path

    def local(self, *options: str) -> subprocess.CompletedProcess[str]:
        import yaml

        spec = {**PIPELINE["spec"], "iterations": 1}  # type: ignore[dict-item]
        (self.folder / "pipeline.yaml").write_text(yaml.safe_dump({**PIPELINE, "spec": spec}))
        return self.run("local", [*self.operator, "local", "-f", "pipeline.yaml", *options])
