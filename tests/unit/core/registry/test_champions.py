from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.contract import Artifact, Board, PromoteParameters, RollbackParameters, Track
from ringrift_core.registry.champions import Move, MoveRefusedError, PointerMovedError, Registry, promote, roll_back

HERE = {"store": "file:///x", "board": Board.SQUARE8, "players": 2, "track": Track.WEIGHTS}


def candidate(iteration: int) -> Artifact:
    return Artifact(uri=f"file:///x/{iteration}.json", sha256=f"{iteration:064x}", bytes=1)


VERDICT = Artifact(uri="file:///x/verdict.json", sha256="f" * 64, bytes=1)


def promotion(
    iteration: int, expected: int, request: str = "", keep: int = 3, verdict: Artifact | None = None
) -> PromoteParameters:
    return PromoteParameters(
        **HERE,
        iteration=iteration,
        expected_version=expected,
        request_id=request or f"promote-{iteration}",
        candidate=candidate(iteration),
        verdict=verdict,
        keep_backup_models=keep,
    )


def rollback(expected: int, request: str = "", keep: int = 3) -> RollbackParameters:
    return RollbackParameters(
        **HERE,
        expected_version=expected,
        request_id=request or f"rollback-{expected}",
        cause="regressed",
        keep_backup_models=keep,
    )


def after(*requests: PromoteParameters | RollbackParameters) -> Registry:
    registry = Registry(track=Track.WEIGHTS)
    for request in requests:
        registry, _ = apply(registry, request)
    return registry


def apply(registry: Registry, request: PromoteParameters | RollbackParameters) -> tuple[Registry, Move]:
    if isinstance(request, PromoteParameters):
        return promote(registry, request)
    return roll_back(registry, request, judged_through=0)


def test_a_promoted_candidate_is_champion_under_its_iteration() -> None:
    registry = after(promotion(1, 0), promotion(4, 1))
    assert (registry.version, registry.predecessor) == (4, 1)
    assert registry.artifact(1) == candidate(1)


def test_a_rollback_restores_the_predecessor_and_forgets_the_champion() -> None:
    registry = after(promotion(1, 0), promotion(4, 1), promotion(6, 4), rollback(6))
    assert (registry.version, registry.predecessor) == (4, 1)
    registry, _ = promote(registry, promotion(7, 4))
    assert (registry.version, registry.predecessor) == (7, 4)


def test_no_more_earlier_champions_are_kept_than_asked_for() -> None:
    registry = after(promotion(1, 0), promotion(2, 1), promotion(3, 2), promotion(4, 3, keep=2))
    assert [champion.version for champion in registry.earlier] == [3, 2]
    assert registry.artifact(1) == candidate(1)


def test_a_known_request_moves_nothing_and_reports_what_it_did() -> None:
    registry = after(promotion(1, 0), promotion(4, 1))
    again, move = promote(registry, promotion(4, 1))
    assert again is registry
    assert (move.version, move.predecessor) == (4, 1)
    registry = after(promotion(1, 0), promotion(4, 1), rollback(4), promotion(5, 1))
    again, move = roll_back(registry, rollback(4), judged_through=9)
    assert again is registry
    assert move.version == 1


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (promotion(5, 2), "expects champion version 2, found 4; nothing was moved"),
        (rollback(1), "expects champion version 1, found 4; nothing was moved"),
        (promotion(4, 4, "again", verdict=VERDICT), "version 4 became champion in iteration 4 already"),
    ],
)
def test_a_request_for_another_state_is_refused(
    request_: PromoteParameters | RollbackParameters, sentence: str
) -> None:
    with pytest.raises(MoveRefusedError, match=sentence):
        apply(after(promotion(1, 0), promotion(4, 1)), request_)


def test_a_rollback_goes_back_to_any_champion_that_is_kept() -> None:
    before = after(promotion(1, 0), promotion(4, 1), promotion(6, 4))
    registry, move = roll_back(before, rollback(6).model_copy(update={"to_version": 1}), judged_through=0)
    assert (registry.version, registry.earlier) == (1, ())
    assert (move.version, move.replaced, move.predecessor) == (1, 6, 0)
    with pytest.raises(MoveRefusedError, match="version 6 is not among the earlier champions that are kept: 4, 1"):
        roll_back(before, rollback(6).model_copy(update={"to_version": 6}), judged_through=0)


def test_an_iteration_in_which_somebody_else_became_champion_is_a_pointer_that_moved() -> None:
    with pytest.raises(PointerMovedError, match="the candidate was judged against another one; nothing was moved"):
        promote(after(promotion(1, 0), promotion(4, 1)), promotion(4, 4, "again", verdict=VERDICT))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12))
def test_versions_go_up_whoever_takes_their_numbers(steps: list[tuple[int, bool]]) -> None:
    """Iterations come one after the other, each with so many champions by hand before and perhaps one of its own."""
    registry, by_hand = Registry(track=Track.WEIGHTS), 0
    for iteration, (hands, promotes) in enumerate(steps, start=1):
        for _ in range(hands):
            by_hand += 1
            registry, _ = promote(registry, promotion(iteration - 1, registry.version, f"hand-{by_hand}"))
        if promotes:
            registry, move = promote(registry, promotion(iteration, registry.version, verdict=VERDICT))
            assert move in registry.moves_of(iteration)
    versions = [move.version for move in registry.log]
    assert versions == sorted(set(versions))
    made_in = [move.made_in for move in registry.log]
    assert made_in == sorted(made_in, key=lambda iteration: iteration or 0)
    if not by_hand:
        assert versions == made_in


def test_the_first_champion_cannot_be_rolled_back() -> None:
    with pytest.raises(MoveRefusedError, match="has no predecessor to roll back to"):
        roll_back(after(promotion(1, 0)), rollback(1), judged_through=1)


@given(st.data())
def test_any_order_of_requests_and_repeats_carries_each_out_once(data: st.DataObject) -> None:
    """A registry after requests with repeats equals one without them, at every step."""
    registry, done = Registry(track=Track.WEIGHTS), []
    for iteration in range(1, data.draw(st.integers(1, 12)) + 1):
        back = data.draw(st.booleans())
        if registry.earlier and back:
            request: PromoteParameters | RollbackParameters = rollback(registry.version, f"rollback-{iteration}")
        else:
            request = promotion(iteration, registry.version)
        registry, _ = apply(registry, request)
        done.append(request)
        for repeat in data.draw(st.lists(st.sampled_from(done), max_size=3)):
            assert apply(registry, repeat)[0] is registry
    assert registry == after(*done)
    assert len(registry.log) == len(done)
    assert Registry.model_validate_json(registry.model_dump_json(by_alias=True)) == registry
