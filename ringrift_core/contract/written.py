"""Values of several parts that have one written form, in JSON as on a command line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

__all__ = ["Written"]

LONGEST = 32
"""Characters of a written form."""


class Written(ABC):
    """What a model's field takes as itself or as text, and writes as text (`str`)."""

    PATTERN: ClassVar[str]
    """Of the written form, for a schema."""

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> Self:
        """Reads the written form; ValueError says what was expected."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema()),
            python_schema=core_schema.no_info_plain_validator_function(cls._taken),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def _taken(cls, value: Any) -> Self:
        return value if isinstance(value, cls) else cls.parse(str(value))

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": cls.PATTERN, "maxLength": LONGEST}
