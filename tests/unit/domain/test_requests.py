"""One-off requests by annotation."""

from __future__ import annotations

import pytest

from ringrift_core.contract import Track
from ringrift_operator.api import PipelinePhase
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.requests import ANNOTATIONS, RECONCILE, ROLLBACK, parse_rollback
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import World, champions, world

ASKED = "square8-2p/weights@2026-01-01T00:00:00Z"


def ask(one: World, value: str, kind: str = ROLLBACK) -> World:
    one.annotations = {**one.annotations, ANNOTATIONS[kind]: value}
    return one


def refusals(one: World) -> list[str]:
    return [event.message for event in one.events if event.reason == "RequestRefused"]


@pytest.mark.parametrize("value", ["", "weights", "square8-2p/weights", "square8-2p/value@1", "square8-5p/weights@1"])
def test_what_is_no_request(value: str) -> None:
    assert parse_rollback(value, SHIPPED) is None


def test_a_request_names_configuration_and_track() -> None:
    request = parse_rollback(ASKED, SHIPPED)
    assert request is not None
    assert (request.configuration, request.track) == ("square8-2p", Track.WEIGHTS)


def test_a_rollback_is_carried_out_once_and_answered() -> None:
    one = world()
    one.run()
    ask(one, ASKED).run()
    status = one.statuses["tp"]
    assert champions(one.configuration())["weights"] == "1"
    assert status.rollbacks == 1
    assert status.handled_requests == {"rollback": ASKED}
    assert status.phase == PipelinePhase.COMPLETED
    one.run()
    assert one.statuses["tp"].rollbacks == 1


def test_it_carries_the_annotation_as_its_request_id() -> None:
    one = world()
    one.run()
    ask(one, ASKED).run()
    task = one.created[-1]
    assert task.parameters.request_id == ASKED  # type: ignore[attr-defined]
    assert task.parameters.expected_version == 2  # type: ignore[attr-defined]


def test_a_new_value_asks_again() -> None:
    one = world(iterations=3, tracks=["weights"])
    one.run()
    for number, champion in ((1, "2"), (2, "1")):
        ask(one, f"square8-2p/weights@{number}").run()
        assert champions(one.configuration()) == {"weights": champion}


def test_in_mid_iteration_it_runs_beside_the_rest() -> None:
    one = world(iterations=3, tracks=["weights"])

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.iteration == 3:
            ask(world, ASKED)
        world.end(child)

    one.run(answer)
    status = one.statuses["tp"]
    assert status.handled_requests["rollback"] == ASKED
    assert status.phase == PipelinePhase.COMPLETED


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("nonsense", "is no request"),
        ("hex8-2p/weights@1", "has no configuration hex8-2p"),
        ("square8-2p/weights@1", "no earlier champion"),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_sentence(value: str, why: str) -> None:
    one = world(iterations=1)
    one.run()
    ask(one, value).run()
    assert len(refusals(one)) == 1
    assert why in refusals(one)[0]
    assert one.statuses["tp"].handled_requests == {"rollback": value}
    assert one.statuses["tp"].rollbacks == 0


def test_reconcile_ends_a_pause_and_tries_a_given_up_merge_afresh() -> None:
    one = world(iterations=1, tracks=["network"])
    is_broken = True

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == "merge" and is_broken:
            world.fail(child, exit_code=2, message="a shard is no shard")
        else:
            world.end(child)

    one.run(answer)
    assert one.statuses["tp"].phase == PipelinePhase.FAILED
    is_broken = False
    one.run(answer)
    phases = [one.statuses["tp"].phase]
    ask(one, "now", RECONCILE).run(answer)
    phases.append(one.statuses["tp"].phase)
    assert phases == [PipelinePhase.FAILED, PipelinePhase.COMPLETED], "nothing moves unasked"
    assert one.statuses["tp"].handled_requests == {"reconcile": "now"}


def test_a_suspended_pipeline_rolls_back_when_it_is_asked_to_and_starts_nothing_else() -> None:
    one = world(tracks=["weights"])
    one.run()
    one.specs["tp"] = one.specs["tp"].model_copy(update={"suspend": True, "iterations": 3})
    before = len(one.created)
    ask(one, ASKED).run()
    assert [task.identity.step for task in one.created[before:]] == ["requested-rollback-weights"]
    assert champions(one.configuration())["weights"] == "1"
    assert one.statuses["tp"].handled_requests == {"rollback": ASKED}
    assert one.statuses["tp"].phase == PipelinePhase.SUSPENDED
