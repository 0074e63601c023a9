from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.archive import Archive
from ringrift_core.contract import (
    AdoptParameters,
    Artifact,
    Board,
    Decision,
    EvaluateParameters,
    PromoteParameters,
    RollbackParameters,
    Stage,
    StageResult,
    Track,
    Verdict,
)
from ringrift_core.registry.stage import adopt_stage, champion_artifact, promote_stage, read_registry, rollback_stage
from ringrift_core.reporting import Reporter
from ringrift_core.stage import Run, WrongInputError
from ringrift_core.store import Store, StoreRefusedError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Desk:
    """A configuration in a store, and the stages asked of it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.archive = Archive(store, "square8-2p")
        self.run = Run(self.archive, folder, Reporter(Stage.PROMOTE), NOW)
        self.here: dict[str, Any] = {"store": store.uri, "board": Board.SQUARE8, "players": 2}

    def candidate(self, iteration: int) -> Artifact:
        return self.archive.put_json({"iteration": iteration})

    def promote(self, iteration: int, expected: int, request: str = "") -> StageResult:
        parameters = PromoteParameters(
            **self.here,
            track=Track.WEIGHTS,
            iteration=iteration,
            expected_version=expected,
            request_id=request or f"promote-{iteration}",
            candidate=self.candidate(iteration),
        )
        return promote_stage(parameters, self.run)

    def roll_back(self, expected: int) -> StageResult:
        parameters = RollbackParameters(
            **self.here,
            track=Track.WEIGHTS,
            expected_version=expected,
            request_id=f"back-{expected}",
            cause="regressed",
        )
        return rollback_stage(parameters, self.run)

    def judge(self, iteration: int, decision: Decision, track: Track = Track.WEIGHTS) -> None:
        parameters = EvaluateParameters(
            **self.here, iteration=iteration, track=track, candidate=self.candidate(iteration)
        )
        verdict = Verdict(
            track=track, decision=decision, candidate="c", champion="0", games=20, win_rate=0.5, low=0.3, high=0.7,
            raw_share=0.5, reason="-",
        )  # fmt: skip
        result = StageResult(stage=Stage.EVALUATE, started_at=NOW, finished_at=NOW, verdict=verdict)
        self.archive.finish(iteration, f"evaluate-{track}", parameters, result)

    def adopt(self, *tracks: Track) -> dict[str, float]:
        parameters = AdoptParameters(**self.here, tracks=tracks or (Track.WEIGHTS,))
        return adopt_stage(parameters, self.run).metrics


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def test_promoting_moves_the_pointer_in_the_store(desk: Desk) -> None:
    assert desk.promote(1, 0).metrics == {"version": 1, "predecessor": 0}
    result = desk.promote(2, 1)
    assert result.metrics == {"version": 2, "predecessor": 1}
    assert result.outputs["champion"] == champion_artifact(desk.archive, Track.WEIGHTS, 2)
    assert desk.roll_back(2).metrics == {"version": 1, "predecessor": 0}


def test_a_repeated_request_is_not_carried_out_twice(desk: Desk) -> None:
    desk.promote(1, 0)
    desk.promote(2, 1)
    before = read_registry(desk.archive, Track.WEIGHTS)
    assert desk.promote(2, 1).metrics == {"version": 2, "predecessor": 1}
    assert read_registry(desk.archive, Track.WEIGHTS) == before


def test_an_unexpected_champion_is_refused_in_a_sentence(desk: Desk) -> None:
    desk.promote(1, 0)
    with pytest.raises(WrongInputError, match="expects champion version 0, found 1"):
        desk.promote(2, 0)


def test_a_candidate_that_is_not_in_the_store_never_becomes_champion(desk: Desk) -> None:
    artifact = Artifact(uri=f"{desk.archive.store.uri}/square8-2p/objects/x.json", sha256="0" * 64, bytes=1)
    parameters = PromoteParameters(
        **desk.here, track=Track.WEIGHTS, iteration=1, expected_version=0, request_id="r", candidate=artifact
    )
    with pytest.raises(StoreRefusedError, match="is not in store"):
        promote_stage(parameters, desk.run)
    assert read_registry(desk.archive, Track.WEIGHTS).version == 0


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
    metrics = desk.adopt(Track.WEIGHTS, Track.NETWORK)
    assert metrics["iteration"] == metrics["games"] == metrics["champion_network"] == metrics["failures_weights"] == 0
    assert set(metrics.values()) == {0}


def test_an_iteration_is_finished_when_its_candidates_are_judged_and_promoted(desk: Desk) -> None:
    desk.judge(1, Decision.PROMOTE)
    assert desk.adopt()["iteration"] == 0
    desk.promote(1, 0)
    assert desk.adopt()["iteration"] == 1
    assert desk.adopt(Track.WEIGHTS, Track.NETWORK)["iteration"] == 0
    desk.judge(1, Decision.REJECT, Track.NETWORK)
    assert desk.adopt(Track.WEIGHTS, Track.NETWORK)["iteration"] == 1
    desk.judge(2, Decision.REJECT)
    assert desk.adopt(Track.WEIGHTS, Track.NETWORK)["iteration"] == 1
    assert desk.adopt()["iteration"] == 2


def test_failures_count_rejections_since_the_last_promotion_or_rollback(desk: Desk) -> None:
    desk.judge(1, Decision.PROMOTE)
    desk.promote(1, 0)
    desk.judge(2, Decision.PROMOTE)
    desk.promote(2, 1)
    desk.judge(3, Decision.REJECT)
    desk.judge(5, Decision.REJECT)
    assert desk.adopt()["failures_weights"] == 2
    desk.roll_back(2)
    metrics = desk.adopt()
    assert (metrics["failures_weights"], metrics["rollbacks"], metrics["promotions"]) == (0, 1, 2)
    assert (metrics["champion_weights"], metrics["predecessor_weights"]) == (1, 0)
    desk.judge(6, Decision.REJECT)
    assert desk.adopt()["failures_weights"] == 1
