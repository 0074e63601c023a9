"""An iteration begins with frozen values; suspend, iterations and new configurations count at once."""

from __future__ import annotations

from datetime import timedelta

from ringrift_operator.api import PipelinePhase, TrainingPipelineSpec
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import World, pipeline_spec, world


def change(one: World, **changes: object) -> None:
    """Another generation of the spec."""
    document = one.specs["tp"].model_dump(mode="json", by_alias=True, exclude_none=True)
    one.specs["tp"] = TrainingPipelineSpec.model_validate({**document, **changes})
    one.generation += 1


def seeds(one: World) -> list[tuple[int, int, int]]:
    return [
        (task.parameters.iteration, task.parameters.seed, task.parameters.games)  # type: ignore[attr-defined]
        for task in one.created
        if task.identity.step == "selfplay"
    ]


def test_the_run_seed_and_the_games_follow_the_iteration() -> None:
    one = world(selfplay={"seed": 7}, iterations=2)
    one.run()
    assert seeds(one) == [(1, 1007, 1000), (2, 2007, 200)]


def test_a_changed_value_counts_from_the_next_iteration_on() -> None:
    one = world(iterations=2, tracks=["network"])

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == "selfplay" and child.identity.iteration == 1:
            change(world, network={"epochs": 3, "bootstrapEpochs": 50})
        world.end(child)

    one.run(answer)
    epochs = [task.parameters.epochs for task in one.created if task.identity.step == "train"]  # type: ignore[attr-defined]
    assert epochs == [100, 3]


def test_more_iterations_count_at_once() -> None:
    one = world(iterations=1)
    one.run()
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    change(one, iterations=2)
    one.run()
    assert one.statuses["tp"].iteration == 2
    assert one.statuses["tp"].observed_generation == 2


def test_an_added_configuration_starts_from_the_beginning() -> None:
    one = world(iterations=1)
    one.run()
    change(one, configurations=[{"board": "square8", "players": 2}, {"board": "hex8", "players": 3}])
    one.step()
    assert one.statuses["tp"].phase == PipelinePhase.BOOTSTRAPPING
    one.run()
    assert [c.iteration for c in one.statuses["tp"].configurations] == [1, 1]


def test_a_removed_configuration_is_forgotten_with_its_children() -> None:
    one = world(configurations=[{"board": "square8", "players": 2}, {"board": "hex8", "players": 3}])
    one.step()
    change(one, configurations=[{"board": "square8", "players": 2}])
    one.step()
    assert {child.identity.configuration for child in one.children.values()} == {"square8-2p"}


def test_the_next_selfplay_waits_for_the_cooldown_and_nothing_else_does() -> None:
    one = world(iterations=2, selfplay={"cooldown": "5m"})
    one.run()
    began = {
        (stage.name, record.spec.iteration): stage.started_at
        for record in one.records.values()
        for stage in record.spec.stages
    }
    first = next(record for record in one.records.values() if record.spec.iteration == 1)
    assert began["selfplay", 2] - first.spec.finished_at >= timedelta(minutes=5)  # type: ignore[operator]
    assert began["cmaes", 2] - first.spec.finished_at < timedelta(minutes=5)  # type: ignore[operator]


def test_suspended_it_finishes_what_runs_and_goes_on_where_it_was() -> None:
    one = world(iterations=1)
    one.step()
    one.end(one.live[0])
    one.step()
    assert [child.identity.step for child in one.live] == ["selfplay"]
    change(one, suspend=True)
    one.run()
    status = one.statuses["tp"]
    assert status.phase == PipelinePhase.SUSPENDED
    assert status.configurations[0].stages["selfplay"] == "Succeeded"
    assert not one.live
    change(one, suspend=False)
    one.run()
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert [task.identity.step for task in one.created].count("selfplay") == 1


def test_a_dry_run_says_what_would_run_and_runs_nothing() -> None:
    one = World(pools=world().pools, specs={"tp": pipeline_spec(dryRun=True, tracks=["weights", "nnue"])})
    one.run()
    assert not one.created
    assert one.statuses["tp"].plan == (
        "square8-2p: adopt what the store already holds",
        "square8-2p: iteration 1: selfplay of 1000 games in 20 shards (descent-only, heuristic-only; seed 1001; "
        "cut after 500 turns), then merge",
        "square8-2p: iteration 1: export, then train the NNUE for at most 50 epochs of batch 1024, "
        "then a gate of at most 200 games (SPRT)",
        "square8-2p: iteration 1: cmaes of at most 10 generations of 20 candidates, 12 games each, "
        "then a gate of at most 200 games (SPRT)",
        "square8-2p: iteration 1: a round robin of champions, predecessors and baselines, 20 games a pair",
    )
    assert [event.reason for event in one.events] == ["DryRun"] * 5


def test_a_configuration_may_have_a_number_of_iterations_of_its_own() -> None:
    one = world(
        iterations=1,
        configurations=[{"board": "square8", "players": 2, "iterations": 3}, {"board": "hex8", "players": 2}],
    )
    one.run()
    assert [configuration.iteration for configuration in one.statuses["tp"].configurations] == [3, 1]
