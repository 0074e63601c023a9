"""The one who applies a small pipeline and looks at what becomes of it, by kubectl."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.apiserver.operator_process import eventually
from tests.cluster.kubectl import Kubectl

POOL: dict[str, Any] = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "WorkerPool",
    "metadata": {"name": "pool"},
    "spec": {
        "type": "Cluster",
        "slots": [
            {"name": "games", "stages": ["selfplay"], "resources": {"cpu": "1", "memory": "1Gi"}, "count": 2},
            {"name": "work", "stages": ["cmaes", "evaluate"], "resources": {"cpu": "1", "memory": "1Gi"}},
        ],
    },
}


def pipeline(namespace: str, name: str = "tiny", **spec: Any) -> dict[str, Any]:
    """A pipeline of one configuration with a store of its own: 20 games in two shards, then a search of weights."""
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "TrainingPipeline",
        "metadata": {"name": name},
        "spec": {
            "artifacts": {"uri": f"s3://bucket/{namespace}/{name}"},
            "configurations": [{"board": "square8", "players": 2, "bootstrapGames": 20, "gamesPerIteration": 20}],
            "iterations": 1,
            "tracks": ["weights"],
            "selfplay": {"engineModes": ["heuristic-only"], "shardGames": 10, "cooldown": "0s"},
            **spec,
        },
    }


class Person:
    """Looks at a pipeline as a person does, by kubectl."""

    def __init__(self, kubectl: Kubectl, name: str = "tiny") -> None:
        self.kubectl, self.name = kubectl, name

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.kubectl.get("tp", self.name).get("status", {})
        return status

    def condition(self, kind: str) -> dict[str, Any]:
        return next((each for each in self.status().get("conditions", ()) if each["type"] == kind), {})

    def jobs(self) -> list[str]:
        return sorted(job["metadata"]["name"] for job in self.kubectl.get("jobs")["items"])

    def events(self) -> list[str]:
        """What the operator told of this pipeline."""
        about = f"involvedObject.kind=TrainingPipeline,involvedObject.name={self.name}"
        found = self.kubectl.get("events", f"--field-selector={about}")["items"]
        return [f"{each['reason']}: {each['message']}" for each in found]

    def described(self) -> str:
        """Of what `kubectl describe` prints the conditions and the events."""
        said = self.kubectl("describe", "tp", self.name).rstrip()
        conditions = re.search(r"^Status:\n.*?(?=^  Configurations:)", said, re.DOTALL | re.MULTILINE)
        assert conditions is not None, said
        return f"...\n{conditions[0]}...\n{said[said.index('Events:') :]}"

    def sees(self, **fields: Any) -> dict[str, Any]:
        """The status, once these fields have these values."""

        def matching() -> dict[str, Any] | None:
            status = self.status()
            return status if all(status.get(name, 0) == value for name, value in fields.items()) else None

        found: dict[str, Any] = eventually(matching, lambda: json.dumps(self.status(), indent=1)[-3000:])
        return found
