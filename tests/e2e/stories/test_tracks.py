"""Three tracks of one small pipeline, the network trained in the image of the trainer: candidates are promoted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from images.build import reference_of
from images.contents import TRAINER, WORKER
from tests.e2e.recording import recording
from tests.e2e.stories.place import Place, Reader, games_of, pipeline, standing
from tests.e2e.stories.transcript import Transcript

GAMES = 400
TRACKS = ("weights", "nnue", "network")


@pytest.fixture(scope="module")
def place_of_trainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with standing(tmp_path_factory.mktemp("cluster"), tmp_path_factory.mktemp("store"), TRAINER) as there:
        yield there


def test_tracks(place_of_trainer: Place, transcript: Transcript, output_directory: Path) -> None:
    place = place_of_trainer
    place.install(f"--set=images.trainer={reference_of(TRAINER)}")
    kubectl, reader = place.kubectl, Reader(place.kubectl, "tracks")
    with recording(kubectl, place.cluster.sandbox.cgroup, output_directory) as seen:
        kubectl.apply(
            pipeline(
                "tracks",
                games=GAMES,
                tracks=list(TRACKS),
                nnue={"bootstrapEpochs": 10},
                network={"size": "tiny", "bootstrapEpochs": 10},
            )
        )
        reader.wait("the training", lambda: any(job["status"].get("active") for job in reader.jobs("train").values()))
        transcript.shows("The network trains", kubectl, "pods")
        reader.wait("a gate", lambda: reader.task("evaluate-network").get("phase") == "Running")
        transcript.shows("Candidates are judged", kubectl)
        status = reader.completes(20)
        transcript.shows("The iteration is done", kubectl)

    assert status["tasks"].get("failed", 0) == 0
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
    used = {pod["metadata"]["labels"]["ringrift.ai/stage"]: image_of(pod) for pod in seen.job_pods()}
    assert used["train"] == reference_of(TRAINER)
    assert {image for stage, image in used.items() if stage != "train"} == {reference_of(WORKER)}
    wide = kubectl("get", "ti", "-o", "custom-columns=ITERATION:.spec.iteration,OUTCOME:.spec.summary")
    transcript.prints("kubectl get ti -o custom-columns=...", wide)
    told = [each for each in reader.events() if each.startswith("Promoted:")]
    transcript.prints("kubectl get events", "\n".join(told))


def image_of(pod: dict[str, dict[str, list[dict[str, str]]]]) -> str:
    return pod["spec"]["containers"][0]["image"]
