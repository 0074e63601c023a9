"""A configuration with an empty status reads its past from the store."""

from __future__ import annotations

from ringrift_core.contract import AdoptedTrack, AdoptResult, Track
from ringrift_operator.api import ConfigurationStatus, PipelinePhase
from ringrift_operator.domain.snapshot import TaskObservation
from tests.results import EMPTY_STORE
from tests.unit.domain.world import World, champions, pipeline_spec, world


def adopting(found: AdoptResult, **changes: object) -> World:
    one = world(**changes)

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.identity.step == "adopt":
            result = result.model_copy(update={"result": found})
        world.end(child, result=result)

    one.run(answer)
    return one


def configuration(one: World) -> ConfigurationStatus:
    return one.statuses["tp"].configurations[0]


def test_adopt_comes_first_and_once() -> None:
    one = world(iterations=1)
    one.run()
    assert [task.identity.step for task in one.created].count("adopt") == 1
    assert one.created[0].identity.step == "adopt"


def test_an_iteration_is_finished_by_the_tracks_that_are_trained() -> None:
    one = world(tracks=["weights", "nnue"])
    one.step()
    assert one.created[0].parameters.tracks == (Track.WEIGHTS, Track.NNUE)  # type: ignore[attr-defined]


def test_it_goes_on_where_the_store_is() -> None:
    weights = AdoptedTrack(track=Track.WEIGHTS, champion=2, predecessor=1, failures=0)
    network = AdoptedTrack(track=Track.NETWORK, champion=0, predecessor=0, failures=2)
    found = AdoptResult(iteration=2, games=450, promotions=2, rollbacks=1, tracks=(weights, network))
    one = adopting(found, iterations=3)
    numbers = {task.identity.iteration for task in one.created}
    assert numbers == {0, 3}
    assert (one.statuses["tp"].promotions, one.statuses["tp"].rollbacks) == (4, 1)
    selfplay = next(task for task in one.created if task.identity.step == "selfplay")
    assert selfplay.parameters.weights_version == 2  # type: ignore[attr-defined]
    assert any(task.identity.step == "regression-weights" for task in one.created)


def test_a_store_that_holds_everything_completes_at_once() -> None:
    one = adopting(EMPTY_STORE.model_copy(update={"iteration": 2, "games": 500}), iterations=2)
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert one.statuses["tp"].games == 500
    assert len(one.created) == 1


def test_a_champion_of_the_iteration_under_way_was_not_there_when_it_began() -> None:
    """The status was lost after weights version 2 was promoted, in mid-iteration 2."""
    weights = AdoptedTrack(track=Track.WEIGHTS, champion=2, predecessor=1, failures=0, moved_since=1, start=1)
    found = AdoptResult(iteration=1, games=100, promotions=2, rollbacks=0, tracks=(weights,))
    one = adopting(found, iterations=2, tracks=["weights"])
    cmaes = next(task for task in one.created if task.identity.step == "cmaes")
    promote = next(task for task in one.created if task.identity.step == "promote-weights")
    assert cmaes.parameters.weights_version == 1  # type: ignore[attr-defined]
    assert promote.parameters.expected_version == 1  # type: ignore[attr-defined]
    assert champions(configuration(one)) == {"weights": "2"}
    assert one.statuses["tp"].promotions == 2, "the repeat finds its promotion done, and it is not counted again"


def test_children_are_left_alone_until_the_store_was_read() -> None:
    one = world(iterations=1)
    one.step()
    one.end(one.live[0])
    one.step()
    selfplay = [child for child in one.live if child.identity.step == "selfplay"]
    one.statuses.clear()  # the status is lost, the Job goes on
    one.step()
    assert selfplay[0].name in one.children


def test_a_configuration_that_comes_back_is_not_counted_twice() -> None:
    both = [{"board": "square8", "players": 2}, {"board": "hex8", "players": 2}]
    found = AdoptResult(iteration=2, games=450, promotions=2, rollbacks=1, tracks=())
    one = adopting(found, iterations=2, configurations=both)
    status = one.statuses["tp"]
    assert (status.promotions, status.rollbacks, status.games) == (4, 2, 900)
    for configurations, games in ((both[:1], 450), (both, 900)):
        one.specs["tp"] = pipeline_spec(iterations=2, configurations=configurations)
        one.generation += 1
        for _ in range(4):
            one.step()
            for child in one.live:
                result = one.result(child).model_copy(update={"result": found})
                one.end(child, result=result)
        status = one.statuses["tp"]
        assert (status.promotions, status.rollbacks, status.games) == (4, 2, games)
    assert status.left_configurations == ()
