"""etcd is lost and the store kept: a new cluster adopts what lies there, once it is told that the old one is gone."""

from __future__ import annotations

import pytest

from tests.e2e.recording import wait_for
from tests.e2e.stories.place import MINUTE, Reader, games_of, pipeline, standing
from tests.e2e.stories.transcript import Transcript

GAMES, LATER = 100, 75
PIPELINE = pipeline(
    "kept",
    games=GAMES,
    later=LATER,
    iterations=2,
    selfplay={"engineModes": ["descent-only"], "shardGames": 25, "cooldown": "1s"},
)


def test_etcd(tmp_path_factory: pytest.TempPathFactory, transcript: Transcript) -> None:
    buckets = tmp_path_factory.mktemp("store")
    with standing(tmp_path_factory.mktemp("cluster"), buckets) as place:
        place.install()
        reader = Reader(place.kubectl, "kept")
        place.kubectl.apply(PIPELINE)
        reader.wait("the second self-play", lambda: reader.status().get("iteration") == 1 and reader.works("selfplay"))
        before = reader.status()
        transcript.shows("The first cluster, in the middle of its second iteration", place.kubectl)
    transcript.says("That cluster is gone: node, control plane and etcd. The store is all that is left.")

    with standing(tmp_path_factory.mktemp("cluster"), buckets) as place:
        place.install()
        kubectl, reader = place.kubectl, Reader(place.kubectl, "kept")
        kubectl.apply(PIPELINE)
        held = wait_for(5 * MINUTE, "a word of the claim", lambda: stalled(reader))
        transcript.shows("A new cluster finds that the store is another's", kubectl)
        transcript.says(f"Its condition Stalled: {held}")
        assert "claim" in held
        assert games_of(place.games("kept")) == GAMES

        kubectl("annotate", "tp", "kept", "ringrift.ai/take-over-requested-at=now")
        wait_for(5 * MINUTE, "the adoption", lambda: reader.configuration.get("adopted"))
        adopted = reader.status()
        transcript.shows("Told to take the store over, it adopts what lies there", kubectl)
        told = [each for each in reader.events() if each.startswith(("Adopted:", "TakenOver:"))]
        transcript.prints("kubectl get events", "\n".join(told))
        assert len(told) == 2
        totals = ("iteration", "games", "promotions")
        assert [adopted.get(name, 0) for name in totals] == [before.get(name, 0) for name in totals]

        status = reader.completes()
        transcript.shows("The second iteration is done", kubectl)
        assert status["games"] == games_of(place.games("kept")) == GAMES + LATER
        (second,) = reader.records()
        (merged,) = (stage for stage in second["stages"] if stage["name"] == "merge")
        assert second["iteration"] == 2
        assert merged["result"].get("duplicates", 0) == 0


def stalled(reader: Reader) -> str:
    condition = reader.condition("Stalled")
    return str(condition["message"]) if condition.get("status") == "True" else ""
