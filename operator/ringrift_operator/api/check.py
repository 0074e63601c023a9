"""The rules of the resources, checked without an API server: the same sentences at the same field paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from ringrift_operator.api.base import Resource, Value
from ringrift_operator.api.lists import ListMap, ListSet
from ringrift_operator.api.overlay import Overrides
from ringrift_operator.api.rules import rules_of


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a resource."""

    path: str
    """Field, as the API server names it: `spec.configurations[1].players`; empty is the object itself."""
    sentence: str
    """What is wrong and what to change."""

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


def problems(resource: Resource) -> list[Problem]:
    """What the CRD's rules would refuse of a new object, in the order of its fields."""
    return list(_problems(resource, ""))


def problems_of_change(new: Resource, old: Resource) -> list[Problem]:
    """What the CRD's rules would refuse of `new` in the place of `old`, besides `problems(new)`."""
    return list(_forbidden_changes(new, old, ""))


def _problems(value: Value, path: str) -> Iterator[Problem]:
    for mark, holds in rules_of(type(value)):
        if not mark.is_transition and not holds(value):
            yield Problem(f"{path}{mark.path}".removeprefix("."), mark.message)
    for name, field in type(value).model_fields.items():
        yield from _field_problems(getattr(value, name), field, f"{path}.{field.alias or name}".removeprefix("."))


def _field_problems(content: Any, field: FieldInfo, path: str) -> Iterator[Problem]:
    if isinstance(content, tuple):
        yield from _repetitions(content, field, path)
        for index, item in enumerate(content):
            if isinstance(item, Value):
                yield from _problems(item, f"{path}[{index}]")
    # An overriding section is judged with what it is laid over, by rules of the model that holds both.
    elif isinstance(content, Value) and not any(isinstance(mark, Overrides) for mark in field.metadata):
        yield from _problems(content, path)


def _repetitions(items: Sequence[Any], field: FieldInfo, path: str) -> Iterator[Problem]:
    for mark in field.metadata:
        if isinstance(mark, ListMap):
            # Field names, since keys are camelCase outside: all keys so far are single words.
            identities = [{key: str(getattr(item, key)) for key in mark.keys} for item in items]
        elif isinstance(mark, ListSet):
            identities = [{"": str(item)} for item in items]
        else:
            continue
        for index, identity in enumerate(identities):
            if identity in identities[:index]:
                said = ", ".join(f"{key}: {value}" if key else value for key, value in identity.items())
                yield Problem(f"{path}[{index}]", f"Duplicate value: {said} is given twice, remove one")


def _forbidden_changes(new: Value, old: Value, path: str) -> Iterator[Problem]:
    for mark, holds in rules_of(type(new)):
        if mark.is_transition and not holds(new, old):
            yield Problem(f"{path}{mark.path}".removeprefix("."), mark.message)
    for name, field in type(new).model_fields.items():
        after, before = getattr(new, name), getattr(old, name)
        if isinstance(after, Value) and isinstance(before, Value):
            yield from _forbidden_changes(after, before, f"{path}.{field.alias or name}".removeprefix("."))
