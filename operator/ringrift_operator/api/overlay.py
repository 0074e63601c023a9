"""Sections that are laid over others: a configuration's over the pipeline's, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ringrift_operator.api.base import Value

OVERRIDES = "x-ringrift-overrides"
"""Marks an overriding section between pydantic's schema and the CRD's; never part of a CRD."""


@dataclass(frozen=True)
class Overrides:
    """Annotation of a section that is laid over another one: nothing in it is required, defaulted or ruled."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {OVERRIDES: True}


Section = TypeVar("Section", bound=Value)


def laid_over(section: Section, override: Section | None) -> Section:
    """`section` with every field that `override` sets, nested sections field by field."""
    if override is None:
        return section
    changes: dict[str, object] = {}
    for name in override.model_fields_set:
        below, above = getattr(section, name), getattr(override, name)
        changes[name] = laid_over(below, above) if isinstance(above, Value) else above
    return section.model_copy(update=changes)
