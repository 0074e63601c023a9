"""Two pipelines on one quota of a real Kueue: the urgent one gets the machine, the other saves, waits and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.binaries import KUEUE
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.cluster.kueue import running_kueue
from tests.cluster.queues import QUEUE, Manifest, cluster_queue, flavor, local_queue, priorities
from tests.cluster.requirement import required_binaries
from tests.e2e.stories.place import Place, Reader, games_of, pipeline, standing
from tests.e2e.stories.transcript import Transcript

GAMES, URGENT_GAMES = 8000, 50
ONE_CPU = "1"
WHO = "who"
"""The label by which a pipeline chooses its pool."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    required_binaries("helm", KUEUE.name)
    with (
        standing(tmp_path_factory.mktemp("cluster"), tmp_path_factory.mktemp("store")) as there,
        running_kueue(there.cluster.plane, tmp_path_factory.mktemp("kueue"), inside=there.cluster.sandbox.enter),
    ):
        yield there


def pool(priority: str) -> Manifest:
    """Every task of it asks for the whole quota."""
    stages = {"play": ["selfplay"], "search": ["cmaes", "evaluate"]}
    resources = {"cpu": ONE_CPU, "memory": "512Mi"}
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "WorkerPool",
        "metadata": {"name": priority, "labels": {WHO: priority}},
        "spec": {
            "type": "Cluster",
            "queue": {"name": QUEUE, "priorityClass": priority},
            "slots": [{"name": name, "stages": each, "resources": resources} for name, each in stages.items()],
        },
    }


def chosen(priority: str, games: int, mode: str) -> dict[str, Any]:
    """A pipeline whose self-play is one shard, on the pool of its priority."""
    return pipeline(
        priority,
        games=games,
        poolSelector={"matchLabels": {WHO: priority}},
        selfplay={"engineModes": [mode], "shardGames": games, "cooldown": "0s"},
    )


def test_kueue(place: Place, transcript: Transcript) -> None:
    place.install()
    kubectl = place.kubectl
    for manifest in (flavor(), cluster_queue("machines", int(ONE_CPU)), *priorities(), local_queue("machines")):
        kubectl.apply(manifest)
    for priority in ("background", "urgent"):
        kubectl.apply(pool(priority))
    background, urgent = Reader(kubectl, "background"), Reader(kubectl, "urgent")

    kubectl.apply(chosen("background", GAMES, "minimax-only"))
    background.wait("games of its self-play", lambda: has_played(kubectl))
    transcript.shows("One pipeline plays on all there is", kubectl, "workloads")

    kubectl.apply(chosen("urgent", URGENT_GAMES, "heuristic-only"))
    background.wait("its queue", lambda: stage_of(background, "selfplay") == "Queued")
    waiting = background.condition("Reconciling")["message"]
    transcript.shows("An urgent one takes the machine back", kubectl, "workloads,pods")
    transcript.says(f"The first waits, and says so: {waiting}")
    transcript.prints("kubectl describe tp background", background.described())
    assert "selfplay" in waiting
    assert not background.status()["running"]
    assert background.condition("Degraded").get("status") != "True"

    first = urgent.completes()
    transcript.shows("The urgent one is done", kubectl, "workloads")
    status = background.completes()
    transcript.shows("So is the other", kubectl)
    told = [line for line in background.events() if line.startswith("TaskPreempted")]
    transcript.prints("kubectl get events", "\n".join(told))
    assert any("selfplay" in line for line in told)
    for each in (first, status):
        assert each["tasks"].get("failed", 0) == 0
    (record,) = background.records()
    (played,) = (stage for stage in record["stages"] if stage["name"] == "selfplay")
    assert played.get("attempts", 1) == 1
    assert status["games"] == games_of(place.games("background"))
    transcript.says(
        f"{status['games']} games of {GAMES} asked for are unique and merged; self-play took one attempt, and no task "
        "failed."
    )


def has_played(kubectl: Kubectl) -> bool:
    """Whether a Pod of self-play has told of games."""
    try:
        return '"progress"' in kubectl("logs", "-l", "ringrift.ai/step=selfplay", "--tail=1")
    except KubectlError:
        return False


def stage_of(reader: Reader, name: str) -> str:
    found: str = reader.configuration.get("stages", {}).get(name, "")
    return found
