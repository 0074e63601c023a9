"""Which of a stage's parameters decide what a task makes, and which of those were set.

A task that is asked for again finds its record if it is the same task (archive.py). What "the same" means has to hold
over versions: the record may have been written before a parameter was added, or before a default was changed.

That a value was *set* cannot mean that somebody typed it. The operator renders every value it knows, so that an
iteration keeps what it began with, whatever the defaults of the worker's image are; a person types few; and both may
ask for the same task. It means that the value is another than the one that stands for absence: under that one, the
stage does what it did before there was such a parameter. It is the default with which the parameter was introduced,
and stays so for ever: whoever changes a default later marks the field with Absent(the first one). So

* a parameter that is added, with a default, is in no identity until somebody sets it: what was finished before is
  found, and a reader that does not know it yet is not disturbed by it;
* a default that is changed changes no identity: the values themselves are compared, not how they came about;
* a value that differs makes another task, whether it was typed, rendered or defaulted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from ringrift_core.contract.base import Artifact, StageParameters
from ringrift_core.contract.marks import Absent, Placement

MarkT = TypeVar("MarkT")


def asked_values(parameters: StageParameters) -> dict[str, Any]:
    """The parameters that decide what a task makes, as JSON values by their JSON names, defaults among them.

    An artifact counts by its content, not by its address: a store may be copied, or mounted elsewhere.
    """
    written = parameters.model_dump(mode="json", by_alias=True)
    found: dict[str, Any] = {}
    for name, field in type(parameters).model_fields.items():
        value, alias = getattr(parameters, name), field.alias or name
        placement = _marked(field, Placement)
        if placement is None:
            found[alias] = value.sha256 if isinstance(value, Artifact) else written[alias]
        elif placement.leaves:
            found[placement.leaves] = placement.part(value)
    return found


def set_values(parameters: StageParameters) -> dict[str, Any]:
    """Those of `asked_values` that were set."""
    absent = absent_values(type(parameters))
    return {name: value for name, value in asked_values(parameters).items() if absent.get(name, ...) != value}


def digest_of(values: Mapping[str, Any]) -> str:
    """SHA-256 of JSON values, whatever their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def absent_values(model: type[StageParameters]) -> dict[str, Any]:
    """What absent parameters of a stage stand for, as JSON values by their JSON names; without the required ones."""
    return dict(_absent(model))


def _absent(model: type[StageParameters]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if _marked(field, Placement) is not None or field.is_required():
            continue
        mark = _marked(field, Absent)
        value = field.get_default() if mark is None else mark.value
        yield field.alias or name, TypeAdapter(Any).dump_python(value, mode="json")


def _marked(field: FieldInfo, kind: type[MarkT]) -> MarkT | None:
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)
