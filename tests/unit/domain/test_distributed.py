"""Training in several processes: which slots take it, how many places it takes, and what its ends cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.contract import ExitCode, TrainParameters
from ringrift_operator.api import ConditionType, TrainingPipelineSpec
from ringrift_operator.api.pipeline_status import TaskStatus
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.reasons import FindingReason
from ringrift_operator.domain.snapshot import PoolObservation, TaskObservation
from tests.unit.domain.test_stalls import stalled
from tests.unit.domain.world import World, pipeline_spec, pool

PLAY = pool("play", slots=[{"name": "play", "stages": ["selfplay", "evaluate"], "resources": {"memory": "1Gi"}}])
GPU = "nvidia.com/gpu"
ABSENT = "which is nowhere: make it"


def trainers(
    name: str = "gpus", count: int = 4, gpus: int = 0, kind: str = "Cluster", **slot: object
) -> PoolObservation:
    """A pool that trains alone: on the cores of `count` places, or on their GPUs."""
    resources = {"cpu": "4", "memory": "8Gi", **({GPU: str(gpus)} if gpus else {})}
    device = {"device": "cuda"} if gpus else {}
    learn = {"name": "learn", "stages": ["train"], "count": count, "resources": resources, **device, **slot}
    return pool(name, type=kind, slots=[learn])


def spec(nodes: int = 1, processes: int = 1, batch: int = 256, **changes: object) -> TrainingPipelineSpec:
    network = {"batchSize": batch, "distributed": {"nodes": nodes, "processesPerNode": processes}}
    return pipeline_spec(**{"tracks": ["network"], "iterations": 1, "network": network, **changes})


def a_world(*pools: PoolObservation, **asked: int) -> World:
    return World(pools=(PLAY, *pools), specs={"tp": spec(**asked)})


def trained(one: World) -> list[PlacedTask]:
    """The trainings of a whole run."""
    one.run()
    return [task for task in one.created if task.identity.step == "train"]


@settings(deadline=None)
@given(
    nodes=st.integers(1, 5),
    processes=st.integers(1, 5),
    count=st.integers(1, 5),
    gpus=st.integers(0, 5),
    kind=st.sampled_from(["Cluster", "Runner"]),
)
def test_a_gang_has_all_its_places_at_once_or_none(
    nodes: int, processes: int, count: int, gpus: int, kind: str
) -> None:
    tasks = trained(a_world(trainers(count=count, gpus=gpus, kind=kind), nodes=nodes, processes=processes))
    is_alone = nodes * processes == 1
    has_room = count >= nodes and (gpus == 0 or processes <= gpus)
    assert bool(tasks) == (is_alone or (kind == "Cluster" and has_room))
    for task in tasks:
        assert (task.demand.places, task.demand.processes, task.identity.parallelism) == (nodes, processes, nodes)
        assert isinstance(task.parameters, TrainParameters)
        assert task.parameters.distributed == (not is_alone)
        assert len(task.name) <= (52 if nodes == 1 else 47)


def test_what_fits_no_slot_says_what_is_missing() -> None:
    one = a_world(trainers(count=2, gpus=2), nodes=4, processes=3)
    assert stalled(one) == (
        "no WorkerPool takes train of square8-2p: add a slot with stage train and a count of at least 4 (it takes so "
        "many places at once) and 3 GPUs, or device cpu (so many processes train together in a Pod), of type Cluster "
        "(several processes train together in Pods alone) to a pool for square8 and 2 players"
    )


def test_gpus_are_preferred_to_cores() -> None:
    (task,) = trained(a_world(trainers("cores"), trainers("gpus", gpus=1), nodes=2))
    assert task.identity.pool == "gpus"


def test_a_small_batch_waits_for_its_slot_and_a_large_one_or_several_processes_take_the_dear_one() -> None:
    dear = trainers("dear", gpus=1, minBatch=513)
    mac = trainers("mac", count=1, kind="Runner", device="mps")
    away = replace(mac, online=False)
    assert [task.identity.pool for task in trained(a_world(dear, mac))] == ["mac"]
    one = a_world(dear, away)
    assert trained(one) == []
    assert stalled(one) == "", "it waits"
    assert [task.identity.pool for task in trained(a_world(dear, away, batch=513))] == ["dear"]
    assert [task.identity.pool for task in trained(a_world(dear, away, nodes=2))] == ["dear"]
    assert "a slot with stage train and no minBatch above 256" in stalled(a_world(dear))


def training(one: World) -> TaskStatus:
    return next(task for task in one.configuration().tasks if task.name == "train")


def until_it_trains(one: World) -> TaskObservation:
    for _ in range(20):
        one.step()
        for child in one.live:
            if child.identity.step == "train":
                return child
            one.end(child)
    raise AssertionError("it never trains")


@pytest.mark.parametrize(("exit_code", "failures", "delays"), [(ExitCode.NOT_NOW, 0, 1), (137, 1, 0), (1, 1, 0)])
def test_a_drain_costs_no_attempt_and_a_crash_one(exit_code: int, failures: int, delays: int) -> None:
    one = a_world(trainers(gpus=1), nodes=4)
    child = until_it_trains(one)
    one.fail(child, exit_code=exit_code, message="gone")
    one.step()
    task = training(one)
    assert (task.failures, task.delays, task.attempt) == (failures, delays, 2)
    one.now = task.not_before or one.now
    again = until_it_trains(one)
    assert (again.identity.attempt, again.identity.parallelism) == (2, 4)


def test_a_gang_waits_until_enough_places_are_free_and_nobody_overtakes_it() -> None:
    configurations = [{"board": board, "players": 2} for board in ("square8", "hex8")]
    specs = {
        "a": spec(artifacts={"uri": "s3://a/a"}, configurations=configurations),
        "b": spec(nodes=2, artifacts={"uri": "s3://b/b"}),
    }
    one = World(pools=(PLAY, trainers(count=2)), specs=specs)
    most = 0
    for _ in range(60):
        one.step()
        busy = sum(child.identity.parallelism for child in one.live if child.identity.step == "train")
        most = max(most, busy)
        for child in one.live:
            one.end(child)
    assert most == 2, "never more than there are places"
    trainings = [each for each in one.created if each.identity.step == "train"]
    assert {(each.identity.pipeline, each.demand.places) for each in trainings} == {("a", 1), ("b", 2)}


def finding(one: World) -> str:
    return next(each.reason for each in one.statuses["tp"].conditions if each.type == ConditionType.STALLED)


def test_without_jobsets_only_what_needs_several_nodes_stands_still() -> None:
    one = a_world(trainers(), nodes=2)
    one.jobset_fault = ABSENT
    assert trained(one) == []
    assert {task.identity.step for task in one.created} >= {"selfplay", "export"}
    assert stalled(one) == (
        "square8-2p: train on 2 nodes needs JobSet, which is nowhere: make it, or set network.distributed.nodes to 1"
    )
    assert finding(one) == FindingReason.JOBSET_MISSING
    one.jobset_fault = ""
    assert stalled(one) == ""
    assert [task.demand.places for task in trained(one)] == [2]


def test_several_processes_of_one_node_need_no_jobset() -> None:
    one = a_world(trainers(), processes=2)
    one.jobset_fault = ABSENT
    assert [(task.demand.places, task.demand.processes) for task in trained(one)] == [(1, 2)]


def test_how_many_train_together_may_be_set_right_while_it_waits() -> None:
    one = a_world(trainers(), nodes=2)
    one.jobset_fault = ABSENT
    assert trained(one) == []
    one.specs["tp"] = spec(nodes=1)
    assert [task.demand.places for task in trained(one)] == [1], "in the iteration that began with two"


def test_a_dry_run_says_how_many_train_together() -> None:
    one = a_world(trainers(), nodes=2, processes=2)
    one.specs["tp"] = spec(nodes=2, processes=2, dryRun=True)
    one.step()
    assert any("epochs of batch 256 in 4 processes on 2 nodes" in line for line in one.statuses["tp"].plan)


def test_local_trains_in_one_process_what_a_cluster_trains_in_several() -> None:
    one = a_world(trainers(kind="Runner"), nodes=4)
    one.jobset_fault = ABSENT
    local = one.snapshot
    one.snapshot = lambda name="tp": replace(local(name), local_store="file:///here")  # type: ignore[method-assign]
    (task,) = trained(one)
    assert (task.demand.places, task.demand.processes) == (1, 1)
    assert isinstance(task.parameters, TrainParameters)
    assert not task.parameters.distributed
