"""Which steps an iteration has, and in what order they run."""

from __future__ import annotations

from ringrift_core.contract import STAGES, Stage, Track
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import World, world


def names(
    *tracks: Track, champions: frozenset[Track] = frozenset(), tested: frozenset[Track] = frozenset()
) -> list[str]:
    return [step.name for step in SHIPPED.of_iteration(tracks, champions, tested)]


def test_every_iteration_plays_and_merges() -> None:
    assert names(Track("abacus")) == ["selfplay", "merge"]


def test_the_network_track_goes_from_games_to_its_gate() -> None:
    assert names(Track.NETWORK) == ["selfplay", "merge", "export", "train", "evaluate-network"]


def test_the_nnue_track_goes_from_games_to_its_gate() -> None:
    assert names(Track.NNUE) == ["selfplay", "merge", "export", "nnue", "evaluate-nnue"]
    both = ["selfplay", "merge", "export", "nnue", "train", "evaluate-nnue", "evaluate-network"]
    assert names(Track.NNUE, Track.NETWORK) == both


def test_once_there_is_a_champion_network_it_teaches_the_nnue() -> None:
    taught = names(Track.NNUE, champions=frozenset({Track.NETWORK, Track.WEIGHTS}))
    assert taught == ["selfplay", "merge", "export", "distill", "evaluate-nnue"]
    assert "nnue" in names(Track.NNUE, champions=frozenset({Track.NNUE, Track.WEIGHTS}))


def test_the_weights_track_needs_no_games() -> None:
    assert names(Track.WEIGHTS) == ["selfplay", "merge", "cmaes", "evaluate-weights"]
    assert SHIPPED.steps["cmaes"].needs == ()


def test_only_champions_with_a_predecessor_are_tested_again() -> None:
    assert "regression-network" in names(Track.NETWORK, tested=frozenset({Track.NETWORK}))
    assert "regression-weights" not in names(Track.NETWORK, tested=frozenset({Track.NETWORK}))


def test_what_a_step_needs_comes_before_it() -> None:
    order = list(SHIPPED.steps)
    assert all(
        order.index(need) < order.index(step.name)
        for step in SHIPPED.steps.values()
        for need in (*step.needs, *step.one_of)
    )


def test_a_step_begins_only_when_what_it_needs_has_succeeded() -> None:
    done: list[str] = []

    def answer(world: World, child: TaskObservation) -> None:
        name = child.identity.step
        step = SHIPPED.steps[name]
        assert all(need in done for need in step.needs), name
        assert not step.one_of or any(need in done for need in step.one_of), name
        done.append(name)
        world.end(child)

    one = world(iterations=1)
    one.run(answer)
    assert done.count("selfplay") == 1
    assert done.index("cmaes") < done.index("evaluate-weights") < done.index("promote-weights")


def test_light_stages_take_no_slot() -> None:
    one = world(iterations=1)
    one.run()
    for task in one.created:
        assert (task.pool is None) == STAGES[task.stage].is_light
    assert {task.stage for task in one.created} >= {Stage.ADOPT, Stage.MERGE, Stage.PROMOTE}
