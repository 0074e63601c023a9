"""What a task is: what was set for it, over versions that add parameters and change defaults."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, create_model

from ringrift_core.archive import identity
from ringrift_core.contract import (
    STAGES,
    Artifact,
    Board,
    CmaesParameters,
    EvaluateParameters,
    ExportParameters,
    SelfplayParameters,
    Stage,
    StageParameters,
    StartFrom,
    Track,
    TrainParameters,
    absent_values,
    asked_values,
    changed,
    released_0_1_0,
)
from ringrift_core.contract.marks import Absent, Placement

STORE: dict[str, Any] = {"store": "file:///store", "board": Board.SQUARE8, "players": 2, "iteration": 1}
OBJECT = Artifact(uri="file:///store/objects/a.json", sha256="a" * 64, bytes=1)
TASKS: tuple[StageParameters, ...] = (
    SelfplayParameters(**STORE, seed=1001, games=100),
    ExportParameters(**STORE),
    TrainParameters(**STORE, dataset=OBJECT),
    CmaesParameters(**STORE),
    EvaluateParameters(**STORE, track=Track.WEIGHTS, candidate=OBJECT),
)
"""One of each stage that leaves a record, nothing set that has a default."""


def extended(model: type[StageParameters], kind: Any, default: Any) -> Any:
    """The model with one more parameter, `later`."""
    return create_model("Extended", __base__=model, later=(kind, Field(default=default)))


tasks = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stage.value)


@tasks
@given(default=st.one_of(st.booleans(), st.integers(), st.text(), st.none()))
def test_a_parameter_that_is_added_leaves_what_was_finished(task: StageParameters, default: Any) -> None:
    later = extended(type(task), Any, default)
    assert identity(later(**dict(task))) == identity(task)


@tasks
@given(default=st.integers(), value=st.integers())
def test_once_it_is_set_it_is_another_task(task: StageParameters, default: int, value: int) -> None:
    later = extended(type(task), int, default)
    is_same = identity(later(**dict(task), later=value)) == identity(task)
    assert is_same == (value == default)


@given(value=st.integers(1, 1000))
def test_a_value_that_is_set_counts(value: int) -> None:
    export = ExportParameters(**STORE)
    assert (identity(changed(export, min_moves=value)) == identity(export)) == (value == export.min_moves)


@given(before=st.integers(0, 50), after=st.integers(0, 50), value=st.integers(0, 50))
def test_a_default_that_is_changed_changes_no_identity(before: int, after: int, value: int) -> None:
    """Whoever changes it marks it with the one before; the values decide, however they came about."""
    earlier = extended(ExportParameters, int, before)
    later = extended(ExportParameters, Annotated[int, Absent(before)], after)
    assert identity(earlier(**STORE, later=value)) == identity(later(**STORE, later=value))
    assert identity(earlier(**STORE)) == identity(later(**STORE, later=before))
    assert (identity(earlier(**STORE)) == identity(later(**STORE))) == (before == after)


def test_typing_a_default_is_the_same_task() -> None:
    """The operator renders every value it knows, a person types few of them."""
    typed = ExportParameters(**STORE, min_moves=0, symmetries=0)
    assert identity(typed) == identity(ExportParameters(**STORE))


@tasks
def test_where_it_runs_is_no_part_of_it(task: StageParameters) -> None:
    placed = {name: field for name, field in type(task).model_fields.items() if _placement(field) is not None}
    assert {"store", "attempt"} <= placed.keys()
    elsewhere: dict[str, Any] = {"store": "s3://elsewhere", "attempt": 7, "index": 0, "device": "cuda", "workers": 3}
    moved = changed(task, **{name: value for name, value in elsewhere.items() if name in placed})
    assert identity(moved) == identity(task)


def test_how_many_shards_there_are_is_always_a_part_of_it() -> None:
    _, values = identity(TASKS[0])
    assert values["shardCount"] == 1


@tasks
def test_what_0_1_0_recorded_is_recognised(task: StageParameters) -> None:
    """It wrote every value that it knew, and made the digest of all of them."""
    task = as_it_was(task)
    known = released_0_1_0.ABSENT[task.stage].keys() | asked_values(task).keys() - absent_values(type(task)).keys()
    asked = {name: value for name, value in asked_values(task).items() if name in known}
    record = {"parameters": asked, "digest": "of 0.1.0", "result": {"stage": task.stage.value}}
    digest, values = identity(task)
    assert released_0_1_0.record(record)["parameters"] == values
    assert released_0_1_0.record(record)["digest"] == digest


@tasks
def test_absence_stands_for_what_it_stood_for_in_0_1_0(task: StageParameters) -> None:
    """A default that was changed needs the mark Absent, or finished tasks of open iterations are refused."""
    absent = absent_values(type(task))
    for name, value in released_0_1_0.ABSENT[task.stage].items():
        if (task.stage, name) == (Stage.TRAIN, "networkVersion"):
            assert absent["startFrom"] is None, "its name today"
            continue
        assert absent[name] == value, name
    assert released_0_1_0.ABSENT.keys() <= STAGES.keys()


def as_it_was(task: StageParameters) -> StageParameters:
    """The task with the values that its changed defaults had at first."""
    marks = {
        name: mark.value
        for name, field in type(task).model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Absent)
    }
    return changed(task, **marks)


def test_a_training_from_a_champion_of_0_1_0_is_the_same_task() -> None:
    """It called the champion that it started from --network-version."""
    task = as_it_was(TrainParameters(**STORE, dataset=OBJECT, start_from=StartFrom(None, 3)))
    written = {"board": "square8", "players": 2, "iteration": 1, "seed": 0, "dataset": OBJECT.sha256}
    written |= {"networkVersion": 3, "epochs": 10, "batchSize": 256}
    record = {"parameters": written, "digest": "of 0.1.0", "result": {"stage": "train"}}
    digest, values = identity(task)
    assert released_0_1_0.record(record)["parameters"] == values
    assert released_0_1_0.record(record)["digest"] == digest


def _placement(field: Any) -> Placement | None:
    return next((mark for mark in field.metadata if isinstance(mark, Placement)), None)
