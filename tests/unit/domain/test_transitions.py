"""Statuses change by named transitions, and by nothing that passes the models by."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import ringrift_operator.api.pipeline_status
import ringrift_operator.domain
from ringrift_core.contract import Stage, Track, changed
from ringrift_operator.api import TaskStatus, TrackDecision, TrackStatus
from tests.unit.domain.world import BEGINNING, world

SOURCES = [
    *sorted(Path(ringrift_operator.domain.__file__).parent.rglob("*.py")),
    Path(ringrift_operator.api.pipeline_status.__file__),
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_field_is_set_past_its_model(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [word for word in ("update=", "model_construct", "model_copy") if word in text] == []


def test_a_name_that_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="TaskStatus has no field atempt"):
        changed(TaskStatus(name="merge", stage=Stage.MERGE), atempt=2)


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError, match="attempt"):
        changed(TaskStatus(name="merge", stage=Stage.MERGE), attempt=0)
    with pytest.raises(ValidationError, match="progress"):
        TaskStatus(name="merge", stage=Stage.MERGE).progressed(1.5, BEGINNING)


def test_the_rest_stays_as_it_was() -> None:
    task = TaskStatus(name="merge", stage=Stage.MERGE, part=3, message="before", failures=2)
    assert task.again(None) == TaskStatus(
        name="merge", stage=Stage.MERGE, part=3, message="before", failures=2, attempt=2
    )


def test_a_promotion_ends_the_row_of_rejections_and_a_rollback_forgets_the_strength() -> None:
    track = TrackStatus(name=Track.NETWORK).rejected().rejected()
    assert (track.consecutive_failures, track.decision) == (2, TrackDecision.REJECTED)
    promoted = track.promoted(champion=7, predecessor=0, against={})
    assert (promoted.champion, promoted.predecessor, promoted.consecutive_failures) == ("7", "", 0)
    assert promoted.strength is not None
    assert promoted.strength.version == "7"
    assert promoted.rolled_back(champion=5, predecessor=3).strength is None


def test_tracks_are_told_apart_by_name_and_stand_in_its_order() -> None:
    one = world(iterations=1)
    one.run()
    configuration = one.configuration()
    assert [track.name for track in configuration.tracks] == [Track.NETWORK, Track.NNUE, Track.WEIGHTS]
    again = configuration.with_track(configuration.track(Track.WEIGHTS).rejected())
    assert [track.consecutive_failures for track in again.tracks] == [0, 0, 1]


def test_an_empty_field_of_a_track_is_not_written() -> None:
    assert TrackStatus(name=Track.NNUE).model_dump(mode="json", by_alias=True) == {"name": "nnue"}
