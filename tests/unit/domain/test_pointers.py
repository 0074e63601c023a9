"""Tasks that read a champion's pointer and tasks that move it, in every order: none of them fails for another's sake.

The registry is the core's own (`ringrift_core/registry/champions.py`). A child does its reading, or its move, at any
moment of its life, and may die after it and before anybody hears of it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.contract import (
    AdoptedTrack,
    AdoptResult,
    CmaesParameters,
    Decision,
    EvaluateParameters,
    EvaluateResult,
    PointerResult,
    PromoteParameters,
    RollbackParameters,
    Stage,
    StageResult,
    Track,
)
from ringrift_core.registry.champions import PointerMovedError, Registry, promote, roll_back
from ringrift_operator.api import PipelinePhase, StagePhase, TrackDecision
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import step_phase
from ringrift_operator.domain.requests import ANNOTATIONS, ROLLBACK
from ringrift_operator.domain.retries import ATTEMPTS
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation
from tests.unit.domain.world import World, champions, world

Done = PointerResult | EvaluateResult | None
"""What a child has read or moved; None of one that looks at no pointer."""


@dataclass
class Shop:
    """A namespace whose children work on registries."""

    world: World
    registries: dict[Track, Registry] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    """By child, once it has read or moved."""
    deaths: dict[tuple[str, int], int] = field(default_factory=dict)
    """Of children by step and iteration: one that dies too often is given up, which is not what is tried here."""

    def parameters(self, child: TaskObservation) -> object:
        return next(task.parameters for task in self.world.created if task.name == child.name)

    def act(self, child: TaskObservation) -> None:
        """The moment at which a child reads or moves the pointer. MoveRefusedError where the registry refuses."""
        if child.name in self.done:
            return
        told: Done = None
        match self.parameters(child):
            case PromoteParameters() as asked:
                self.registries[asked.track], move = promote(self.registry(asked.track), asked)
                told = PointerResult(version=move.version, predecessor=move.predecessor)
            case RollbackParameters() as asked:
                self.registries[asked.track], move = roll_back(self.registry(asked.track), asked, 0)
                told = PointerResult(version=move.version, predecessor=move.predecessor)
            case EvaluateParameters(kind="regression") as asked:
                now = self.registry(asked.track)
                told = EvaluateResult(cut_share=0, identical_share=0)
                if now.version != asked.champion_version:
                    found = {"champion": now.version, "predecessor": now.predecessor}
                    told = told.model_copy(update={"refused": "superseded", **found})
            case EvaluateParameters(champion_version=version, track=track) if version:
                assert self.registry(track).artifact(version) is not None, "a champion that was one once"
            case _:
                pass
        self.done[child.name] = told

    def registry(self, track: Track) -> Registry:
        return self.registries.setdefault(track, Registry(track=track))

    def end(self, child: TaskObservation, decision: Decision) -> None:
        """A child ends well, having done what it does."""
        self.act(child)
        result = self.world.result(child, decision)
        told = self.done[child.name]
        if isinstance(told, EvaluateResult):
            verdict = result.verdict
            assert verdict is not None
            if decision is Decision.REJECT:
                verdict = verdict.model_copy(update={"decision": Decision.REGRESSED})
            result = result.model_copy(update={"result": told, "verdict": None if told.refused else verdict})
        elif told is not None:
            result = result.model_copy(update={"result": told})
        self.world.end(child, result=result)

    def die(self, child: TaskObservation) -> None:
        """A child is killed, whatever it has done."""
        key = (child.identity.step, child.identity.iteration)
        self.deaths[key] = self.deaths.get(key, 0) + 1
        self.world.fail(child, exit_code=137, message="killed")

    def may_die(self, child: TaskObservation) -> bool:
        return self.deaths.get((child.identity.step, child.identity.iteration), 0) < ATTEMPTS - 1

    def request(self, track: Track, at: int) -> None:
        """Somebody asks for a rollback."""
        self.world.annotations = {ANNOTATIONS[ROLLBACK]: f"square8-2p/{track}@{at}"}


TRACKS = (Track.WEIGHTS, Track.NETWORK)
PAUSE = timedelta(minutes=11)
"""Longer than any."""
MOVERS = (steps.promote, steps.rollback, steps.requested_rollback)


def shop(iterations: int, tracks: tuple[Track, ...] = TRACKS) -> Shop:
    names = [track.value for track in tracks]
    one = world(iterations=iterations, tracks=names, rollback={"maxConsecutiveFailures": 2})
    # Room for everything at once.
    room = one.pools[0].spec.model_copy(
        update={"slots": tuple(slot.model_copy(update={"count": 9}) for slot in one.pools[0].spec.slots)}
    )
    one.pools = (type(one.pools[0])(one.pools[0].name, room),)
    return Shop(one)


def check(one: Shop) -> None:
    """Of one track nobody moves the pointer beside another, and nobody promotes while the champion is tested."""
    live = [child.identity.step for child in one.world.live]
    for track in TRACKS:
        assert sum(name(track) in live for name in MOVERS) <= 1, live
        assert not (steps.promote(track) in live and steps.regression(track) in live), live


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), st.integers(0, 2**32))
def test_in_no_order_does_a_task_fail_for_another_that_moved_the_pointer(iterations: int, seed: int) -> None:
    """An order is thousands of draws: too many for hypothesis to draw each."""
    one, drawn = shop(iterations), random.Random(seed)
    for number in range(2000):
        one.world.step()
        check(one)
        status = one.world.statuses["tp"]
        if status.phase == PipelinePhase.COMPLETED:
            break
        if drawn.random() < 0.1:
            one.request(drawn.choice(TRACKS), number)
        if drawn.random() < 0.05:
            one.world.annotations = {}
        for child in drawn.sample(one.world.live, len(one.world.live)):
            match drawn.choice(["stay", "act", "end", "end", "end", "reject", "die"]):
                case "act":
                    one.act(child)
                case "end":
                    one.end(child, Decision.PROMOTE)
                case "reject":
                    one.end(child, Decision.REJECT)
                case "die" if one.may_die(child):
                    one.die(child)
                case _:
                    pass
        one.world.now += PAUSE
    else:
        raise AssertionError("it does not come to its end")
    configuration = one.world.configuration()
    assert {track.value: str(registry.version) for track, registry in one.registries.items() if registry.version} == (
        champions(configuration)
    ), "the status says what the registry says"
    for registry in one.registries.values():
        assert configuration.track(registry.track).predecessor_version == registry.predecessor
    moves = [move.kind for registry in one.registries.values() for move in registry.log]
    assert (moves.count("promote"), moves.count("rollback")) == (status.promotions, status.rollbacks)
    ended = [track for record in one.world.records.values() for track in record.spec.tracks]
    assert TrackDecision.FAILED not in {track.decision for track in ended}
    refused = [event.message for event in one.world.events if event.reason == "RequestRefused"]
    assert all("no earlier champion" in message for message in refused), refused


def test_a_champion_is_promoted_away_only_once_its_test_has_ended() -> None:
    """Three promotions in a row with one slot for everything, the test of the champion last."""
    one = shop(4, (Track.WEIGHTS,))
    for _ in range(200):
        one.world.step()
        check(one)
        others = [child for child in one.world.live if child.identity.step != "regression-weights"]
        for child in others or one.world.live:
            one.end(child, Decision.PROMOTE)
        one.world.now += PAUSE
    assert champions(one.world.configuration()) == {"weights": "4"}
    assert one.world.statuses["tp"].tasks.failed == 0
    order = [task.identity.step for task in one.world.created if task.identity.iteration == 3]
    assert order.index("regression-weights") < order.index("promote-weights")


def third_iteration(one: Shop, *until: str) -> TaskObservation:
    """Plays on until the first of these steps runs in iteration 3, everything else ending well."""
    for _ in range(200):
        one.world.step()
        for child in one.world.live:
            if child.identity.iteration == 3 and child.identity.step == until[0]:
                return child
        for child in one.world.live:
            if child.identity.iteration < 3 or child.identity.step not in until:
                one.end(child, Decision.PROMOTE)
        one.world.now += PAUSE
    raise AssertionError(f"{until[0]} never ran")


def to_the_end(one: Shop, decision: Decision = Decision.PROMOTE) -> None:
    for _ in range(100):
        one.world.step()
        check(one)
        for child in one.world.live:
            one.end(child, decision)
        one.world.now += PAUSE
    assert one.world.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert one.world.statuses["tp"].tasks.failed == len(one.deaths)


def by_hand(one: Shop, over: int) -> PromoteParameters:
    """Somebody makes version 9 champion in that one's place."""
    made = next(task.parameters for task in one.world.created if isinstance(task.parameters, PromoteParameters))
    here = {"store": "file:///x", "board": "square8", "players": 2, "track": "weights"}
    return made.model_copy(update={**here, "iteration": 9, "request_id": "hand", "expected_version": over})


def outcomes(one: Shop) -> list[TrackDecision]:
    return [track.decision for record in one.world.records.values() for track in record.spec.tracks]


def test_a_rollback_asked_for_while_a_candidate_is_judged_supersedes_its_promotion() -> None:
    one = shop(4, (Track.WEIGHTS,))
    third_iteration(one, "evaluate-weights")
    one.request(Track.WEIGHTS, 1)
    to_the_end(one)
    assert outcomes(one) == [TrackDecision.PROMOTED] * 2 + [TrackDecision.SKIPPED, TrackDecision.PROMOTED]
    said = [event.message for event in one.world.events if event.reason == "TrackSkipped"]
    assert said == [
        "square8-2p: weights ends iteration 3: superseded: the champion is 1, "
        "and the candidate was judged when it was 2"
    ]
    assert champions(one.world.configuration()) == {"weights": "4"}
    assert one.world.configuration().track(Track.WEIGHTS).predecessor == "1"


def test_a_rollback_asked_for_before_the_promotion_begins_goes_first() -> None:
    one = shop(3, (Track.WEIGHTS,))
    third_iteration(one, "regression-weights")
    while step_phase(one.world.configuration(), "promote-weights") is None:
        for child in one.world.live:
            if child.identity.step != "regression-weights":
                one.end(child, Decision.PROMOTE)
        one.world.step()
    assert step_phase(one.world.configuration(), "promote-weights") == StagePhase.PENDING
    assert not live(one, "promote-weights"), "the champion is still tested"
    one.request(Track.WEIGHTS, 1)
    to_the_end(one)
    assert outcomes(one)[2] == TrackDecision.SKIPPED
    said = [event.message for event in one.world.events if event.reason == "TrackSkipped"]
    assert said == ["square8-2p: weights ends iteration 3: superseded: a rollback was asked for"]
    assert champions(one.world.configuration()) == {"weights": "1"}


def test_a_rollback_asked_for_while_a_promotion_runs_waits_for_it_and_goes_from_there() -> None:
    one = shop(3, (Track.WEIGHTS,))
    promotion = third_iteration(one, "promote-weights")
    one.act(promotion)
    one.request(Track.WEIGHTS, 1)
    one.world.step()
    assert live(one, "requested-rollback-weights") is None
    to_the_end(one)
    assert outcomes(one)[2] == TrackDecision.PROMOTED
    assert champions(one.world.configuration()) == {"weights": "2"}
    assert one.world.statuses["tp"].rollbacks == 1


def test_a_promotion_that_died_after_its_move_is_found_done_whatever_was_asked_meanwhile() -> None:
    one = shop(3, (Track.WEIGHTS,))
    promotion = third_iteration(one, "promote-weights")
    one.act(promotion)
    one.die(promotion)
    one.request(Track.WEIGHTS, 1)
    to_the_end(one)
    assert outcomes(one)[2] == TrackDecision.PROMOTED
    assert [move.kind for move in one.registries[Track.WEIGHTS].log] == ["promote"] * 3 + ["rollback"]
    assert champions(one.world.configuration()) == {"weights": "2"}


def test_a_rollback_is_taken_over_though_nobody_asks_for_it_any_more() -> None:
    one = shop(3, (Track.WEIGHTS,))
    third_iteration(one, "evaluate-weights")
    one.request(Track.WEIGHTS, 1)
    one.world.step()
    assert live(one, "requested-rollback-weights")
    one.world.annotations = {}
    to_the_end(one)
    assert champions(one.world.configuration()) == {"weights": "1"}
    assert one.world.statuses["tp"].rollbacks == 1


def test_who_moves_the_pointer_by_hand_supersedes_a_promotion_and_the_status_follows() -> None:
    one = shop(4, (Track.WEIGHTS,))
    promotion = third_iteration(one, "promote-weights")
    here = {"store": "file:///x", "board": "square8", "players": 2, "track": "weights"}
    back = RollbackParameters.model_validate({**here, "request_id": "hand", "expected_version": 2, "cause": "-"})
    one.registries[Track.WEIGHTS], _ = roll_back(one.registry(Track.WEIGHTS), back, 0)
    with pytest.raises(PointerMovedError):
        one.act(promotion)
    found = one.world.result(promotion).model_copy(update={"result": PointerResult(version=1, predecessor=0)})
    said = "the request expects champion version 2, found 1; nothing was moved"
    one.world.end(promotion, phase=ChildPhase.FAILED, exit_code=2, result=found, message=said)
    to_the_end(one)
    assert outcomes(one) == [TrackDecision.PROMOTED] * 2 + [TrackDecision.SKIPPED, TrackDecision.PROMOTED]
    assert champions(one.world.configuration()) == {"weights": "4"}
    assert one.world.configuration().track(Track.WEIGHTS).predecessor == "1"
    assert [event.message for event in one.world.events if event.reason == "PointerMoved"] == [
        f"square8-2p: promote-weights moved nothing: superseded: {said}"
    ]
    assert one.world.statuses["tp"].promotions == 3


def test_who_moves_the_pointer_by_hand_supersedes_a_regression_test_and_the_next_one_is_of_that_champion() -> None:
    one = shop(4, (Track.WEIGHTS,))
    test = third_iteration(one, "regression-weights")
    one.registries[Track.WEIGHTS], _ = promote(one.registry(Track.WEIGHTS), by_hand(one, over=2))
    one.end(test, Decision.PROMOTE)
    one.world.step()
    assert champions(one.world.configuration()) == {"weights": "9"}
    assert [event.message for event in one.world.events if event.reason == "PointerMoved"] == [
        "square8-2p: weights: the champion is 9, which somebody else made it"
    ]
    to_the_end(one, Decision.REJECT)
    assert outcomes(one)[2:] == [TrackDecision.REJECTED] * 2
    tested = [task.parameters for task in one.world.created if task.identity.step == "regression-weights"]
    assert [parameters.champion_version for parameters in tested if isinstance(parameters, EvaluateParameters)] == [
        2,
        9,
    ]
    assert [event.message for event in one.world.events if event.reason == "NoEvidence"] == []
    (rollback,) = (event.message for event in one.world.events if event.reason == "RolledBack")
    assert "regressed" in rollback
    assert [move.kind for move in one.registries[Track.WEIGHTS].log] == ["promote"] * 3 + ["rollback"]
    assert champions(one.world.configuration()) == {"weights": "2"}
    assert (one.world.statuses["tp"].tasks.failed, one.world.statuses["tp"].rollbacks) == (0, 1)


def test_a_candidate_that_the_champion_before_rejected_counts_not_against_who_was_put_in_its_place() -> None:
    one = shop(3, (Track.WEIGHTS,))
    test = third_iteration(one, "regression-weights")
    one.registries[Track.WEIGHTS], _ = promote(one.registry(Track.WEIGHTS), by_hand(one, over=2))
    one.end(test, Decision.PROMOTE)
    to_the_end(one, Decision.REJECT)
    assert outcomes(one)[2] == TrackDecision.REJECTED
    track = one.world.configuration().track(Track.WEIGHTS)
    assert (track.champion, track.consecutive_failures) == ("9", 0)


def test_a_rollback_that_found_the_pointer_moved_is_answered() -> None:
    one = shop(3, (Track.WEIGHTS,))
    third_iteration(one, "evaluate-weights")
    one.request(Track.WEIGHTS, 1)
    one.world.step()
    rollback = live(one, "requested-rollback-weights")
    assert rollback is not None
    found = StageResult(
        stage=Stage.ROLLBACK,
        started_at=one.world.now,
        finished_at=one.world.now,
        result=PointerResult(version=1, predecessor=0),
    )
    one.world.end(rollback, phase=ChildPhase.FAILED, exit_code=2, result=found, message="moved by hand")
    one.world.step()
    assert [event.message for event in one.world.events if event.reason == "RequestRefused"] == [
        "square8-2p: square8-2p/weights@1: superseded: moved by hand"
    ]
    assert champions(one.world.configuration()) == {"weights": "1"}


def live(one: Shop, step: str) -> TaskObservation | None:
    return next((child for child in one.world.live if child.identity.step == step), None)


def adopting(iterations: int, iteration: int, **track: int) -> World:
    """A pipeline that finds a store with so many iterations, and this of its weights."""
    one = shop(iterations, (Track.WEIGHTS,))
    told = AdoptedTrack(**{"track": Track.WEIGHTS, "failures": 0, **track})
    found = AdoptResult(iteration=iteration, games=100 * iteration, promotions=2, rollbacks=1, tracks=(told,))
    one.world.step()
    (child,) = one.world.live
    one.world.end(child, result=one.world.result(child).model_copy(update={"result": found}))
    one.world.step()
    return one.world


def began_with(found: World) -> int:
    return found.configuration().track(Track.WEIGHTS).start_version


def test_an_iteration_that_began_before_a_rollback_is_gone_on_with_from_where_it_began() -> None:
    """The status was lost in mid-iteration 3, after version 2 had given way to 1: what is recorded is of version 2."""
    found = adopting(3, 2, champion=1, predecessor=0, moved_since=1, start=2)
    assert began_with(found) == 2
    searches = [task.parameters for task in found.created if task.identity.step == "cmaes"]
    assert [each.weights_version for each in searches if isinstance(each, CmaesParameters)] == [2]
    assert champions(found.configuration()) == {"weights": "1"}


def test_an_iteration_that_began_without_a_champion_is_gone_on_with_without_one() -> None:
    found = adopting(1, 0, champion=1, predecessor=0, moved_since=1, start=0)
    assert began_with(found) == 0
    assert champions(found.configuration()) == {"weights": "1"}


@pytest.mark.parametrize("iteration", [0, 1])
def test_whoever_was_made_champion_by_hand_is_who_an_iteration_begins_with(iteration: int) -> None:
    """Under a number that no iteration has reached; its predecessor is there to be tested against."""
    found = adopting(3, iteration, champion=4, predecessor=3)
    assert began_with(found) == 4
    assert step_phase(found.configuration(), steps.regression(Track.WEIGHTS)) is not None
