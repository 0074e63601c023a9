"""A sabotaged champion loses its regression test and gives way to its predecessor; the search is in cool-down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.stories.place import Place, Reader, pipeline
from tests.e2e.stories.promotion import promoted_by_hand
from tests.e2e.stories.transcript import Transcript

SMALL = {"cpu": "500m", "memory": "512Mi"}
POOL: dict[str, Any] = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "WorkerPool",
    "metadata": {"name": "cool", "labels": {"for": "sabotage"}},
    "spec": {
        "type": "Cluster",
        "slots": [
            {"name": "play", "stages": ["selfplay"], "resources": SMALL, "count": 2},
            {
                "name": "search",
                "stages": ["cmaes"],
                "resources": {"cpu": "500m", "memory": "512Mi"},
                "when": "Cooldown",
            },
            {"name": "judge", "stages": ["evaluate"], "resources": SMALL, "count": 2},
        ],
    },
}
STRICT = {"gate": "Fixed", "games": 100, "promotionThreshold": 0.99}
"""A gate that a candidate passes by winning all of its games: against what was sabotaged a good one wins nearly all."""


def test_sabotage(place: Place, transcript: Transcript, tmp_path: Path) -> None:
    place.install()
    kubectl, reader = place.kubectl, Reader(place.kubectl, "sabotage")
    promoted_by_hand(place, "sabotage", tmp_path, strength=1)
    promoted_by_hand(place, "sabotage", tmp_path, strength=-1)
    transcript.says("Version 1 has the hand-set weights. Version 2 was promoted by hand: the same with the other sign.")
    kubectl.apply(POOL)
    made = pipeline("sabotage", games=200, later=100, iterations=2, poolSelector={"matchLabels": {"for": "sabotage"}})
    made["spec"]["evaluation"] |= STRICT
    kubectl.apply(made)
    reader.wait("the search", lambda: reader.task("cmaes").get("phase") == "Running")
    assert reader.track("weights")["champion"] == "2"
    assert reader.task("selfplay")["phase"] == "Succeeded"
    transcript.shows("Self-play has ended, and the search begins in the pool's cool-down", kubectl)

    reader.wait("the rollback", lambda: reader.status().get("rollbacks", 0) == 1)
    transcript.shows("The regression test is lost, and the champion rolled back", kubectl)
    told = [each for each in reader.events() if each.startswith(("RolledBack:", "Regressed:", "Promoted:"))]
    transcript.prints("kubectl get events", "\n".join(told))
    assert reader.track("weights")["champion"] == "1"

    reader.completes()
    transcript.shows("The second iteration is done", kubectl)
    first, second = reader.records()
    (outcome,) = first["tracks"]
    assert outcome["regression"]["decision"] == "Regressed"
    assert [move["version"] for move in first["rollbacks"]] == ["1"]
    assert second.get("rollbacks", []) == []
    # In the first one self-play goes on once more: games that were played already are made up for.
    stages = {stage["name"]: stage for stage in second["stages"]}
    search, play = ((stages[name]["startedAt"], stages[name]["finishedAt"]) for name in ("cmaes", "selfplay"))
    assert search[1] <= play[0] or play[1] <= search[0], (search, play)
    transcript.says(
        f"In the second iteration the search ran from {search[0]} to {search[1]}, and self-play from {play[0]} to "
        f"{play[1]}: never both, in this pool."
    )
