"""A bootstrap has the unique games that were asked for, or says that it lacks some."""

from __future__ import annotations

from collections.abc import Callable

from ringrift_core.contract import EngineMode, MergeResult, SelfplayParameters, Shards, Stage, changed
from ringrift_operator.api import StagePhase
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import World, pool, world

GAMES = {"board": "square8", "players": 2, "bootstrapGames": 120, "gamesPerIteration": 60}


def one(**changes: object) -> World:
    return world(configurations=[GAMES], **changes)


def merging(*found: tuple[int, int]) -> Callable[[World, TaskObservation], None]:
    """Merges that find so many unique games and duplicates, one after the other; the last one again and again."""
    left = list(found)

    def answer(here: World, child: TaskObservation) -> None:
        result = here.result(child)
        if child.stage == Stage.MERGE and child.identity.iteration == 1:
            games, duplicates = left.pop(0) if len(left) > 1 else left[0]
            told = changed(result.answer(MergeResult), games=games, new_games=games, duplicates=duplicates)
            result = result.model_copy(update={"result": told})
        here.end(child, result=result)

    return answer


def rounds(here: World, iteration: int = 1) -> list[tuple[int, int, Shards]]:
    """First game, games and shards of each task of an iteration's self-play."""
    asked = [task.parameters for task in here.created if task.identity.iteration == iteration]
    return [(each.first_game, each.games, each.shard) for each in asked if isinstance(each, SelfplayParameters)]


def created(here: World, stage: Stage) -> list[PlacedTask]:
    return [task for task in here.created if task.stage == stage and task.identity.iteration == 1]


def said(here: World, reason: EventReason) -> list[str]:
    return [event.message for event in here.events if event.reason == reason]


def test_what_is_missing_is_played_in_a_round_of_its_own() -> None:
    here = one(iterations=2)
    here.run(merging((117, 3), (120, 3)))
    assert rounds(here) == [(0, 120, Shards(0, 2, 3)), (120, 3, Shards(0, 0, 1))]
    assert [task.identity.attempt for task in created(here, Stage.MERGE)] == [1, 2]
    assert said(here, EventReason.TOPPED_UP) == [
        "square8-2p: 117 of 120 games of the bootstrap are unique: self-play is asked for 3 more"
    ]
    assert said(here, EventReason.GAMES_MISSING) == []
    order = [task.stage for task in here.created if task.identity.iteration == 1]
    assert order.index(Stage.EXPORT) > max(i for i, stage in enumerate(order) if stage == Stage.MERGE)
    assert len(rounds(here, 2)) == 1, "an iteration after it makes do with what comes of it"
    record = here.records["tp-square8-2p-i1"]
    (played,) = [stage for stage in record.spec.stages if stage.name == "selfplay"]
    assert played.phase == StagePhase.SUCCEEDED


def test_a_bootstrap_of_unique_games_has_one_round() -> None:
    here = one(iterations=1)
    here.run()
    assert rounds(here) == [(0, 120, Shards(0, 2, 3))]
    assert said(here, EventReason.TOPPED_UP) == []


def test_each_round_goes_on_after_all_that_were_played() -> None:
    here = one(iterations=1)
    here.run(merging((60, 60), (110, 70), (120, 70)))
    assert rounds(here) == [(0, 120, Shards(0, 2, 3)), (120, 60, Shards(0, 1, 2)), (180, 10, Shards(0, 0, 1))]


def test_a_merge_that_finds_no_game_at_all_is_told_of_too() -> None:
    here = one(iterations=1)
    here.run(merging(*[(0, 0)] * 4))
    assert [first for first, _, _ in rounds(here)] == [0, 120, 240, 360]
    assert len(said(here, EventReason.GAMES_MISSING)) == 1


def test_after_three_rounds_it_goes_on_and_says_so() -> None:
    here = one(iterations=1)
    found = (100, 20), (100, 40), (100, 60), (100, 80)
    here.run(merging(*found))
    assert [first for first, _, _ in rounds(here)] == [0, 120, 140, 160]
    assert said(here, EventReason.GAMES_MISSING) == [
        "square8-2p: 100 of 120 games of the bootstrap are unique after 3 further rounds: it goes on without the others"
    ]
    assert here.configuration().iteration == 1
    assert (here.configuration().top_ups, here.configuration().missing_games) == ((), 0), "of this one alone"


def test_the_status_tells_what_stays_missing_while_the_bootstrap_goes_on() -> None:
    here = one(iterations=1)
    merge = merging((100, 20))
    here.step()
    while not here.configuration().missing_games:
        for child in here.live:
            merge(here, child)
        here.step()
    assert here.configuration().missing_games == 20


def test_a_round_whose_tries_fail_is_tried_again_as_it_was() -> None:
    here = one(iterations=1)
    merge = merging((117, 3), (120, 3))
    failed: list[str] = []

    def answer(there: World, child: TaskObservation) -> None:
        if child.stage == Stage.SELFPLAY and child.identity.part and not failed:
            failed.append(child.name)
            there.fail(child)
        else:
            merge(there, child)

    here.run(answer)
    assert rounds(here)[1:] == [(120, 3, Shards(0, 0, 1))] * 2
    assert len({task.name for task in created(here, Stage.SELFPLAY)}) == 3


def test_a_round_goes_to_a_runner_as_a_whole() -> None:
    slots = [{"name": "s", "stages": ["selfplay"], "count": 4, "resources": {"cpu": "1", "memory": "1Gi"}}]
    here = one(iterations=1, tracks=["weights"])
    here.pools = (pool("runner", type="Runner", slots=slots), *here.pools)
    here.run(merging((50, 70), (120, 70)))
    (first, games, shards), *_ = [each for each in rounds(here) if each[0]]
    assert (first, games, shards) == (120, 70, Shards(0, 1, 2))


def test_games_that_are_learnt_from_already_are_left_as_they_are() -> None:
    """A status of before there were such rounds may tell of an export that runs."""
    here = one(iterations=1)
    while not any(child.stage == Stage.EXPORT for child in here.live):
        here.step()
        for child in here.live:
            if child.stage != Stage.EXPORT:
                here.end(child)
    status = here.statuses["tp"]
    (configuration,) = status.configurations
    tasks = tuple(
        changed(task, result=changed(task.answer(MergeResult), new_games=117, duplicates=3))
        if task.stage == Stage.MERGE
        else task
        for task in configuration.tasks
    )
    here.statuses["tp"] = changed(status, configurations=(configuration.with_tasks(tasks),))
    here.step()
    assert said(here, EventReason.TOPPED_UP) == []


def test_a_status_that_is_lost_in_a_round_costs_no_game() -> None:
    """What had been merged is merged; the store says how much that is."""
    here = one(iterations=1)
    merge = merging((117, 3), (118, 4), (120, 4))
    while len(rounds(here)) < 2:
        here.step()
        for child in here.live:
            if not child.identity.part:
                merge(here, child)
    here.statuses.clear()
    here.children.clear()
    here.run(merge)
    assert [first for first, _, _ in rounds(here)] == [0, 120, 0, 122]


def test_a_network_meets_a_search_from_the_iteration_after_its_bootstrap() -> None:
    here = one(iterations=2, tracks=["network"], selfplay={"engineModes": ["minimax-only", "network-and-minimax"]})
    here.run(merging((120, 0)))
    asked = [task for task in here.created if isinstance(task.parameters, SelfplayParameters)]
    modes = {
        (task.identity.iteration, task.parameters.engine_modes, task.parameters.network_version > 0)
        for task in asked
        if isinstance(task.parameters, SelfplayParameters)
    }
    assert modes == {
        (1, (EngineMode.MINIMAX_ONLY,), False),
        (2, (EngineMode.MINIMAX_ONLY, EngineMode.NETWORK_AND_MINIMAX), True),
    }
