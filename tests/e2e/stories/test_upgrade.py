"""`helm upgrade` in the middle of an iteration: what runs goes on, nothing is repeated, the pipeline completes."""

from __future__ import annotations

from pathlib import Path

from images.build import reference_of
from images.contents import OPERATOR, WORKER
from tests.e2e.recording import recording
from tests.e2e.stories.place import Place, Reader, games_of, pipeline
from tests.e2e.stories.transcript import Transcript

GAMES, LATER = 300, 100
NEXT = {image.name: f"ringrift-{image.name}:next" for image in (WORKER, OPERATOR)}


def test_upgrade(place: Place, transcript: Transcript, output_directory: Path) -> None:
    place.install()
    kubectl, reader = place.kubectl, Reader(place.kubectl, "upgrade")
    for image in (WORKER, OPERATOR):
        place.has_image_too(reference_of(image), NEXT[image.name])
    with recording(kubectl, place.cluster.sandbox.cgroup, output_directory) as seen:
        kubectl.apply(
            pipeline(
                "upgrade",
                games=GAMES,
                later=LATER,
                iterations=2,
                selfplay={"engineModes": ["descent-only"], "shardGames": 25, "cooldown": "1s"},
            )
        )
        reader.wait("self-play", lambda: reader.works("selfplay"))
        before = {job["metadata"]["uid"]: name for name, job in reader.jobs_of("selfplay").items()}
        transcript.shows("Self-play of the first iteration runs", kubectl, "deployments", "-o", "wide")

        images = [f"--set=images.{name}={reference}" for name, reference in NEXT.items()]
        said = place.upgrade(*images, "--set=operator.logLevel=debug", "--set=lightStages.deadline=4m")
        transcript.prints(
            f"helm upgrade ringrift charts/ringrift {' '.join(images)} --wait", said.partition("NOTES:")[0]
        )
        after = {job["metadata"]["uid"]: name for name, job in reader.jobs_of("selfplay").items()}
        transcript.shows("The new operator is there, and the same self-play runs", kubectl, "deployments", "-o", "wide")
        assert before.items() <= after.items()
        assert reader.works("selfplay"), "it ended meanwhile"

        status = reader.completes()
        transcript.shows("Both iterations are done", kubectl)

    assert status["tasks"].get("failed", 0) == 0
    assert status["games"] == games_of(place.games("upgrade")) == GAMES + LATER
    stages = [stage for record in reader.records() for stage in record["stages"]]
    assert len(reader.records()) == 2
    assert {stage.get("attempts", 1) for stage in stages} == {1}
    pods = seen.job_pods()
    turns = [(pod["metadata"]["labels"]["batch.kubernetes.io/job-name"], index_of(pod)) for pod in pods]
    assert len(turns) == len(set(turns)), "a Pod was there twice"
    tried = [stage for stage in stages if stage["name"] == "selfplay"]
    assert [stage["result"]["gamesPlayed"] for stage in tried] == [GAMES, LATER]
    used = {pod["spec"]["containers"][0]["image"] for pod in pods}
    assert used == {reference_of(WORKER), NEXT[WORKER.name]}
    transcript.says(
        f"{len(pods)} Pods of Jobs ran in all, each once: those of Jobs that were there at the upgrade in "
        f"{reference_of(WORKER)}, later ones in {NEXT[WORKER.name]}. "
        f"{GAMES + LATER} games were played, and as many are merged."
    )


def index_of(pod: dict[str, dict[str, dict[str, str]]]) -> str:
    return pod["metadata"]["labels"].get("batch.kubernetes.io/job-completion-index", "")
