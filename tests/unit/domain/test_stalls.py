"""What cannot move until someone changes something, and its sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ringrift_operator.api import ConditionStatus, ConditionType, PipelinePhase
from ringrift_operator.domain.recipes import Recipes
from ringrift_operator.domain.recipes.weights import WEIGHTS
from ringrift_operator.domain.snapshot import OtherPipeline, TaskObservation
from tests.unit.domain.world import BEGINNING, World, champions, pipeline_spec, pool, world


def stalled(one: World) -> str:
    """The sentence, or nothing."""
    one.step()
    condition = next(c for c in one.statuses["tp"].conditions if c.type == ConditionType.STALLED)
    return condition.message if condition.status == ConditionStatus.TRUE else ""


def other(age: int, **changes: object) -> OtherPipeline:
    spec = pipeline_spec(**changes)
    created = BEGINNING + timedelta(seconds=age)
    return OtherPipeline("older", "uid-older", created, spec.artifacts, frozenset({"square8-2p"}), "games")


def test_nothing_stalls_an_ordinary_pipeline() -> None:
    assert stalled(world()) == ""


def test_a_folder_of_one_machine_stands_still_with_a_sentence() -> None:
    one = world(artifacts={"uri": "file:///tmp/x"})
    assert "is for `ringrift-operator local`" in stalled(one)
    assert not one.created


def test_a_track_without_a_recipe_alone_stands_still() -> None:
    one = world(tracks=["nnue"])
    one.recipes = Recipes((WEIGHTS,))
    assert "the nnue track has no stages yet: add weights to tracks" in stalled(one)
    assert not one.created


def test_of_two_pipelines_with_the_same_store_the_younger_stalls() -> None:
    one = world()
    one.others = (other(-1),)
    assert "pipeline older in namespace games already trains square8-2p in the same store" in stalled(one)
    assert not one.created
    one.others = (other(+1),)
    assert stalled(one) == ""


def test_another_store_or_configuration_is_no_conflict() -> None:
    one = world()
    one.others = (other(-1, artifacts={"uri": "s3://ringrift/elsewhere"}),)
    assert stalled(one) == ""
    one = world(configurations=[{"board": "hex8", "players": 2}])
    one.others = (other(-1),)
    assert stalled(one) == ""


def test_a_stage_that_no_pool_takes_is_named_while_the_rest_goes_on() -> None:
    one = world()
    play = {"name": "play", "stages": ["selfplay", "evaluate", "cmaes"], "resources": {"memory": "1Gi"}}
    one.pools = (pool(slots=[play]),)
    assert stalled(one) == (
        "no WorkerPool takes train of square8-2p: add a slot with stage train to a pool for square8 and 2 players"
    )
    assert one.created


def test_without_any_pool_that_is_said() -> None:
    one = world()
    one.pools = ()
    assert "there is no WorkerPool to run selfplay, train, cmaes, evaluate of square8-2p: create" in stalled(one)


def test_a_selector_that_selects_nothing_is_told_by_its_field() -> None:
    one = world(poolSelector={"matchLabels": {"site": "moon"}})
    stages = "selfplay, train, cmaes, evaluate of square8-2p"
    assert stalled(one) == (
        f"spec.poolSelector selects no WorkerPool to run {stages}: change it, or the labels of pool"
    )


def test_a_pool_that_cannot_be_read_is_named_where_no_other_takes_a_stage() -> None:
    one = world()
    one.unread_pools = ("tomorrow",)
    assert stalled(one) == ""
    one = world()
    one.pools, one.unread_pools = (), ("tomorrow",)
    assert (
        stalled(one)
        == "no WorkerPool takes selfplay, train, cmaes, evaluate of square8-2p, and tomorrow cannot be read "
        "(kubectl describe workerpool says what to mend)"
    )


def test_a_busy_or_suspended_pool_is_no_stall() -> None:
    one = world()
    one.pools = (pool(suspend=True),)
    assert stalled(one) == ""


@pytest.mark.parametrize("step", ["adopt", "merge"])
def test_a_refused_adopt_or_merge_is_phase_failed(step: str) -> None:
    one = world()

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == step:
            world.fail(child, exit_code=2, message="the manifest is no manifest")
        else:
            world.end(child)

    one.run(answer)
    assert one.statuses["tp"].phase == PipelinePhase.FAILED
    assert f"{step} was given up (the manifest is no manifest)" in stalled(one)
    assert not one.records


def test_a_large_batch_without_cuda_is_a_stall_and_trains_nowhere() -> None:
    one = world(iterations=1, network={"batchSize": 1024})
    one.run()
    assert "add a slot with stage train and device cuda (batch 1024 is above 512)" in stalled(one)
    assert not any(task.identity.step == "train" for task in one.created)


def refuse_selfplay(world: World, child: TaskObservation) -> None:
    if child.identity.step == "selfplay":
        world.fail(child, exit_code=2, message="was finished for games 30, not 25")
    else:
        world.end(child)


def test_nothing_is_promoted_while_self_play_was_refused() -> None:
    one = world(iterations=1)
    one.run(refuse_selfplay)
    assert "selfplay was given up (was finished for games 30, not 25)" in stalled(one)
    assert one.statuses["tp"].phase == PipelinePhase.FAILED
    assert one.statuses["tp"].promotions == 0
    assert not one.records


def test_self_play_that_was_refused_is_tried_again_with_the_spec_of_then() -> None:
    one = world(iterations=1)
    one.run(refuse_selfplay)
    one.specs["tp"] = pipeline_spec(
        iterations=1, configurations=[{"board": "square8", "players": 2, "bootstrapGames": 30}]
    )
    one.generation += 1
    one.run()
    tries = [task for task in one.created if task.identity.step == "selfplay"]
    assert [task.identity.attempt for task in tries] == [1, 2]
    assert tries[1].parameters.games == 30  # type: ignore[attr-defined]
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert [task.identity.step for task in one.created].count("cmaes") == 1
    assert one.statuses["tp"].promotions == 2


def test_a_champion_can_be_rolled_back_while_self_play_was_refused() -> None:
    one = world(iterations=3)

    def refuse_the_third(world: World, child: TaskObservation) -> None:
        (refuse_selfplay if child.identity.iteration == 3 else World.end)(world, child)

    one.run(refuse_the_third)
    one.annotations = {"ringrift.ai/rollback-requested": "square8-2p/network@2026-01-31T12:00:00Z"}
    one.run(refuse_the_third)
    assert champions(one.configuration())["network"] == "1"
    one.generation += 1
    one.run()
    tries = [task.parameters for task in one.created if task.identity.step == "selfplay"]
    assert [parameters.network_version for parameters in tries] == [0, 1, 2, 1]  # type: ignore[attr-defined]
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
