"""Runs `ringrift-operator local` with the real stages, as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

COMMAND = (sys.executable, "-P", "-m", "ringrift_operator", "local")

PIPELINE = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "TrainingPipeline",
    "metadata": {"name": "small"},
    "spec": {
        "artifacts": {"persistentVolumeClaim": {"claimName": "games"}},
        "configurations": [{"board": "square8", "players": 2, "bootstrapGames": 60, "gamesPerIteration": 40}],
        "iterations": 2,
        "tracks": ["weights"],
        "selfplay": {"engineModes": ["heuristic-only"], "shardGames": 10, "cooldown": "0s"},
        "cmaes": {"generations": 3, "populationSize": 6, "gamesPerEvaluation": 4, "initialWeights": "Material"},
        "evaluation": {"maxGames": 60, "baselineGames": 10},
    },
}
"""Two iterations in seconds."""


class Local:
    """A folder with a pipeline file in it, and the command."""

    def __init__(self, folder: Path, **spec: object) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.write(**spec)

    def write(self, **spec: object) -> None:
        document = {**PIPELINE, "spec": {**PIPELINE["spec"], **spec}}  # type: ignore[dict-item]
        (self.folder / "pipeline.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, "-f", "pipeline.yaml", "--plain", *options],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )

    def run(self, *options: str) -> tuple[int, str]:
        """Exit status and output of a whole run."""
        process = self.start(*options)
        output, _ = process.communicate(timeout=300)
        return process.returncode, output

    @property
    def store(self) -> Path:
        return self.folder / "ringrift-data" / "games"

    @property
    def state(self) -> Path:
        return self.folder / "ringrift-data" / "_local" / "small"

    def status(self) -> dict[str, object]:
        return json.loads((self.state / "pipeline.json").read_text(encoding="utf-8"))["status"]  # type: ignore[no-any-return]

    def truth(self) -> dict[str, object]:
        """What must not depend on kills: games, champions, and what every task made."""
        found: dict[str, object] = {}
        for path in sorted(self.store.glob("*/games.json")) + sorted(self.store.glob("*/registry/*.json")):
            found[str(path.relative_to(self.store))] = json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(self.store.glob("*/tasks/*/*.json")):
            if not path.name.endswith(".checkpoint.json"):
                result = json.loads(path.read_text(encoding="utf-8"))["result"]
                found[str(path.relative_to(self.store))] = {
                    name: artifact["sha256"] for name, artifact in result.get("outputs", {}).items()
                }
        return found

    def processes(self) -> list[str]:
        """Stages of this folder that still run, by their command lines."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.folder) in command:
                found.append(command)
        return found
