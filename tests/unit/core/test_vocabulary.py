"""Names of tracks and stages: read as they stand, written as listed."""

from __future__ import annotations

import copy
import pickle
from typing import Annotated

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from ringrift_core.contract import STAGES, Known, Stage, Track, read


class Reading(BaseModel):
    track: Track
    counts: dict[Track, int] = {}


class Written(BaseModel):
    track: Annotated[Track, Known(lambda: Track)]


def test_a_track_of_a_later_version_is_read_as_it_stands() -> None:
    text = '{"track":"later","counts":{"later":1,"weights":2}}'
    found = Reading.model_validate_json(text)
    assert found.model_dump_json() == text
    assert found.counts[Track("later")] == 1
    assert found == Reading.model_validate_json(text)
    assert "later" not in list(Track)


def test_every_stage_has_its_facts() -> None:
    assert list(STAGES) == list(Stage)
    assert all(facts.stage == stage for stage, facts in STAGES.items())


def test_a_listed_name_is_the_one_that_is_listed() -> None:
    assert Track("weights") is Track.WEIGHTS
    assert Reading.model_validate_json('{"track":"network"}').track is Track.NETWORK


def test_it_is_copied_and_pickled_as_it_is() -> None:
    assert copy.deepcopy(Stage("later")) == Stage("later")
    assert pickle.loads(pickle.dumps(Stage("later"))) == "later"


@pytest.mark.parametrize("text", ["", "Later", "a b", "x" * 33, "4"])
def test_what_is_no_name_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid Track"):
        Track(text)


def test_what_people_write_is_held_to_the_list_in_the_same_words() -> None:
    known = TypeAdapter(Annotated[Track, Known(lambda: Track)])
    assert known.validate_python("nnue") is Track.NNUE
    said = []
    for text in ("later", "Not A Name"):
        with pytest.raises(ValidationError) as refused:
            known.validate_python(text)
        said.append(refused.value.errors()[0]["msg"])
    assert read(Written, '{"track":"later"}').track == Track("later"), "what a later version let through is there"
    assert said == ["Input should be 'weights', 'nnue' or 'network'"] * 2
