from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.contract import (
    AdoptedTrack,
    AdoptParameters,
    AdoptResult,
    Artifact,
    Board,
    Decision,
    EvaluateParameters,
    PointerResult,
    PromoteParameters,
    RollbackParameters,
    Stage,
    StageResult,
    Track,
    Verdict,
)
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.players.cards import ModelCard, NnueCard
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.registry.stage import adopt_stage, promote_stage, rollback_stage
from ringrift_core.replay.manifest import MergedShards, read_manifest, swap_manifest
from ringrift_core.reporting import Reporter
from ringrift_core.stage import Run
from ringrift_core.store import Store
from tests.results import EMPTY_STORE

NOW = datetime(2026, 1, 1, tzinfo=UTC)

ABSENT = Artifact(uri="file:///elsewhere/x.json", sha256="0" * 64, bytes=1)


def verdict(decision: Decision, track: str, candidate: str) -> dict[str, Any]:
    """As `evaluate` stores it."""
    figures = {"games": 20, "winRate": 0.5, "low": 0.3, "high": 0.7, "rawShare": 0.5}
    return {
        "track": track, "decision": decision, "candidate": candidate, "champion": "0", "reason": "-", **figures
    }  # fmt: skip


class Desk:
    """A configuration in a store, and the stages asked of it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.archive = Archive(store, "square8-2p")
        self.run = Run(self.archive, folder, Reporter(), NOW)
        self.here: dict[str, Any] = {"store": store.uri, "board": Board.SQUARE8, "players": 2}

    def candidate(self, iteration: int) -> Artifact:
        vector = [float(iteration)] * len(FEATURE_NAMES)
        return HeuristicWeights.of_vector(vector, Board.SQUARE8, 2).save(self.archive)

    def network(self, onnx: Artifact | None = None, iteration: int = 1) -> Artifact:
        files = {"weights": self.archive.put_bytes(b"-", "safetensors"), "onnx": self.archive.put_bytes(b"-", "onnx")}
        card = ModelCard(
            board=Board.SQUARE8, players=2, encoding=_engine.ENCODING_VERSION, blocks=1, channels=1,
            iteration=iteration, parent=0, dataset="-", seed=1, torch_version="-", device="cpu", threads=1, machine="-",
            **(files if onnx is None else files | {"onnx": onnx}),
        )  # fmt: skip
        return card.save(self.archive)

    def nnue(self, iteration: int) -> Artifact:
        files = {name: self.archive.put_bytes(b"-", "safetensors") for name in ("network", "parameters")}
        card = NnueCard(
            board=Board.SQUARE8, players=2, inputs=_engine.NNUE_INPUTS_VERSION, iteration=iteration, parent=0,
            dataset="-", seed=1, torch_version="-", threads=1, machine="-", instructions="-", **files,
        )  # fmt: skip
        return card.save(self.archive)

    def verdict(self, candidate: Artifact, decision: Decision = Decision.PROMOTE, track: str = "weights") -> Artifact:
        return self.archive.put_json({"verdict": verdict(decision, track, candidate.sha256), "groups": []})

    def promote(self, iteration: int, expected: int, **more: Any) -> StageResult:
        more.setdefault("request_id", f"promote-{iteration}")
        more.setdefault("candidate", self.candidate(iteration))
        more.setdefault("track", Track.WEIGHTS)
        parameters = PromoteParameters(**self.here, iteration=iteration, expected_version=expected, **more)
        return promote_stage(parameters, self.run)

    def roll_back(self, expected: int, iteration: int = 0, track: Track = Track.WEIGHTS) -> StageResult:
        parameters = RollbackParameters(
            **self.here,
            track=track,
            iteration=iteration,
            expected_version=expected,
            request_id=f"back-{expected}",
            cause="regressed",
        )
        return rollback_stage(parameters, self.run)

    def merge(self, iteration: int, *shards: int, of: int = 1) -> None:
        """As if these shards of an iteration were merged."""
        manifest, version = read_manifest(self.archive)
        cursor = manifest.cursor | {iteration: MergedShards(shards=of, merged=shards)}
        assert swap_manifest(self.archive, manifest.model_copy(update={"cursor": cursor}), version)

    def judge(
        self, iteration: int, decision: Decision | None, track: Track = Track.WEIGHTS, *, merges: bool = True
    ) -> None:
        """As the gate would; None is a match that was no evidence. As a rule the iteration's games are merged."""
        if merges:
            self.merge(iteration, 0)
        parameters = EvaluateParameters(
            **self.here, iteration=iteration, track=track, candidate=self.candidate(iteration)
        )
        assert parameters.candidate is not None
        said = Verdict.model_validate(verdict(decision, track, parameters.candidate.sha256)) if decision else None
        result = StageResult(stage=Stage.EVALUATE, started_at=NOW, finished_at=NOW, verdict=said)
        self.archive.finish(iteration, f"evaluate-{track}", parameters, result)

    def adopt(self, *tracks: Track) -> AdoptResult:
        parameters = AdoptParameters(**self.here, tracks=tracks or (Track.WEIGHTS,))
        return adopt_stage(parameters, self.run).answer(AdoptResult)


def of(found: AdoptResult, track: Track) -> AdoptedTrack:
    (one,) = [each for each in found.tracks if each.track == track]
    return one


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def test_promoting_moves_the_pointer_in_the_store(desk: Desk) -> None:
    assert desk.promote(1, 0).result == PointerResult(version=1, predecessor=0)
    result = desk.promote(2, 1)
    assert result.result == PointerResult(version=2, predecessor=1)
    assert result.outputs["champion"] == champion_artifact(desk.archive, Track.WEIGHTS, 2)
    assert desk.roll_back(2).result == PointerResult(version=1, predecessor=0)


def test_a_repeated_request_is_not_carried_out_twice(desk: Desk) -> None:
    desk.promote(1, 0)
    desk.promote(2, 1)
    before = read_registry(desk.archive, Track.WEIGHTS)
    assert desk.promote(2, 1).result == PointerResult(version=2, predecessor=1)
    assert read_registry(desk.archive, Track.WEIGHTS) == before


def test_a_repeat_that_comes_after_another_move_tells_who_is_champion_now(desk: Desk) -> None:
    desk.promote(1, 0)
    desk.promote(2, 1)
    desk.roll_back(2)
    before = read_registry(desk.archive, Track.WEIGHTS)
    again = desk.promote(2, 1)
    assert again.result == PointerResult(version=1, predecessor=0)
    assert again.message == "request 'promote-2' was carried out before; weights version 1 is champion"
    assert read_registry(desk.archive, Track.WEIGHTS) == before


def test_an_unexpected_champion_is_refused_in_a_sentence(desk: Desk) -> None:
    desk.promote(1, 0)
    with pytest.raises(WrongInputError, match="expects champion version 0, found 1") as refused:
        desk.promote(2, 0)
    assert refused.value.found == PointerResult(version=1, predecessor=0), "whoever asked hears who is champion"


def test_a_request_id_that_stands_for_another_candidate_is_refused(desk: Desk) -> None:
    desk.promote(1, 0)
    with pytest.raises(WrongInputError, match=r"--candidate .* request 'promote-1' was a promote"):
        desk.promote(1, 0, candidate=desk.candidate(2))
    desk.promote(2, 1)
    desk.roll_back(2)
    with pytest.raises(WrongInputError, match=r"request 'back-2' was a rollback"):
        desk.promote(3, 1, request_id="back-2")


def test_a_network_is_champion_of_its_track(desk: Desk) -> None:
    card = desk.network()
    desk.promote(1, 0, track=Track.NETWORK, candidate=card, verdict=desk.verdict(card, track="network"))
    assert read_registry(desk.archive, Track.NETWORK).version == 1


@pytest.mark.parametrize(
    ("track", "candidate", "sentence"),
    [
        (Track.WEIGHTS, lambda desk: desk.network(), "--candidate: .* not heuristic weights"),
        (Track.NETWORK, lambda desk: desk.candidate(1), "--candidate: .* not a model card"),
        (Track.NETWORK, lambda desk: desk.network(onnx=ABSENT), "--candidate: .* is not in store"),
        (Track.NNUE, lambda desk: desk.candidate(1), "--candidate: .* not an NNUE's card"),
        (Track.WEIGHTS, lambda _: ABSENT, "--candidate: .* is not in store"),
        (Track.NNUE, lambda _: ABSENT, "--candidate"),
    ],
)
def test_what_cannot_play_for_the_track_never_becomes_champion(
    desk: Desk, track: Track, candidate: Callable[[Desk], Artifact], sentence: str
) -> None:
    with pytest.raises(WrongInputError, match=sentence):
        desk.promote(1, 0, track=track, candidate=candidate(desk))
    assert read_registry(desk.archive, track).version == 0


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (lambda desk, this: desk.verdict(this, Decision.REJECT), "--verdict: .* says Reject, not Promote"),
        (lambda desk, this: desk.verdict(this, Decision.KEEP), "--verdict: .* says Keep, not Promote"),
        (lambda desk, this: desk.verdict(this, track="network"), "--verdict: .* of track network, not weights"),
        (lambda desk, _: desk.verdict(desk.candidate(7)), "--verdict: .* judges candidate .* not --candidate"),
        (lambda _, this: this, "--verdict: .* not a verdict: verdict: Field required"),
        (lambda *_: ABSENT, "--verdict: .* is not in store"),
    ],
)
def test_a_verdict_that_does_not_accept_this_candidate_is_refused(
    desk: Desk, verdict: Callable[[Desk, Artifact], Artifact], sentence: str
) -> None:
    candidate = desk.candidate(1)
    with pytest.raises(WrongInputError, match=sentence):
        desk.promote(1, 0, candidate=candidate, verdict=verdict(desk, candidate))
    assert read_registry(desk.archive, Track.WEIGHTS).version == 0
    desk.promote(1, 0, candidate=candidate, verdict=desk.verdict(candidate))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no JSON", r"registry/weights\.json: not a registry: Invalid JSON: .*line 1 column 2$"),
        (b"{}", r"registry/weights\.json: not a registry: track: Field required$"),
        (b'{"track":"network"}', r"registry/weights\.json: a registry of track network, not weights$"),
    ],
)
def test_a_file_that_is_not_the_tracks_registry_is_refused_and_left(desk: Desk, content: bytes, sentence: str) -> None:
    key = desk.archive.key("registry/weights.json")
    desk.archive.store.put(key, content)
    with pytest.raises(StoreRefusedError, match=sentence):
        desk.promote(1, 0)
    found = desk.archive.store.read(key)
    assert found is not None
    assert found.content == content


def test_of_many_promotions_at_once_one_wins(desk: Desk) -> None:
    barrier = threading.Barrier(4)

    def attempt(iteration: int) -> bool:
        barrier.wait()
        try:
            desk.promote(iteration, 0)
        except WrongInputError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(attempt, range(1, 5)))
    assert sum(won) == 1
    registry = read_registry(desk.archive, Track.WEIGHTS)
    assert registry.version == 1 + won.index(True)
    assert len(registry.log) == 1


def test_a_version_that_was_never_champion_is_named(desk: Desk) -> None:
    with pytest.raises(WrongInputError, match=r"weights version 3: never a champion .* the champion is none yet"):
        champion_artifact(desk.archive, Track.WEIGHTS, 3)


def test_an_empty_store_adopts_as_zeros(desk: Desk) -> None:
    assert desk.adopt(Track.WEIGHTS, Track.NETWORK) == EMPTY_STORE


def test_an_iteration_is_finished_when_its_candidates_are_judged_and_promoted(desk: Desk) -> None:
    desk.judge(1, Decision.PROMOTE)
    assert desk.adopt().iteration == 0
    desk.promote(1, 0)
    assert desk.adopt().iteration == 1
    assert desk.adopt(Track.WEIGHTS, Track.NETWORK).iteration == 0
    desk.judge(1, Decision.REJECT, Track.NETWORK)
    assert desk.adopt(Track.WEIGHTS, Track.NETWORK).iteration == 1
    desk.judge(2, Decision.REJECT)
    assert desk.adopt(Track.WEIGHTS, Track.NETWORK).iteration == 1
    assert desk.adopt().iteration == 2


def test_an_iteration_whose_games_are_not_merged_is_not_finished_whatever_was_judged(desk: Desk) -> None:
    """A search of weights needs none of them, and may be over before self-play is."""
    desk.judge(1, Decision.REJECT)
    desk.judge(2, Decision.REJECT, merges=False)
    assert desk.adopt().iteration == 1
    desk.merge(2, 0, of=2)
    assert desk.adopt().iteration == 1
    desk.merge(2, 0, 1, of=2)
    assert desk.adopt().iteration == 2


def test_failures_count_rejections_since_the_last_promotion_or_rollback(desk: Desk) -> None:
    desk.judge(1, Decision.PROMOTE)
    desk.promote(1, 0)
    desk.judge(2, Decision.PROMOTE)
    desk.promote(2, 1)
    desk.judge(3, Decision.REJECT)
    desk.judge(5, Decision.REJECT)
    assert of(desk.adopt(), Track.WEIGHTS).failures == 2
    desk.roll_back(2)
    found = desk.adopt()
    assert (found.rollbacks, found.promotions) == (1, 2)
    assert of(found, Track.WEIGHTS) == AdoptedTrack(track=Track.WEIGHTS, champion=1, predecessor=0, failures=0)
    desk.judge(6, Decision.REJECT)
    assert of(desk.adopt(), Track.WEIGHTS).failures == 1


def test_a_rejection_of_an_unfinished_iteration_is_left_for_who_takes_it_up(desk: Desk) -> None:
    both = (Track.WEIGHTS, Track.NETWORK)
    for iteration in (1, 2):
        desk.judge(iteration, Decision.REJECT)
    desk.judge(1, Decision.REJECT, Track.NETWORK)
    found = desk.adopt(*both)
    assert (found.iteration, *(of(found, track).failures for track in both)) == (1, 1, 1)
    desk.judge(2, Decision.REJECT, Track.NETWORK)
    found = desk.adopt(*both)
    assert (found.iteration, *(of(found, track).failures for track in both)) == (2, 2, 2)


def test_a_champion_of_a_track_that_is_not_trained_is_found_too(desk: Desk) -> None:
    desk.promote(1, 0)
    desk.judge(2, Decision.REJECT, Track.NETWORK)
    found = desk.adopt(Track.NETWORK)
    assert (found.iteration, of(found, Track.WEIGHTS).champion, found.promotions) == (2, 1, 1)


def test_a_match_that_was_no_evidence_counts_as_nothing(desk: Desk) -> None:
    for iteration, decision in enumerate([Decision.PROMOTE, Decision.REJECT, None, Decision.REJECT, None], start=1):
        desk.judge(iteration, decision)
        if decision is Decision.PROMOTE:
            desk.promote(iteration, 0)
    found = desk.adopt()
    assert (found.iteration, of(found, Track.WEIGHTS).failures) == (5, 2)


def test_what_moved_in_the_iteration_to_go_on_with_is_told_with_whom_it_began(desk: Desk) -> None:
    for iteration in (1, 2):
        desk.judge(iteration, Decision.PROMOTE)
        desk.promote(iteration, iteration - 1)
    assert of(desk.adopt(), Track.WEIGHTS).moved_since == 0
    desk.judge(3, Decision.PROMOTE)
    desk.roll_back(2, iteration=3)
    found = desk.adopt()
    assert (found.iteration, of(found, Track.WEIGHTS)) == (
        2, AdoptedTrack(track=Track.WEIGHTS, champion=1, predecessor=0, failures=0, moved_since=1, start=2)
    )  # fmt: skip


def test_champions_that_were_made_before_the_first_iteration_are_no_moves_of_it(desk: Desk) -> None:
    """By hand: two of them, which take the numbers 1 and 2."""
    for hand in (1, 2):
        desk.promote(0, hand - 1, request_id=f"hand-{hand}", candidate=desk.candidate(hand))
    desk.judge(1, Decision.PROMOTE)
    found = desk.adopt()
    assert (found.iteration, of(found, Track.WEIGHTS)) == (
        0, AdoptedTrack(track=Track.WEIGHTS, champion=2, predecessor=1, failures=0, moved_since=0, start=0)
    )  # fmt: skip


def test_a_number_that_was_taken_by_hand_keeps_no_candidate_from_being_promoted(desk: Desk) -> None:
    for hand in (1, 2):
        desk.promote(0, hand - 1, request_id=f"hand-{hand}", candidate=desk.candidate(hand))
    found = []
    for iteration in (1, 2, 3, 5):
        desk.judge(iteration, Decision.PROMOTE)
        assert desk.adopt().iteration == iteration - 1
        champion = read_registry(desk.archive, Track.WEIGHTS).version
        promoted = desk.promote(iteration, champion, candidate=desk.candidate(10 + iteration)).answer(PointerResult)
        found.append((iteration, promoted.version, promoted.predecessor))
        assert desk.adopt().iteration == iteration
        if iteration == 3:
            desk.judge(4, Decision.REJECT)
    assert found == [(1, 3, 2), (2, 4, 3), (3, 5, 4), (5, 6, 5)]
    registry = read_registry(desk.archive, Track.WEIGHTS)
    assert [len(registry.moves_of(iteration)) for iteration in range(6)] == [2, 1, 1, 1, 0, 1]


def test_a_promotion_of_the_iteration_to_go_on_with_is_one_of_its_moves(desk: Desk) -> None:
    desk.judge(1, Decision.PROMOTE)
    desk.promote(1, 0)
    desk.judge(2, Decision.PROMOTE)
    desk.promote(2, 1)
    found = of(desk.adopt(Track.WEIGHTS, Track.NETWORK), Track.WEIGHTS)
    assert (found.champion, found.moved_since, found.start) == (2, 1, 1)


@pytest.mark.parametrize(
    ("track", "candidate"),
    [
        (Track.WEIGHTS, lambda desk, version: desk.candidate(version)),
        (Track.NETWORK, lambda desk, version: desk.network(iteration=version)),
        (Track.NNUE, lambda desk, version: desk.nnue(version)),
    ],
)
def test_of_five_champions_three_backups_are_kept_and_a_fourth_rollback_finds_none(
    desk: Desk, track: Track, candidate: Callable[[Desk, int], Artifact]
) -> None:
    """Version 1 once was champion, and was dropped: what nobody keeps comes back to nobody."""
    for version in range(1, 6):
        desk.promote(version, version - 1, track=track, candidate=candidate(desk, version), keep_backup_models=3)
    found = [desk.roll_back(version, track=track).answer(PointerResult).version for version in (5, 4, 3)]
    assert found == [4, 3, 2]
    with pytest.raises(WrongInputError, match="champion 2 has no predecessor to roll back to"):
        desk.roll_back(2, track=track)
    registry = read_registry(desk.archive, track)
    assert registry.version == 2
    assert registry.log[0].version == 1
