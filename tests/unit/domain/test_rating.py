"""The round robin of an iteration: who plays, when, and that nothing waits for its success."""

from __future__ import annotations

import pytest

from ringrift_core.contract import Decision, Entrant, RoundrobinParameters, RoundrobinResult, Track, changed
from ringrift_operator.api.pipeline_status import StagePhase
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.snapshot import TaskObservation
from ringrift_operator.domain.steps import ROUNDROBIN
from tests.results import RATED, rating_of
from tests.unit.domain.world import World, world

ALL = ["weights", "nnue", "network"]


def rated(one: World, child: TaskObservation) -> RoundrobinResult:
    """Everybody who plays, by version: version n is 100 n strong."""
    (task,) = (task for task in one.created if task.name == child.name)
    assert isinstance(task.parameters, RoundrobinParameters)
    entrants = (rating_of(str(entrant), 100 * entrant.version) for entrant in task.parameters.entrants)
    return changed(RATED, ratings=(*entrants, rating_of("random", -700), rating_of("heuristic", 0)))


def play(one: World, child: TaskObservation) -> None:
    if child.identity.step == ROUNDROBIN:
        one.end(child, result=changed(one.result(child), result=rated(one, child)))
    else:
        one.end(child)


def entrants(one: World) -> list[tuple[int, tuple[Entrant, ...]]]:
    tasks = [task for task in one.created if task.identity.step == ROUNDROBIN]
    return [(task.identity.iteration, task.parameters.entrants) for task in tasks]  # type: ignore[attr-defined]


def test_champions_then_predecessors_play_once_everything_else_has_ended() -> None:
    one = world(iterations=2, tracks=ALL)
    last_of_iteration: dict[int, str] = {}

    def end(one: World, child: TaskObservation) -> None:
        last_of_iteration[child.identity.iteration] = child.identity.step
        play(one, child)

    one.run(end)
    assert last_of_iteration == {0: "adopt", 1: ROUNDROBIN, 2: ROUNDROBIN}
    first, second = (tuple(Entrant(track, version) for track in sorted(Track)) for version in (1, 2))
    assert entrants(one) == [(1, first), (2, (*second, *first))]


def test_ratings_stand_in_status_and_record() -> None:
    one = world(iterations=2, tracks=ALL)
    one.run(play)
    for track in one.configuration().tracks:
        assert track.rating is not None
        assert (track.rating.version, track.rating.iteration, track.rating.elo) == ("2", 2, 200)
    records = sorted(one.records.values(), key=lambda record: record.spec.iteration)
    assert [[track.rating.elo for track in record.spec.tracks if track.rating] for record in records] == [
        [100] * 3,
        [200] * 3,
    ]
    (stage,) = (stage for stage in records[1].spec.stages if stage.name == ROUNDROBIN)
    found = stage.answer(RoundrobinResult)
    assert [rating.player for rating in found.ratings][-2:] == ["random", "heuristic"]


def test_a_rating_stays_its_champions_and_goes_with_it() -> None:
    one = world(iterations=2, tracks=["weights"])

    def end(one: World, child: TaskObservation) -> None:
        if child.identity.step == "evaluate-weights" and child.identity.iteration == 2:
            one.end(child, result=one.result(child, Decision.REJECT))
        elif child.identity.step == ROUNDROBIN and child.identity.iteration == 2:
            one.fail(child, exit_code=2, message="no such board")
        else:
            play(one, child)

    one.run(end)
    weights = one.configuration().track(Track.WEIGHTS)
    assert weights.rating is not None
    assert (weights.champion, weights.rating.version, weights.rating.iteration) == ("1", "1", 1)
    assert weights.rolled_back(champion=0, predecessor=0).rating is None
    assert weights.promoted(champion=3, predecessor=1, against={}).rating is None


@pytest.mark.parametrize("exit_code", [1, 2, 137])
def test_a_round_robin_that_fails_costs_the_iteration_a_warning_and_nothing_else(exit_code: int) -> None:
    rated_world, failed = world(iterations=2), world(iterations=2)
    rated_world.run(play)

    def end(one: World, child: TaskObservation) -> None:
        if child.identity.step == ROUNDROBIN:
            one.fail(child, exit_code=exit_code)
        else:
            one.end(child)

    failed.run(end)
    status, usual = failed.statuses["tp"], rated_world.statuses["tp"]
    assert (status.phase, status.iteration, status.promotions) == (usual.phase, usual.iteration, usual.promotions)
    assert failed.configuration().failed == ""
    assert {track.failure for track in failed.configuration().tracks} == {""}
    for record in failed.records.values():
        (stage,) = (stage for stage in record.spec.stages if stage.name == ROUNDROBIN)
        assert stage.phase == StagePhase.FAILED
        assert all(track.decision == "Promoted" and track.rating is None for track in record.spec.tracks)
    told = [event for event in failed.events if event.reason == EventReason.TASK_FAILED]
    assert told
    assert all(event.is_warning and "roundrobin failed" in event.message for event in told)


def test_nobody_plays_where_there_is_no_champion_or_no_games() -> None:
    rejected = world(iterations=1)
    rejected.run(lambda one, child: one.end(child, result=one.result(child, Decision.REJECT)))
    assert entrants(rejected) == []
    off = world(iterations=2, evaluation={"roundRobin": {"games": 0}})
    off.run(play)
    assert entrants(off) == []
    assert len(off.records) == 2


def test_it_is_told_the_games_of_the_spec_the_iterations_seed_and_where_curves_go() -> None:
    one = world(iterations=1, evaluation={"roundRobin": {"games": 6}}, tracking={"tensorboard": True})
    one.run(play)
    (task,) = (task for task in one.created if task.identity.step == ROUNDROBIN)
    parameters = task.parameters
    assert isinstance(parameters, RoundrobinParameters)
    assert (parameters.games, parameters.seed, parameters.iteration, parameters.tensorboard) == (6, 1001, 1, True)
    assert parameters.max_moves == 500
    assert task.slot is not None
    assert task.slot.name == "play", "the slot that takes gates"
