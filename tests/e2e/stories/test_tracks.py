"""Three tracks of one small pipeline, the network trained in the image of the trainer: candidates are promoted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.build import archive_of, reference_of
from images.contents import TRAINER, WORKER, Image
from tests.e2e.packages import found_in, listed_beside
from tests.e2e.recording import recording
from tests.e2e.stories.place import Place, Reader, games_of, pipeline, standing
from tests.e2e.stories.training import TRAINING, training_pool
from tests.e2e.stories.transcript import Transcript

GAMES = 200
METRICS = "http://operator:8080/metrics"
TRACKS = ("weights", "nnue", "network")
ROOM = 30 << 30
"""Bytes that the trainer's image takes while it is built, archived and imported: 5.8 GB, several times."""


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Image, ...]:
    """The trainer's image, where there is room for it."""
    free = shutil.disk_usage(tmp_path_factory.getbasetemp()).free
    return (TRAINER,) if archive_of(TRAINER).exists() or free > ROOM else ()


@pytest.fixture(scope="module")
def place(trainer: tuple[Image, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with standing(tmp_path_factory.mktemp("cluster"), tmp_path_factory.mktemp("store"), *trainer) as there:
        yield there


def test_tracks(place: Place, trainer: tuple[Image, ...], transcript: Transcript, output_directory: Path) -> None:
    image = reference_of(TRAINER if trainer else WORKER)
    place.install(f"--set=images.trainer={image}")
    place.kubectl.apply(training_pool(bool(trainer)))
    kubectl, reader = place.kubectl, Reader(place.kubectl, "tracks")
    with recording(kubectl, place.cluster.sandbox.cgroup, output_directory) as seen:
        kubectl.apply(
            pipeline(
                "tracks",
                games=GAMES,
                tracks=list(TRACKS),
                selfplay={"engineModes": ["minimax-only"], "shardGames": 25, "cooldown": "1s"},
                nnue={"bootstrapEpochs": 10},
                network={"size": "tiny", "bootstrapEpochs": 10},
                evaluation={"maxGames": 30, "baselineGames": 4, "roundRobin": {"games": 2}},
            )
        )
        reader.wait("the training", lambda: reader.works("train"))
        transcript.shows("The network trains", kubectl, "pods")
        taken = reader.wait("what the training takes", lambda: worker_metrics(place, "train"))
        transcript.prints(f"curl -s {METRICS} | grep ringrift_worker", taken)
        reader.wait("a gate", lambda: reader.task("evaluate-network").get("phase") == "Running")
        transcript.shows("Candidates are judged", kubectl)
        status = reader.completes(20)
        transcript.shows("The iteration is done", kubectl)

    assert status["tasks"].get("failed", 0) == 0, reader.events()
    assert status["games"] == games_of(place.games("tracks")) == GAMES
    (record,) = reader.records()
    outcomes = {outcome["track"]: outcome for outcome in record["tracks"]}
    assert set(outcomes) == set(TRACKS)
    promoted = {move["track"] for move in record.get("promotions", [])}
    for track, outcome in outcomes.items():
        assert outcome["decision"] in ("Promoted", "Rejected"), outcome
        assert (outcome["decision"] == "Promoted") == (track in promoted)
        assert (place.store("tracks") / "registry" / f"{track}.json").exists() == (track in promoted)
    assert promoted, "nothing was learnt"
    images = {pod["metadata"]["labels"]["ringrift.ai/stage"]: image_of(pod) for pod in seen.job_pods()}
    assert {images[stage] for stage in TRAINING if stage in images} == {image}
    assert {used for stage, used in images.items() if stage not in TRAINING} == {reference_of(WORKER)}
    if trainer:
        assert listed_beside(TRAINER) == found_in(image, kubectl)
    else:
        transcript.says(
            "This machine has no room for the trainer's image: the training ran in the worker's, with the same torch "
            "from a folder of the node."
        )
    wide = kubectl("get", "ti", "-o", "custom-columns=ITERATION:.spec.iteration,OUTCOME:.spec.summary")
    transcript.prints("kubectl get ti -o custom-columns=...", wide)
    told = [each for each in reader.events() if each.startswith("Promoted:")]
    transcript.prints("kubectl get events", "\n".join(told))


def worker_metrics(place: Place, stage: str) -> str:
    """What the operator's metrics say of the workers, once one of this stage is among them."""
    (operator,) = place.kubectl.get("pods", "-l", "app.kubernetes.io/name=ringrift")["items"]
    told = place.cluster.sandbox.run("curl", "-sf", METRICS.replace("operator", operator["status"]["podIP"]))
    lines = [line for line in told.splitlines() if line.startswith("ringrift_worker")]
    return "\n".join(lines) if any(f'stage="{stage}"' in line for line in lines) else ""


def image_of(pod: dict[str, dict[str, list[dict[str, str]]]]) -> str:
    return pod["spec"]["containers"][0]["image"]
