"""What the package's stops mean for a search whose fitness is games won."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.cmaes.search import Search
from ringrift_core.cmaes.stops import STOPS, Meaning, is_converged, stopped

START = [1.0, 0.0, 2.0, -0.5, 0.0]
CONVERGED = {"tolx", "tolstagnation"}


def stops_of_the_package() -> set[str]:
    """Names that the installed version gives its stops, those behind `11 < 3` (never) left out."""
    package = importlib.util.find_spec("cma")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).with_name("evolution_strategy.py").read_text(encoding="utf-8")
    return set(re.findall(r"_addstop\(\s*'([^']+)'", source)) - {"flat fitness", "||xmean||^2<ftarget"}


def test_every_stop_of_the_installed_package_is_sorted() -> None:
    assert stops_of_the_package() == set(STOPS)
    assert all(stop.why for stop in STOPS.values())


def test_what_is_flat_out_of_budget_or_stuck_is_no_convergence() -> None:
    assert {name for name in STOPS if is_converged([name])} == CONVERGED
    assert {STOPS[name].meaning for name in ("tolflatfitness", "tolfunhist", "tolfun")} == {Meaning.FLAT}
    assert {STOPS[name].meaning for name in ("maxiter", "maxfevals", "timeout")} == {Meaning.BUDGET}
    stuck = ("noeffectaxis", "noeffectcoord", "tolconditioncov", "tolxstagnation")
    assert {STOPS[name].meaning for name in stuck} == {Meaning.STUCK}


@given(st.sets(st.sampled_from(sorted(STOPS)) | st.text(min_size=1, max_size=12), min_size=1))
def test_all_that_is_met_has_to_say_so_and_nobody_trusts_a_stop_nobody_knows(met: set[str]) -> None:
    assert is_converged(met) == (met <= CONVERGED)
    assert stopped(met).startswith("converged (" if met <= CONVERGED else "stopped, ")
    assert all(name in stopped(met) for name in met)


def test_a_search_under_way_has_not_converged() -> None:
    assert not is_converged([])


@pytest.mark.parametrize(
    ("met", "said"),
    [
        (["tolx"], "converged (tolx)"),
        (["tolflatfitness"], "stopped, the function is flat (tolflatfitness)"),
        (["tolstagnation", "tolflatfitness"], "stopped, the function is flat (tolflatfitness, tolstagnation)"),
        (["maxiter", "noeffectaxis"], "stopped, out of budget and numerically stuck (maxiter, noeffectaxis)"),
        (["tolnew"], "stopped, for a reason that is not known here (tolnew)"),
    ],
)
def test_how_it_ended_is_said_in_words(met: list[str], said: str) -> None:
    assert stopped(met) == said


def test_a_flat_function_stops_the_search_and_is_no_convergence() -> None:
    search = Search(START, 2, population=6, seed=1)
    while not search.stopped_by:
        search.ask()
        search.tell([-0.5] * 6)
    assert search.stopped_by == ["tolflatfitness"]
    assert not is_converged(search.stopped_by)


def test_a_function_that_can_be_minimised_converges() -> None:
    search = Search(START, 2, population=12, seed=1)
    while not search.stopped_by:
        # Without the fixed weight: beside it the last digits of the others are lost, and the function is flat indeed.
        asked = search.ask()
        search.tell([sum(weight**2 for index, weight in enumerate(weights) if index != 2) for weights in asked])
    assert is_converged(search.stopped_by), search.stopped_by
