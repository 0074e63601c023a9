"""What a stage answers: always small enough, never unbounded, and read back as it was written."""

from __future__ import annotations

import math
import types
import typing
from enum import Enum
from typing import Any

import annotated_types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ringrift_core.contract import (
    CONTRACT_VERSION,
    RESULT_LIMIT_BYTES,
    STAGES,
    Artifact,
    AtMost,
    CmaesResult,
    Contract,
    Decision,
    MergeResult,
    Result,
    SelfplayResult,
    Stage,
    StageResult,
    Track,
    Verdict,
    clipped,
    json_bytes,
    read,
)
from tests.results import NOW, SEARCHED, USUAL, largest, largest_answer, longest_uri, played

stages = pytest.mark.parametrize("stage", STAGES, ids=str)


@stages
@pytest.mark.parametrize(
    "characters", ["x", '"', "\N{PILE OF POO}", "\x01"], ids=["plain", "quoted", "wide", "control"]
)
def test_the_largest_answer_of_every_stage_fits(stage: Stage, characters: str) -> None:
    text = largest_answer(stage, characters).to_json()
    assert len(text.encode()) <= RESULT_LIMIT_BYTES
    assert StageResult.model_validate_json(text) == largest_answer(stage, characters)


def test_what_would_not_fit_is_to_be_stored() -> None:
    uri = longest_uri()
    outputs = {name: Artifact(uri=uri, sha256="0" * 64, bytes=1) for name in ("one", "two", "three")}
    answer = largest_answer(Stage.EVALUATE, "x").model_copy(update={"outputs": outputs})
    with pytest.raises(ValueError, match=r"the result of evaluate has \d+ bytes, 4096 fit: store what is large as an"):
        answer.to_json()


def unbounded(annotation: Any, metadata: list[Any], place: str) -> list[str]:
    """Places in a model that could hold a value of any size, or a number that JSON has not."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    kinds = [type(each) for each in metadata]
    if origin is typing.Annotated:
        return unbounded(arguments[0], list(annotation.__metadata__), place)
    if origin in (types.UnionType, typing.Union):
        return [fault for each in arguments for fault in unbounded(each, metadata, place)]
    if origin is tuple:
        inner = unbounded(
            FieldInfo.from_annotation(arguments[0]).annotation,
            FieldInfo.from_annotation(arguments[0]).metadata,
            place + "[]",
        )
        return inner + ([] if annotated_types.MaxLen in kinds else [place])
    if isinstance(annotation, type) and issubclass(annotation, Contract):
        return [
            fault
            for name, field in annotation.model_fields.items()
            for fault in unbounded(field.annotation, field.metadata, f"{place}.{name}")
        ]
    if isinstance(annotation, type) and issubclass(annotation, Enum | bool | types.NoneType):
        return []
    if annotation is str:
        return [] if AtMost in kinds else [place]
    if annotation is int:
        return [] if {annotated_types.Ge, annotated_types.Le} <= set(kinds) else [place]
    if annotation is float:
        finite = any(getattr(each, "allow_inf_nan", True) is False for each in metadata)
        return [] if finite or {annotated_types.Ge, annotated_types.Le} <= set(kinds) else [place]
    return [f"{place}: {annotation}"]


@stages
def test_nothing_in_a_result_is_unbounded(stage: Stage) -> None:
    assert unbounded(STAGES[stage].result, [], stage.value) == []
    assert unbounded(Verdict, [], "verdict") == []


def test_a_model_with_an_unbounded_field_is_noticed() -> None:
    class Careless(Result):
        name: str
        sizes: tuple[int, ...]
        loss: float

    assert unbounded(Careless, [], "") == [".name", ".sizes[]", ".sizes", ".loss"]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_figure_is_infinite(value: float) -> None:
    with pytest.raises(ValidationError):
        CmaesResult.model_validate(SEARCHED.model_dump() | {"step": value})
    with pytest.raises(ValidationError):
        CmaesResult.model_validate(SEARCHED.model_dump() | {"population_win_rate": value})


@stages
def test_an_answer_is_read_back_by_the_model_of_its_stage(stage: Stage) -> None:
    answer = StageResult(stage=stage, started_at=NOW, finished_at=NOW, result=USUAL[stage])
    again = StageResult.model_validate_json(answer.to_json())
    assert again == answer
    assert type(again.result) is STAGES[stage].result
    assert again.contract_version == CONTRACT_VERSION


def test_the_answer_of_another_stage_is_refused() -> None:
    with pytest.raises(ValidationError, match="not what merge answers"):
        StageResult(stage=Stage.MERGE, started_at=NOW, finished_at=NOW, result=USUAL[Stage.CMAES])
    document = {"stage": "merge", "startedAt": NOW, "finishedAt": NOW, "result": {"games": 1}}
    with pytest.raises(ValidationError, match="not what merge answers: newGames: Field required"):
        StageResult.model_validate(document)


def test_what_a_later_version_adds_is_passed_over_by_a_reader_and_refused_of_a_writer() -> None:
    document = {"stage": "merge", "startedAt": NOW, "finishedAt": NOW, "result": {"games": 2, "newGames": 1, "more": 3}}
    assert read(StageResult, document).answer(MergeResult) == MergeResult(games=2, new_games=1)
    with pytest.raises(ValidationError, match="more: Extra inputs are not permitted"):
        StageResult.model_validate(document)


def test_the_answer_of_a_stage_of_a_later_version_is_read_as_it_stands() -> None:
    document = {"stage": "distil", "startedAt": NOW, "finishedAt": NOW, "result": {"positions": 7}}
    answer = read(StageResult, document)
    assert answer.model_dump(mode="json", by_alias=True)["result"] == {"positions": 7}
    with pytest.raises(ValidationError, match="nothing is known of what distil answers"):
        StageResult.model_validate(document)


counts = st.integers(0, 10**9)
parts = st.fixed_dictionaries(
    {
        "games": counts,
        "cut_games": counts,
        "turns": counts,
        "moves": counts,
        "decisions": counts,
        "seat_wins": st.tuples(counts, counts, counts),
        "games_played": counts,
        "seconds": st.integers(0, 10**6),
    }
).map(SelfplayResult.model_validate)


@given(st.lists(parts, min_size=2, max_size=5))
def test_parts_of_divided_selfplay_add_up_in_any_order(several: list[SelfplayResult]) -> None:
    total = several[0]
    for part in several[1:]:
        total = total + part
    backwards = several[-1]
    for part in several[-2::-1]:
        backwards = backwards + part
    assert total == backwards
    assert total.games == sum(part.games for part in several)
    assert total.seat_wins[2] == sum(part.seat_wins[2] for part in several)


def test_parts_of_other_work_do_not_add_up() -> None:
    with pytest.raises(TypeError, match="MergeResult: the parts of this work do not add up"):
        MergeResult(games=1, new_games=1) + MergeResult(games=1, new_games=1)


@stages
def test_rounding_keeps_four_digits_and_every_count(stage: Stage) -> None:
    once = USUAL[stage].rounded()
    assert once.rounded() == once
    for name, value in USUAL[stage]:
        if isinstance(value, float):
            assert math.isclose(getattr(once, name), value, rel_tol=5e-4)
        elif isinstance(value, int):
            assert getattr(once, name) == value


def test_rounding_reaches_what_lies_within() -> None:
    assert played(100).rounded().seat_wins == (50, 50)
    assert SEARCHED.rounded().population_win_rate == 0.5235


@given(st.text(max_size=60), st.integers(4, 40))
def test_a_clipped_text_fits_and_begins_as_the_whole_does(text: str, limit: int) -> None:
    kept = clipped(text, limit)
    assert json_bytes(kept) <= limit
    assert kept == text or text.startswith(kept.removesuffix("…"))


def test_a_clip_takes_no_more_than_it_has_to() -> None:
    assert clipped("x" * 50, 50) == "x" * 50
    assert clipped("x" * 51, 50) == "x" * 47 + "…"


def test_verdicts_hold_rates_and_nothing_else() -> None:
    fields = largest(Verdict, "x") | {"track": Track.WEIGHTS, "decision": Decision.KEEP}
    with pytest.raises(ValidationError):
        Verdict.model_validate(fields | {"win_rate": 1.5})
