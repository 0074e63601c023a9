"""What a story stands on: a node with our images, an S3 server, our charts, and small pipelines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from images.build import build_with_buildah
from images.contents import OPERATOR, WORKER, Image
from tests.apiserver.person import Person
from tests.cluster.binaries import BinariesMissingError, find
from tests.cluster.kubectl import Kubectl
from tests.cluster.node import Cluster, NodeImpossibleError, check_machine, running_cluster
from tests.cluster.object_store import ObjectStore, running_object_store
from tests.cluster.requirement import cannot_run
from tests.e2e.conftest import CHARTS, RELEASE_NAMESPACE, helm
from tests.e2e.recording import wait_for

VALUES = Path(__file__).parent / "values.yaml"
BUCKET = "stories"
SECRET = "ringrift-s3"
CONFIGURATION = "square8-2p"
MINUTE = 60.0


@dataclass(frozen=True)
class Place:
    """A running cluster and an S3 server that its Pods reach."""

    cluster: Cluster
    object_store: ObjectStore

    @property
    def kubectl(self) -> Kubectl:
        """kubectl in the release's namespace."""
        return self.cluster.kubectl.within(RELEASE_NAMESPACE)

    def helm(self, *arguments: str) -> str:
        return helm(self.cluster, *arguments)

    def install(self, *options: str) -> None:
        """Our two charts, and the Secret of the store."""
        self.helm("upgrade", "--install", "ringrift-crds", str(CHARTS / "ringrift-crds"), "--wait")
        self.upgrade("--install", "--create-namespace", *options)
        if not self.kubectl.get("secrets", f"--field-selector=metadata.name={SECRET}")["items"]:
            values = [f"--from-literal={name}={value}" for name, value in self.object_store.environment().items()]
            self.kubectl("create", "secret", "generic", SECRET, *values)

    def upgrade(self, *options: str) -> str:
        """`helm upgrade` of the release; it returns when the new operator is there."""
        given = (f"--namespace={RELEASE_NAMESPACE}", f"--values={VALUES}", "--wait", "--timeout=5m", *options)
        return self.helm("upgrade", "ringrift", str(CHARTS / "ringrift"), *given)

    def has_image_too(self, reference: str, other: str) -> None:
        """Gives an image of the node a second name."""
        names = [f"docker.io/library/{each}" for each in (reference, other)]
        runtime = ("ctr", "-a", str(self.cluster.containerd_socket), "-n", "k8s.io")
        self.cluster.sandbox.run(*runtime, "images", "tag", *names)

    def store(self, pipeline: str) -> Path:
        """The folder that the S3 server keeps a pipeline's one configuration in."""
        return self.object_store.directory / BUCKET / pipeline / CONFIGURATION

    def games(self, pipeline: str) -> dict[str, Any]:
        """The manifest of its merged games; empty before the first merge."""
        path = self.store(pipeline) / "games.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found


@contextmanager
def standing(directory: Path, buckets: Path, *images: Image) -> Iterator[Place]:
    """A cluster with its state in `directory` and a store in `buckets`, which outlives it."""
    try:
        check_machine()
        find()
    except (NodeImpossibleError, BinariesMissingError) as impossible:
        cannot_run(impossible)
    archives = [build_with_buildah(image) for image in (WORKER, OPERATOR, *images)]
    with running_cluster(directory) as cluster:
        inside = cluster.sandbox.enter
        address = cluster.sandbox.address
        with running_object_store(cluster.plane.binaries, buckets, address=address, inside=inside) as store:
            if not (store.directory / BUCKET).exists():
                store.create_bucket(BUCKET)
            for archive in archives:
                cluster.import_image(archive)
            yield Place(cluster, store)


def pipeline(name: str, *, games: int = 100, later: int = 50, **spec: Any) -> dict[str, Any]:
    """A small pipeline of one configuration, its store in the bucket of the stories."""
    configuration = {"board": "square8", "players": 2, "bootstrapGames": games, "gamesPerIteration": later}
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "TrainingPipeline",
        "metadata": {"name": name},
        "spec": {
            "artifacts": {"uri": f"s3://{BUCKET}/{name}", "secretName": SECRET},
            "configurations": [configuration],
            "iterations": 1,
            "tracks": ["weights"],
            "selfplay": {"engineModes": ["heuristic-only"], "shardGames": 25, "cooldown": "1s"},
            "cmaes": {
                "generations": 3,
                "populationSize": 8,
                "gamesPerEvaluation": 8,
                "initialWeights": "Material",
            },
            "evaluation": {"maxGames": 100, "baselineGames": 10, "roundRobin": {"games": 10}},
            **spec,
        },
    }


class Reader(Person):
    """Looks at one pipeline, its records and its Jobs by kubectl, and waits for what is to come."""

    @property
    def configuration(self) -> dict[str, Any]:
        """The status of its one configuration."""
        found: dict[str, Any] = next(iter(self.status().get("configurations", ())), {})
        return found

    def track(self, name: str) -> dict[str, Any]:
        return next((each for each in self.configuration.get("tracks", ()) if each["name"] == name), {})

    def task(self, name: str) -> dict[str, Any]:
        return next((each for each in self.configuration.get("tasks", ()) if each["name"] == name), {})

    def records(self) -> list[dict[str, Any]]:
        """What is told of each finished iteration, the first one first."""
        found = [each["spec"] for each in self.kubectl.get("ti")["items"] if each["spec"]["pipeline"] == self.name]
        return sorted(found, key=lambda record: record["iteration"])

    def jobs_of(self, step: str = "") -> dict[str, dict[str, Any]]:
        """Its Jobs by name; those of one step, such as selfplay."""
        chosen = f"ringrift.ai/pipeline={self.name}" + (f",ringrift.ai/step={step}" if step else "")
        return {each["metadata"]["name"]: each for each in self.kubectl.get("jobs", "-l", chosen)["items"]}

    def works(self, step: str = "") -> bool:
        """Whether a Pod is there: of a step, or of any."""
        return any(job["status"].get("active") for job in self.jobs_of(step).values())

    def wait(self, what: str, condition: Callable[[], Any], minutes: float = 10) -> Any:
        """What `condition()` returns once it is true; fails at once where the pipeline stands still."""

        def otherwise_stalled() -> Any:
            if value := condition():
                return value
            stalled = self.condition("Stalled")
            assert stalled.get("status") != "True", f"{what}: {stalled['message']}"
            return None

        return wait_for(minutes * MINUTE, f"{self.name}: {what}", otherwise_stalled)

    def completes(self, minutes: float = 12) -> dict[str, Any]:
        """Its status, once it has done all of its iterations."""
        self.wait("its end", lambda: self.status().get("phase") == "Completed", minutes)
        return self.status()


def games_of(manifest: Mapping[str, Any]) -> int:
    """Unique games of a manifest."""
    return int(manifest["games"])


def environment_of(store: ObjectStore) -> dict[str, str]:
    """Of a `ringrift` process of this machine that is to use the stories' store."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**inherited, **store.environment()}
