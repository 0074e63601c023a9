from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.cmaes.search import Search, SearchState

START = [1.0, 0.0, 2.0, -0.5, 0.0]
TARGET = [0.3, -0.8, 2.0, 1.0, 0.4]
FIXED = 2


def distance(weights: list[float]) -> float:
    return sum((found - wanted) ** 2 for found, wanted in zip(weights, TARGET, strict=True))


def run(search: Search, generations: int, noise: float = 0.0) -> None:
    for _ in range(generations):
        generator = random.Random(search.generation)
        search.tell([distance(weights) + generator.gauss(0, noise) for weights in search.ask()])


def test_the_mean_finds_the_optimum() -> None:
    search = Search(START, FIXED, population=12, seed=1)
    run(search, 80)
    assert search.mean == pytest.approx(TARGET, abs=1e-3)


def test_noise_in_the_fitness_does_not_stop_or_mislead_it() -> None:
    search = Search(START, FIXED, population=20, seed=1)
    run(search, 60, noise=0.1)
    assert search.stopped_by == []
    assert distance(search.mean) < 0.1 * distance(START)


def test_the_result_is_the_distributions_mean_not_a_candidate() -> None:
    search = Search(START, FIXED, population=6, seed=1)
    asked = search.ask()
    assert search.mean == START
    search.tell([distance(weights) for weights in asked])
    assert search.mean != START
    assert search.mean not in asked


@settings(max_examples=20)
@given(st.integers(0, 2**40))
def test_the_fixed_weight_never_changes(seed: int) -> None:
    search = Search(START, FIXED, population=6, seed=seed)
    for _ in range(3):
        asked = search.ask()
        assert {weights[FIXED] for weights in asked} == {START[FIXED]}
        search.tell([distance(weights) for weights in asked])
    assert search.mean[FIXED] == START[FIXED]


def test_a_search_goes_on_from_what_it_was_told_to_the_same_result() -> None:
    whole = Search(START, FIXED, population=8, seed=5)
    run(whole, 12)
    first = Search(START, FIXED, population=8, seed=5)
    run(first, 7)
    second = Search(START, FIXED, population=8, seed=5)
    second.resume(first.state)
    assert second.generation == 7
    run(second, 5)
    assert second.mean == whole.mean
    assert second.step == whole.step


def test_equal_fitness_for_all_is_no_reason_to_stop() -> None:
    search = Search(START, FIXED, population=6, seed=1)
    for _ in range(20):
        search.ask()
        search.tell([-0.5] * 6)
    assert search.stopped_by == []


def test_a_weight_of_zero_sets_no_scale() -> None:
    with pytest.raises(ValueError, match="sets no scale"):
        Search(START, 1, population=6, seed=1)


def test_of_a_refused_generation_nothing_is_learnt_and_the_next_one_is_another() -> None:
    search = Search(START, FIXED, population=6, seed=1)
    first = search.ask()
    search.refuse(cut_games=9)
    assert (search.generation, search.refused, search.last_fitness) == (1, 1, ())
    assert (search.mean, search.stopped_by) == (START, [])
    assert search.ask() != first
    assert search.state.cut_games == 9


@settings(max_examples=20)
@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 12))
def test_a_search_with_refused_generations_goes_on_to_the_same_result(refused: list[bool], killed: int) -> None:
    def play(search: Search, generations: list[bool]) -> None:
        for is_refused in generations:
            asked = search.ask()
            if is_refused:
                search.refuse(cut_games=3)
            else:
                search.tell([distance(weights) for weights in asked], cut_games=1)

    whole, first, second = (Search(START, FIXED, population=8, seed=5) for _ in range(3))
    play(whole, refused)
    play(first, refused[:killed])
    second.resume(first.state)
    play(second, refused[killed:])
    assert (second.mean, second.step, second.state) == (whole.mean, whole.step, whole.state)


def test_a_state_of_an_earlier_version_is_read() -> None:
    state = SearchState.model_validate_json('{"fitness": [[-0.5, -0.25]]}')
    assert (state.fitness, state.cut_games) == (((-0.5, -0.25),), 0)
