"""Two clusters on one store: only the one that its claim names moves what the store holds."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.archive import Archive
from ringrift_core.claim import LIVE_FOR, Claim, check_claim, give_back_claim, read_claim, take_claim
from ringrift_core.contract import (
    STAGE_PROGRAM,
    STAGES,
    AdoptParameters,
    AdoptResult,
    Board,
    ClaimParameters,
    ExitCode,
    Holder,
    MergeParameters,
    PointerParameters,
    PromoteParameters,
    RollbackParameters,
    Stage,
    StageResult,
    Track,
    asked_values,
    set_values,
    to_arguments,
)
from ringrift_core.errors import HeldError
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.registry.records import read_registry
from ringrift_core.registry.stage import adopt_stage, promote_stage, rollback_stage
from ringrift_core.replay.merge import merge_stage
from ringrift_core.reporting import Reporter
from ringrift_core.stage import Run
from ringrift_core.store import Store

HERE = Holder(cluster="7f3c", namespace="games", pipeline="demo")
THERE = Holder(cluster="91aa", namespace="games", pipeline="demo")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Cluster:
    """What one pipeline of a cluster asks of a store."""

    def __init__(self, store: Store, folder: Path, holder: Holder | None) -> None:
        self.archive = Archive(store, "square8-2p")
        self.run = Run(self.archive, folder, Reporter(), NOW)
        self.here: dict[str, Any] = {"store": store.uri, "board": Board.SQUARE8, "players": 2, "holder": holder}

    def parameters(self, **more: Any) -> AdoptParameters:
        return AdoptParameters(**self.here, **more)

    def adopt(self, **more: Any) -> StageResult:
        return adopt_stage(self.parameters(**more), self.run)

    def promote(self, iteration: int, expected: int, **more: Any) -> StageResult:
        vector = [float(iteration)] * len(FEATURE_NAMES)
        candidate = HeuristicWeights.of_vector(vector, Board.SQUARE8, 2).save(self.archive)
        told = {"track": Track.WEIGHTS, "request_id": f"promote-{iteration}", "candidate": candidate}
        return promote_stage(
            PromoteParameters(**self.here, iteration=iteration, expected_version=expected, **told, **more), self.run
        )

    def roll_back(self, expected: int) -> StageResult:
        told = {"track": Track.WEIGHTS, "request_id": "back", "cause": "regressed"}
        return rollback_stage(RollbackParameters(**self.here, expected_version=expected, **told), self.run)

    def merge(self) -> StageResult:
        return merge_stage(MergeParameters(**self.here, iteration=1), self.run)

    @property
    def champion(self) -> int:
        return read_registry(self.archive, Track.WEIGHTS).version


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Cluster:
    return Cluster(store, tmp_path, HERE)


@pytest.fixture
def there(store: Store, tmp_path: Path) -> Cluster:
    return Cluster(store, tmp_path, THERE)


@pytest.fixture
def nobody(store: Store, tmp_path: Path) -> Cluster:
    return Cluster(store, tmp_path, None)


def holder(cluster: Cluster) -> Holder | None:
    claim, _ = read_claim(cluster.archive)
    return claim.holder if claim is not None else None


def test_adopting_claims_the_store_and_another_cluster_finds_it_held(here: Cluster, there: Cluster) -> None:
    here.adopt()
    with pytest.raises(HeldError, match=r"held by pipeline games/demo of cluster 7f3c, which last wrote to it at "):
        there.adopt()
    assert holder(there) == HERE


def test_whoever_holds_the_store_moves_what_it_holds_and_the_zombie_moves_nothing(
    here: Cluster, there: Cluster
) -> None:
    here.adopt()
    here.promote(1, 0)
    there.adopt(take_over=True)
    there.promote(2, 1)
    with pytest.raises(HeldError, match="of cluster 91aa"):
        here.promote(3, 2)
    with pytest.raises(HeldError, match="of cluster 91aa"):
        here.roll_back(2)
    with pytest.raises(HeldError, match="of cluster 91aa"):
        here.merge()
    assert there.champion == 2
    there.roll_back(2)
    assert there.champion == 1


def test_a_move_that_is_asked_to_take_over_does_and_the_other_is_fenced(here: Cluster, there: Cluster) -> None:
    there.adopt()
    here.promote(1, 0, take_over=True)
    assert holder(here) == HERE
    with pytest.raises(HeldError):
        there.roll_back(1)


def test_a_claim_whose_holder_has_not_written_for_an_hour_is_taken_over_and_told_of(
    here: Cluster, there: Cluster
) -> None:
    take_claim(here.archive, here.parameters(), NOW)
    with pytest.raises(HeldError, match="2026-01-01 12:00 UTC"):
        take_claim(there.archive, there.parameters(), NOW + LIVE_FOR - timedelta(seconds=1))
    assert take_claim(there.archive, there.parameters(), NOW + LIVE_FOR) == HERE
    take_claim(here.archive, here.parameters(take_over=True), NOW)
    assert there.adopt().answer(AdoptResult).taken_over == str(HERE), "which was last renewed long ago"


def test_every_move_renews_the_claim(here: Cluster, there: Cluster) -> None:
    take_claim(here.archive, here.parameters(), NOW)
    check_claim(here.archive, here.parameters(), NOW + LIVE_FOR)
    with pytest.raises(HeldError):
        take_claim(there.archive, there.parameters(), NOW + LIVE_FOR)


def test_a_zombie_does_not_take_an_old_claim_back_by_itself(here: Cluster, there: Cluster) -> None:
    """Or two clusters with long iterations would take the store from each other for ever."""
    take_claim(there.archive, there.parameters(), NOW)
    with pytest.raises(HeldError):
        check_claim(here.archive, here.parameters(), NOW + 5 * LIVE_FOR)


def test_a_claim_that_was_given_back_is_the_next_ones_and_says_no_time(here: Cluster, there: Cluster) -> None:
    here.adopt()
    assert here.adopt(give_back=True).message == "the claim was given back"
    found = here.archive.store.read("square8-2p/claim.json")
    assert found is not None
    assert b'renewedAt": null' in found.content
    there.promote(1, 0)
    assert holder(there) == THERE
    assert here.adopt(give_back=True).message == "no claim to give back"
    assert holder(there) == THERE


def test_a_store_without_a_claim_and_a_person_go_on_as_ever(here: Cluster, there: Cluster, nobody: Cluster) -> None:
    nobody.adopt()
    here.promote(1, 0)
    there.promote(2, 1)
    assert read_claim(here.archive) == (None, None)
    here.adopt()
    nobody.promote(3, 2)
    assert holder(here) == HERE


def test_pipelines_of_one_namespace_follow_each_other_at_once(here: Cluster, store: Store, tmp_path: Path) -> None:
    here.adopt()
    heir = Cluster(store, tmp_path, Holder(cluster=HERE.cluster, namespace=HERE.namespace, pipeline="next"))
    assert heir.adopt().answer(AdoptResult).taken_over == str(HERE)
    with pytest.raises(HeldError):
        here.promote(1, 0)


def test_of_clusters_that_adopt_together_one_has_the_store(store: Store, tmp_path: Path) -> None:
    many = [
        Cluster(store, tmp_path, Holder(cluster=f"c{number}", namespace="games", pipeline="demo"))
        for number in range(8)
    ]

    def adopts(cluster: Cluster) -> bool:
        try:
            take_claim(cluster.archive, cluster.parameters(), NOW)
        except HeldError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(adopts, many))
    assert sum(won) == 1
    assert holder(many[0]) == many[won.index(True)].here["holder"]


def test_a_claim_of_a_later_version_is_read_and_given_back_by_nobody_else(here: Cluster, there: Cluster) -> None:
    here.adopt()
    assert not give_back_claim(there.archive, THERE)
    content = Claim(holder=HERE, renewed_at=NOW).model_dump_json(by_alias=True).replace("{", '{"later": 1, ', 1)
    here.archive.store.put("square8-2p/claim.json", content.encode())
    assert holder(there) == HERE


def test_who_asks_is_no_part_of_what_a_task_is(nobody: Cluster, here: Cluster) -> None:
    def merge(cluster: Cluster, **more: Any) -> MergeParameters:
        return MergeParameters(**cluster.here, iteration=1, **more)

    assert set_values(merge(here, take_over=True)) == set_values(merge(nobody))
    assert not {"holder", "takeOver"} & asked_values(merge(here)).keys()
    assert "--holder" not in to_arguments(merge(nobody))


def test_the_command_line_carries_the_holder_and_says_who_holds_the_store(tmp_path: Path) -> None:
    def ringrift(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*STAGE_PROGRAM, *arguments], capture_output=True, text=True, check=False)

    store = (tmp_path / "store").as_uri()
    place = ["--store", store, "--board", "square8", "--players", "2"]
    assert ringrift("adopt", *place, "--holder", "7f3c/games/demo").returncode == 0
    refused = ringrift("adopt", *place, "--holder", "91aa/games/demo")
    assert refused.returncode == ExitCode.HELD
    assert f"square8-2p in {store} is held by pipeline games/demo of cluster 7f3c" in refused.stderr
    assert ringrift("adopt", *place, "--holder", "91aa/games/demo", "--take-over").returncode == 0
    wrong = ringrift("adopt", *place, "--holder", "91aa")
    assert wrong.returncode == ExitCode.WRONG_INPUT
    assert "--holder: expected CLUSTER/NAMESPACE/PIPELINE, found '91aa'" in wrong.stderr


def test_every_stage_that_moves_what_others_read_can_be_fenced() -> None:
    moving = {Stage.ADOPT, Stage.MERGE, Stage.PROMOTE, Stage.ROLLBACK}
    assert {stage for stage, facts in STAGES.items() if issubclass(facts.parameters, ClaimParameters)} == moving
    assert issubclass(PointerParameters, ClaimParameters)
