from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.contract import HIGHEST_COUNT
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import Algorithm, Count, Judge, JudgeKind, Search, Specification, Time

budgets = st.integers(1, HIGHEST_COUNT).map(Count) | st.integers(1, 3_600_000).map(Time)
files = st.text(min_size=1).map(Path).filter(lambda path: path.name != "")
unbounded = st.sampled_from([Algorithm.ONE_PLY, Algorithm.POLICY]).map(Search)
bounded = st.builds(Search, st.sampled_from([Algorithm.DESCENT, Algorithm.PUCT, Algorithm.GUMBEL]), budgets)
minimax = st.builds(Search, st.just(Algorithm.MINIMAX), budgets, st.none() | st.integers(1, 99))
minimax_by_depth = st.builds(Search, st.just(Algorithm.MINIMAX), st.none(), st.integers(1, 99))
judges = (
    st.sampled_from(JudgeKind).map(Judge)
    | st.builds(
        Judge, st.sampled_from(JudgeKind).filter(lambda kind: kind != "mlp"), version=st.integers(1, HIGHEST_COUNT)
    )
    | st.just(Judge(JudgeKind.WEIGHTS, 0))
    | st.builds(Judge, st.sampled_from(JudgeKind), file=files)
)


def fits(search: Search, judge: Judge) -> bool:
    if judge.kind is JudgeKind.NETWORK:
        return search.algorithm not in (Algorithm.MINIMAX, Algorithm.DESCENT)
    return search.algorithm is not Algorithm.POLICY


judged = (
    st.tuples(unbounded | bounded | minimax | minimax_by_depth, judges)
    .filter(lambda both: fits(*both))
    .map(lambda both: Specification(*both))
)
specifications = judged | st.just(Specification(Search(Algorithm.RANDOM)))


@given(specifications)
def test_a_specification_is_written_and_read_back(specification: Specification) -> None:
    assert Specification.parse(str(specification)) == specification


words = st.sampled_from(["weights", "nnue", "network", "@", "=", ":", "-", "3", "0", "6ms", "1s", "a.json", *Algorithm])


@given(st.text() | st.lists(words).map("".join))
def test_any_text_is_a_specification_or_a_sentence(text: str) -> None:
    try:
        found = Specification.parse(text)
    except WrongInputError:
        with pytest.raises(WrongInputError, match=re.escape(f"player {text!r}: ")):
            Specification.parse(text)
    else:
        assert Specification.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "specification"),
    [
        ("random", Specification(Search(Algorithm.RANDOM))),
        ("weights:one-ply", Specification(Search(Algorithm.ONE_PLY), Judge(JudgeKind.WEIGHTS))),
        (
            "weights@0:minimax-2:12000",
            Specification(Search(Algorithm.MINIMAX, Count(12_000), 2), Judge(JudgeKind.WEIGHTS, 0)),
        ),
        ("weights:minimax:6ms", Specification(Search(Algorithm.MINIMAX, Time(6)), Judge(JudgeKind.WEIGHTS))),
        ("weights:descent:1s", Specification(Search(Algorithm.DESCENT, Time(1000)), Judge(JudgeKind.WEIGHTS))),
        ("network@3:gumbel:64", Specification(Search(Algorithm.GUMBEL, Count(64)), Judge(JudgeKind.NETWORK, 3))),
        (
            "weights=a@1:puct:2=b:one-ply",
            Specification(Search(Algorithm.ONE_PLY), Judge(JudgeKind.WEIGHTS, file=Path("a@1:puct:2=b"))),
        ),
        ("network:policy", Specification(Search(Algorithm.POLICY), Judge(JudgeKind.NETWORK))),
        ("nnue:descent:4000", Specification(Search(Algorithm.DESCENT, Count(4000)), Judge(JudgeKind.NNUE))),
        ("nnue@2:minimax-3", Specification(Search(Algorithm.MINIMAX, None, 3), Judge(JudgeKind.NNUE, 2))),
    ],
)
def test_what_a_text_means(text: str, specification: Specification) -> None:
    assert Specification.parse(text) == specification
    assert str(specification) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected JUDGE:SEARCH"),
        ("weights", "found for the search none; there are one-ply, policy, minimax"),
        ("weights:2", "found for the search '2'"),
        ("alice:minimax:3", "'alice' is no judge: there are weights, mlp, nnue, network"),
        ("network:minimax:3", "a network has to be asked, and minimax asks nobody: choose one-ply, policy, puct or"),
        ("network:descent:3", "a network has to be asked"),
        ("weights:policy", "weights has no policy of its own"),
        ("nnue@3:policy", "nnue@3 has no policy of its own"),
        ("mlp@3:one-ply", "mlp@3: no track has versions of it: mlp=FILE"),
        ("nnue@0:one-ply", "nnue@0: versions are 1 to"),
        ("weights:puct", "puct: needs a budget, such as puct:64"),
        ("weights:minimax", "minimax: needs a budget"),
        ("weights:one-ply:6", "one-ply: takes no budget, found 6"),
        ("weights:minimax:0", "a budget of 0: expected 1 to"),
        ("weights:minimax:0s", "a budget of 0ms: expected 1ms to 3600s"),
        ("weights:minimax:3601s", "a budget of 3601000ms"),
        ("weights:minimax:many", "'many' is no budget: expected a count such as 25000, or a time such as 6ms or 1s"),
        ("weights:minimax:٣", "is no budget"),
        ("weights:minimax-100", "minimax-100: expected 1 to 99 plies"),
        ("weights@x:one-ply", "'x' is no version: expected a number"),
        ("network@0:puct:3", "network@0: versions are 1 to"),
        ("weights=:one-ply", "no file is named"),
    ],
)
def test_a_text_that_is_no_player_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(WrongInputError) as refused:
        Specification.parse(text)
    assert sentence in str(refused.value)


@given(specifications, st.integers(1, HIGHEST_COUNT))
def test_a_version_is_given_to_a_judge_that_names_none(specification: Specification, version: int) -> None:
    pinned, judge = specification.at(version), specification.judge
    if judge is None or judge.version is not None or judge.file is not None or judge.kind is JudgeKind.MLP:
        assert pinned == specification
    else:
        assert pinned.search == specification.search
        assert pinned.judge == Judge(judge.kind, version)
