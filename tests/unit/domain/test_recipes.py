"""Steps and tracks are data: a track of two stages of its own is added by a value, and goes the way of all tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from ringrift_core.contract import (
    STAGES,
    TRACKS,
    EngineMode,
    IterationParameters,
    MergeParameters,
    Result,
    SelfplayParameters,
    Stage,
    StageFacts,
    StageResult,
    Track,
    TrackedParameters,
    TrackFacts,
    TrainParameters,
    read,
)
from ringrift_operator.api import StagePhase, TrackDecision, TrainingPipelineSpec, WorkerPoolSpec
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain import steps
from ringrift_operator.domain.recipe import Commission, Handling, Recipe, Step
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import World, artifact, champions, pipeline_spec, pool, world

ABACUS = Track("abacus")


class CountParameters(IterationParameters):
    """Counts something."""

    stage: ClassVar[Stage] = Stage("count")
    beads: int = 10


class ThinkParameters(IterationParameters):
    """Makes a player of what was counted."""

    stage: ClassVar[Stage] = Stage("think")


class CountResult(Result):
    counted: int


def count(commission: Commission) -> CountParameters:
    return CountParameters(**commission.in_iteration, beads=7)


def think(commission: Commission) -> ThinkParameters:
    commission.made_by("count")
    return ThinkParameters(**commission.in_iteration)


def described(_: ResolvedConfiguration, __: int) -> str:
    return "count beads, then think"


COUNT = Handling(StageFacts(CountParameters, CountResult, "nowhere:count", output="beads", is_light=True))
THINK = Handling(StageFacts(ThinkParameters, CountResult, "nowhere:think", output="candidate"), needs_output=True)
RECIPE = Recipe(
    ABACUS,
    makers=(
        Step("count", COUNT, count, needs=(steps.MERGE,)),
        Step("think", THINK, think, ABACUS, needs=("count",)),
    ),
    described=described,
)
RECIPES = Recipes((*SHIPPED.recipes, RECIPE))


@pytest.fixture(autouse=True)
def _asked_for_by_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRACKS, ABACUS, TrackFacts("beads"))


def counting(**changes: object) -> World:
    """A namespace whose pipeline trains weights and the track of this file."""
    document = pipeline_spec(**changes).model_dump(mode="json", by_alias=True, exclude_none=True)
    spec = read(TrainingPipelineSpec, {**document, "tracks": ["weights", "abacus"]})
    room = pool().spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    room["slots"][0]["stages"].append("think")
    return World(pools=(replace(pool(), spec=read(WorkerPoolSpec, room)),), specs={"tp": spec}, recipes=RECIPES)


def answer(one: World, child: TaskObservation) -> None:
    if child.stage in STAGES:
        one.end(child)
        return
    output = RECIPES.steps[child.identity.step].handling.facts.output
    one.end(
        child,
        result=StageResult(
            stage=child.stage,
            started_at=one.now,
            finished_at=one.now,
            outputs={output: artifact(child.name)},
            result=CountResult(counted=3),
        ),
    )


def test_its_candidate_is_made_gated_and_promoted() -> None:
    one = counting(iterations=3)
    one.run(answer)
    assert champions(one.configuration()) == {"weights": "3", "abacus": "3"}
    record = one.records["tp-square8-2p-i3"].spec
    assert [stage.name for stage in record.stages] == [
        *("selfplay", "merge", "count", "think", "cmaes"),
        *("evaluate-weights", "regression-weights", "promote-weights"),
        *("evaluate-abacus", "regression-abacus", "promote-abacus", "roundrobin"),
    ]
    track = next(track for track in record.tracks if track.track == ABACUS)
    assert track.decision == TrackDecision.PROMOTED
    assert track.candidate is not None
    parameters = [task.parameters for task in one.created if task.identity.step == "count"]
    assert [type(each) for each in parameters] == [CountParameters] * 3
    assert [task.identity.pool for task in one.created if task.identity.step in ("count", "think")] == ["", "pool"] * 3


def test_what_fails_it_is_skipped_and_said() -> None:
    one = counting(iterations=1)

    def fails(world: World, child: TaskObservation) -> None:
        if child.identity.step == "count":
            world.fail(child, exit_code=2, message="no beads")
        else:
            answer(world, child)

    one.run(fails)
    assert one.configuration().track(ABACUS).failure == "count failed: no beads"
    (record,) = one.records.values()
    assert {stage.name: stage.phase for stage in record.spec.stages}["think"] == StagePhase.SKIPPED


def test_selfplay_is_told_who_plays_and_how_often_at_random() -> None:
    one = counting(iterations=1, selfplay={"engineModes": ["minimax-only"], "randomMoves": 0.25})
    one.run(answer)
    told = [task.parameters for task in one.created if task.identity.step == "selfplay"]
    assert told
    assert all(isinstance(each, SelfplayParameters) for each in told)
    assert {(each.engine_modes, each.random_moves) for each in told if isinstance(each, SelfplayParameters)} == {
        ((EngineMode.MINIMAX_ONLY,), 0.25)
    }


def test_a_dry_run_describes_it() -> None:
    one = counting(dryRun=True)
    one.run()
    assert "square8-2p: iteration 1: count beads, then think, then a gate of at most 200 games (SPRT)" in (
        one.statuses["tp"].plan
    )


def test_a_pool_without_room_for_it_is_named() -> None:
    one = counting()
    one.pools = (pool(),)
    one.step()
    stalled = next(each for each in one.statuses["tp"].conditions if each.type == "Stalled")
    assert "no WorkerPool takes think of square8-2p" in stalled.message


def test_without_its_recipe_it_is_skipped() -> None:
    one = counting(iterations=1)
    one.recipes = SHIPPED
    one.run()
    assert one.statuses["tp"].phase == "Completed"
    assert any("abacus is skipped: it has no stages yet" in event.message for event in one.events)


def test_a_step_waits_for_those_it_comes_after_however_they_end() -> None:
    """A round robin would, for the tracks to be settled."""
    tracks = (Track.WEIGHTS, Track.NETWORK)

    def gather(commission: Commission) -> MergeParameters:
        return MergeParameters(**commission.in_iteration)

    closing = Step(
        "gathering",
        Handling(STAGES[Stage.MERGE]),
        gather,
        after=tuple(name(track) for track in tracks for name in (steps.evaluate, steps.promote)),
    )
    one = world(iterations=1)
    one.recipes = Recipes(SHIPPED.recipes, (*SHIPPED.shared, closing))
    ended: list[str] = []

    def fails(world: World, child: TaskObservation) -> None:
        ended.append(child.identity.step)
        if child.identity.step == "train":
            world.fail(child, exit_code=2)
        else:
            world.end(child)

    one.run(fails)
    assert ended[-2:] == ["gathering", "roundrobin"], "the network's gate was skipped, and keeps nobody waiting"
    assert {"train", "promote-weights"} <= set(ended)
    assert one.statuses["tp"].iteration == 1


def test_steps_stand_in_the_order_in_which_they_get_slots() -> None:
    assert list(SHIPPED.steps) == [
        *("adopt", "selfplay", "merge", "sync", "export", "nnue", "distill", "train", "cmaes"),
        *("evaluate-weights", "regression-weights", "promote-weights"),
        *("evaluate-nnue", "regression-nnue", "promote-nnue"),
        *("evaluate-network", "regression-network", "promote-network"),
        *("rollback-weights", "requested-rollback-weights", "rollback-nnue", "requested-rollback-nnue"),
        *("rollback-network", "requested-rollback-network", "roundrobin"),
    ]


def test_every_stage_has_a_step_and_every_step_the_facts_of_its_stage() -> None:
    assert {step.stage for step in SHIPPED.steps.values()} == set(Stage)
    assert all(step.handling.facts is STAGES[step.stage] for step in SHIPPED.steps.values())


def test_a_network_learns_from_outcomes_alone_until_a_network_searches() -> None:
    """And, once there is a champion, from it, each new position used so many times."""
    one = world(iterations=3, network={"uses": 6, "outcomeWeight": 0.7, "size": "medium", "surprise": 0.5})
    one.run()
    told = [task.parameters for task in one.created if task.identity.step == "train"]
    assert all(isinstance(parameters, TrainParameters) for parameters in told)
    assert [str(parameters.start_from) for parameters in told] == ["None", "1", "2"]  # type: ignore[attr-defined]
    assert [parameters.outcome_weight for parameters in told] == [1.0, 0.7, 0.7]  # type: ignore[attr-defined]
    assert [parameters.uses for parameters in told] == [0, 6, 6]  # type: ignore[attr-defined]
    assert {(parameters.size, parameters.surprise) for parameters in told} == {("medium", 0.5)}  # type: ignore[attr-defined]


def test_who_is_told_curves_is_a_matter_of_the_spec() -> None:
    tracking = {"tensorboard": True, "wandb": {"project": "games", "mode": "offline"}}
    for asked, wanted in ((tracking, (True, "games", "offline")), ({}, (False, "", "online"))):
        one = world(iterations=1, tracking=asked)
        one.run()
        told = [task.parameters for task in one.created if isinstance(task.parameters, TrackedParameters)]
        assert {parameters.stage for parameters in told} >= {Stage.TRAIN, Stage.EVALUATE}
        assert {(each.tensorboard, each.wandb_project, each.wandb_mode) for each in told} == {wanted}
