"""Two clusters on one store, with real stages: who has adopted it keeps it, the other says whose it is, until somebody
asks for it; then it is the first that stands still.

$RINGRIFT_FENCES_OUT names a folder for what each of them said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.apiserver.conftest import CRDS
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.cluster.binaries import CONTROL_PLANE
from tests.cluster.control_plane import Endpoints, running_control_plane
from tests.cluster.object_store import running_object_store
from tests.cluster.process import free_ports
from tests.cluster.requirement import required_binaries
from tests.kueue.machine import Machine

BUCKET = "ringrift"
NAMESPACE = "games"
GAMES = 1000


def shared_pipeline() -> dict[str, object]:
    """The same in both clusters, but for its name: games by a search, so that they last."""
    return pipeline(
        NAMESPACE,
        "learning",
        artifacts={"uri": f"s3://{BUCKET}/shared"},
        configurations=[{"board": "square8", "players": 2, "bootstrapGames": GAMES}],
        selfplay={"engineModes": ["minimax-only"], "randomMoves": 0, "shardGames": GAMES // 4, "cooldown": "0s"},
        cmaes={"generations": 1, "populationSize": 4, "gamesPerEvaluation": 4},
        evaluation={"gate": "Fixed", "games": 4, "baselineGames": 4},
    )


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, Person]]:
    """One in each cluster; each has an operator, a pool, a machine, and the bucket."""
    directory = tmp_path_factory.mktemp("clusters")
    found = required_binaries(*(program.name for program in CONTROL_PLANE), "versitygw")
    (port,) = free_ports(1)
    with ExitStack() as stack:
        store = stack.enter_context(running_object_store(found, directory / "s3", port=port))
        store.create_bucket(BUCKET)

        def person(name: str) -> Person:
            folder = directory / name
            plane = stack.enter_context(running_control_plane(found, folder / "plane", Endpoints.on_free_ports()))
            plane.kubectl.apply(CRDS, "--server-side")
            plane.kubectl.wait_for_definitions()
            plane.kubectl("create", "namespace", NAMESPACE)
            kubectl = plane.kubectl.within(NAMESPACE)
            kubectl.apply(POOL)
            stack.enter_context(OperatorProcess(plane.kubeconfig, folder / "operator"))
            stack.enter_context(Machine(plane.kubeconfig, (NAMESPACE,), folder / "machine", store.environment()))
            return Person(kubectl, "learning")

        yield person("first"), person("second")


def keep(name: str, *people: Person) -> None:
    """What kubectl shows in each cluster now."""
    folder = os.environ.get("RINGRIFT_FENCES_OUT")
    if folder is None:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    lines = []
    for number, person in enumerate(people, 1):
        lines += [f"cluster {number}$ kubectl get tp -o wide", person.kubectl("get", "tp", "-o", "wide")]
        lines += person.events()
    (Path(folder) / f"{name}.txt").write_text("\n".join(lines))


def cluster_of(person: Person) -> str:
    uid: str = person.kubectl.get("namespace", "kube-system")["metadata"]["uid"]
    return uid


def has_played(person: Person, share: float) -> bool:
    """Whether self-play has played that share of its games."""
    tasks = person.status()["configurations"][0]["tasks"]
    (task,) = [each for each in tasks if each["name"] == "selfplay"]
    return bool(task["phase"] == "Succeeded" or task.get("progress", 0) >= share)


def test_a_store_is_one_clusters_until_another_asks_for_it(people: tuple[Person, Person]) -> None:
    first, second = people
    first.kubectl.apply(shared_pipeline())
    eventually(lambda: "selfplay" in first.status().get("running", ""), first.status)
    second.kubectl.apply(shared_pipeline())
    eventually(lambda: second.condition("Stalled").get("status") == "True", second.status)
    holder = f"is held by pipeline {NAMESPACE}/learning of cluster {cluster_of(first)}"
    said = second.condition("Stalled")["message"]
    assert holder in said
    assert "ringrift.ai/take-over-requested-at" in said
    assert second.status().get("games", 0) == 0
    keep("two-clusters-held", first, second)

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    second.kubectl("annotate", "tp", "learning", f"ringrift.ai/take-over-requested-at={now}")
    eventually(lambda: any(line.startswith("TakenOver") for line in second.events()), second.status)
    # It hears of it at its merge; until then it plays, as slowly as two machines beside other tests do.
    for quarter in (0.25, 0.5, 0.75, 1):
        eventually(partial(has_played, first, quarter), first.status)
    eventually(lambda: first.condition("Stalled").get("status") == "True", first.status)
    assert (
        f"is held by pipeline {NAMESPACE}/learning of cluster {cluster_of(second)}"
        in (first.condition("Stalled")["message"])
    )
    assert first.status().get("games", 0) == 0
    second.sees(phase="Completed", games=GAMES)
    keep("two-clusters-taken-over", first, second)
