"""What people switch: a dry run, suspension in mid-training, rollbacks meanwhile, a pool that goes with live tasks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.e2e.recording import wait_for
from tests.e2e.stories.place import (
    CONFIGURATION,
    MINUTE,
    Place,
    Reader,
    games_of,
    pipeline,
)
from tests.e2e.stories.promotion import promoted_by_hand
from tests.e2e.stories.training import training_pool
from tests.e2e.stories.transcript import Transcript

GAMES, LATER = 150, 100
CHAMPIONS = 4
ROLLBACK = "ringrift.ai/rollback-requested"


def test_dry_run(place: Place, transcript: Transcript) -> None:
    place.install()
    kubectl, dry = place.kubectl, Reader(place.kubectl, "dry")
    kubectl.apply(pipeline("dry", tracks=["weights", "nnue", "network"], dryRun=True))
    plan = wait_for(2 * MINUTE, "the plan", lambda: dry.status().get("plan"))
    transcript.shows("A dry run over three tracks", kubectl)
    transcript.prints("kubectl get tp dry -o jsonpath='{.status.plan}'", "\n".join(plan))
    for training in ("cmaes of", "train the NNUE", "train the network"):
        assert any(training in line for line in plan), plan
    assert not dry.jobs_of()
    assert not place.store("dry").exists()
    kubectl("delete", "tp", "dry", "--timeout=60s")


def test_switches(place: Place, transcript: Transcript, tmp_path: Path) -> None:
    for number in range(1, CHAMPIONS + 1):
        promoted_by_hand(place, "switches", tmp_path, strength=1 + number / 10)
    kubectl, reader = place.kubectl, Reader(place.kubectl, "switches")
    kubectl.apply(training_pool(has_image=False))
    settings = {"nnue": {"bootstrapEpochs": 10, "epochs": 5}, "tracks": ["weights", "nnue"], "iterations": 2}
    searched = {"engineModes": ["minimax-only"], "shardGames": 25, "cooldown": "1s"}  # NNUE learns from searches
    kubectl.apply(pipeline("switches", games=GAMES, later=LATER, selfplay=searched, **settings))
    reader.wait("the training", lambda: reader.works("nnue"))
    assert reader.track("weights")["champion"] == str(CHAMPIONS)
    transcript.shows("The first iteration trains", kubectl)

    kubectl("patch", "tp", "switches", "--type=merge", "--patch", '{"spec": {"suspend": true}}')
    reader.wait("the end of what runs", lambda: not reader.works())
    wait_for(MINUTE, "the word Suspended", lambda: reader.status().get("phase") == "Suspended")
    assert reader.task("nnue")["phase"] == "Succeeded"
    transcript.shows("Suspended in mid-training: the training has ended, and nothing new begins", kubectl)
    begun = {task["name"] for task in reader.configuration["tasks"]}
    assert "evaluate-nnue" not in begun or reader.task("evaluate-nnue")["phase"] == "Pending"

    for number in range(1, CHAMPIONS):
        value = f"{CONFIGURATION}/weights@{number}"
        kubectl("annotate", "tp", "switches", f"{ROLLBACK}={value}", "--overwrite")
        reader.wait("an answer", partial(is_answered, reader, value))
        assert reader.track("weights")["champion"] == str(CHAMPIONS - number)
    transcript.shows("Three rollbacks were asked for meanwhile, and carried out", kubectl)
    value = f"{CONFIGURATION}/weights@{CHAMPIONS}"
    kubectl("annotate", "tp", "switches", f"{ROLLBACK}={value}", "--overwrite")
    reader.wait("an answer", partial(is_answered, reader, value))
    refused = [each for each in reader.events() if each.startswith("RequestRefused:")]
    transcript.prints("kubectl get events", "\n".join(refused))
    assert any("no earlier champion" in each for each in refused)
    assert reader.track("weights")["champion"] == "1"
    assert reader.status()["rollbacks"] == CHAMPIONS - 1
    assert reader.status()["phase"] == "Suspended"

    kubectl("patch", "tp", "switches", "--type=merge", "--patch", '{"spec": {"suspend": false}}')
    reader.wait("the second self-play", lambda: reader.status().get("iteration") == 1 and reader.works("selfplay"))
    (first,) = reader.records()
    (trained,) = (stage for stage in first["stages"] if stage["name"] == "nnue")
    assert trained.get("attempts", 1) == 1
    transcript.shows("Resumed: the first iteration is done, and was trained once", kubectl)

    pool = kubectl.get("wp", "node")
    kubectl("delete", "wp", "node", "--timeout=30s")
    wait_for(5 * MINUTE, "the end of self-play", lambda: not reader.works("selfplay"))
    wait_for(MINUTE, "a word of the missing pool", lambda: reader.condition("Stalled").get("status") == "True")
    said = reader.condition("Stalled")["message"]
    transcript.shows("The pool was deleted with live tasks", kubectl)
    transcript.says(f"Its condition Stalled: {said}")
    kubectl.apply({**{part: pool[part] for part in ("apiVersion", "kind", "spec")}, "metadata": {"name": "node"}})
    wait_for(MINUTE, "the pool", lambda: reader.condition("Stalled").get("status") != "True")
    status = reader.completes()
    transcript.shows("The pool is back, and both iterations are done", kubectl)
    (merged,) = (stage["result"] for stage in reader.records()[1]["stages"] if stage["name"] == "merge")
    assert merged["newGames"] + merged.get("duplicates", 0) == LATER  # a search may play a game that was played already
    assert status["games"] == games_of(place.games("switches")) == GAMES + merged["newGames"]
    transcript.says(
        f"Self-play went on to its end without its pool. {GAMES} and {LATER} games were played; of the latter "
        f"{merged.get('duplicates', 0)} had been played before, move for move, and is not merged again."
    )
    assert status["tasks"].get("failed", 0) == 0


def is_answered(reader: Reader, value: str) -> bool:
    return bool(reader.status().get("handledRequests", {}).get("rollback") == value)
