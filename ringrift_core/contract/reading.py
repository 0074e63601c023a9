"""Reading what another version of this program may have written.

Models are strict: a field that they do not know is a mistake of whoever writes it, be it a person or this program.
A reader is tolerant: what a later version added passes unseen, so that one that was rolled back goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound=BaseModel)

TOLERANT = "tolerant"
"""The context of a tolerant reading, for validators that read a model by themselves."""


def read(model: type[ModelT], content: bytes | str | Mapping[str, Any]) -> ModelT:
    """A model from JSON, or from JSON's values; fields that it does not know are ignored, at any depth.

    pydantic's ValidationError when the rest is none.
    """
    if isinstance(content, bytes | str):
        return model.model_validate_json(content, extra="ignore", context=TOLERANT)
    return model.model_validate(content, extra="ignore", context=TOLERANT)


def first_fault(error: ValidationError) -> str:
    """The first thing wrong with a value that was read: the field, and what was expected there."""
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    return f"{field}: {fault['msg']}" if field else fault["msg"]
