"""Uninstalled with pipelines present, nothing is stuck; installed again, they go on where they were."""

from __future__ import annotations

import time
from functools import partial

from tests.cluster.kubectl import Kubectl
from tests.e2e.conftest import RELEASE_NAMESPACE
from tests.e2e.recording import wait_for
from tests.e2e.stories.place import BUCKET, MINUTE, Place, Reader, games_of, pipeline
from tests.e2e.stories.transcript import Transcript

GAMES, LATER = 100, 75
OURS = ("trainingpipelines", "workerpools", "remotetasks", "trainingiterations")
SLOW_GAMES = {"engineModes": ["descent-only"], "shardGames": 25, "cooldown": "1s"}
STAYS = pipeline("stays", games=GAMES, later=LATER, iterations=2, selfplay=SLOW_GAMES)
SMALL = {"cpu": "100m", "memory": "256Mi"}
POOL_OF_GOES = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "WorkerPool",
    "metadata": {"name": "other", "labels": {"for": "goes"}},
    "spec": {
        "type": "Cluster",
        "slots": [{"name": "play", "stages": ["selfplay", "cmaes", "evaluate"], "resources": SMALL}],
    },
}


def test_uninstall(place: Place, transcript: Transcript) -> None:
    place.install()
    kubectl, stays, goes = place.kubectl, Reader(place.kubectl, "stays"), Reader(place.kubectl, "goes")
    kubectl.apply(POOL_OF_GOES)
    kubectl.apply(pipeline("goes", games=500, selfplay=SLOW_GAMES, poolSelector={"matchLabels": {"for": "goes"}}))
    everything_but = [{"key": "for", "operator": "NotIn", "values": ["goes"]}]
    kubectl.apply({**STAYS, "spec": {**STAYS["spec"], "poolSelector": {"matchExpressions": everything_but}}})
    for reader in (goes, stays):
        reader.wait("self-play", partial(reader.works, "selfplay"))
    transcript.shows("Two pipelines play", kubectl)
    before = {name: job["metadata"]["uid"] for name, job in stays.jobs_of("selfplay").items()}

    # The release goes, with pools and accounts. Resources and CRDs stay, Pods go on; a deletion needs nobody.
    transcript.prints("helm uninstall ringrift", place.helm("uninstall", "ringrift", *there()))
    transcript.prints("helm uninstall ringrift-crds", place.helm("uninstall", "ringrift-crds", "--wait"))
    assert {name: job["metadata"]["uid"] for name, job in stays.jobs_of("selfplay").items()} == before
    transcript.shows("Without a release", kubectl)
    seconds = seconds_of(kubectl, "delete", "trainingpipeline", "goes", "--timeout=60s")
    wait_for(MINUTE, "the end of its Jobs", lambda: not goes.jobs_of())
    transcript.says(f"`kubectl delete tp goes` took {seconds:.1f} s without an operator, and its Jobs went with it.")
    wait_for(10 * MINUTE, "the end of its Pods", lambda: not stays.works("selfplay"))
    transcript.shows("What ran has ended, and nobody saw it; further Pods want the release's account", kubectl)

    place.install()
    stays.wait(
        "the second iteration's self-play",
        lambda: stays.status().get("iteration") == 1 and stays.works("selfplay"),
    )
    (first,) = stays.records()
    (played,) = (stage for stage in first["stages"] if stage["name"] == "selfplay")
    assert (played["attempts"], played["result"]["gamesPlayed"]) == (1, GAMES)
    transcript.shows("Installed again: the first iteration is done, each of its games played once", kubectl)

    # Everything goes: CRDs, resources, the namespace.
    place.helm("uninstall", "ringrift", *there())
    place.helm("uninstall", "ringrift-crds", "--wait")
    crds = [f"{plural}.ringrift.ai" for plural in OURS]
    took = [seconds_of(kubectl, "delete", "crd", *crds, "--timeout=120s")]
    took.append(seconds_of(place.cluster.kubectl, "delete", "namespace", RELEASE_NAMESPACE, "--timeout=180s"))
    transcript.says(
        "In the middle of the second iteration everything went: release, CRDs with all resources "
        f"({took[0]:.1f} s), the namespace ({took[1]:.1f} s). Nothing was stuck. The store stays."
    )
    merged = games_of(place.games("stays"))
    assert merged == GAMES

    place.install()
    kubectl.apply(STAYS)
    status = stays.completes()
    transcript.shows("Installed and applied anew: the store was adopted, and the second iteration done", kubectl)
    assert status["games"] == games_of(place.games("stays")) == GAMES + LATER
    (second,) = stays.records()
    stages = {stage["name"]: stage for stage in second["stages"]}
    assert second["iteration"] == 2
    assert stages["merge"]["result"].get("duplicates", 0) == 0
    found = LATER - stages["selfplay"]["result"].get("gamesPlayed", 0)
    transcript.says(
        f"Of the second iteration's {LATER} games {found} lay in the store already. {status['games']} games are "
        f"merged, none of them twice. The store is s3://{BUCKET}/stays."
    )


def there() -> tuple[str, ...]:
    return (f"--namespace={RELEASE_NAMESPACE}", "--wait")


def seconds_of(kubectl: Kubectl, *arguments: str) -> float:
    began = time.monotonic()
    kubectl(*arguments)
    return time.monotonic() - began
