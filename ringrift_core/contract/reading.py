"""Reading what another version of this program may have written.

Models are strict: a field that they do not know is a mistake of whoever writes it, be it a person or this program.
A reader is tolerant: what a later version added passes unseen, so that one that was rolled back goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

ModelT = TypeVar("ModelT", bound=BaseModel)

TOLERANT = "tolerant"
"""The context of a tolerant reading, for validators that read a model by themselves."""

Upgrade = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What 0.1.0 wrote, which carries no version, in today's words."""

CONTRACT_VERSION = "1.0"
"""Of what is written: MAJOR.MINOR. A minor version adds what may be passed over, a major one changes what is there."""


class IncompatibleVersionError(ValueError):
    """Something was written by another major version of the contract. The message is a sentence for the user."""


def read(model: type[ModelT], content: bytes | str | Mapping[str, Any]) -> ModelT:
    """A model from JSON, or from JSON's values; fields that it does not know are ignored, at any depth.

    pydantic's ValidationError when the rest is none.
    """
    if isinstance(content, bytes | str):
        return model.model_validate_json(content, extra="ignore", context=TOLERANT)
    return model.model_validate(content, extra="ignore", context=TOLERANT)


def read_versioned(model: type[ModelT], content: bytes | str, upgraded: Upgrade) -> ModelT:
    """A model that says by which version of the contract it was written; `upgraded` puts 0.1.0's words into today's.

    ValidationError when it is none, IncompatibleVersionError when a later version has changed more than it added.
    """
    try:
        values = from_json(content)
    except ValueError:
        values = None
    # What is no object at all the model refuses, in its own words.
    return read(model, of_this_version(values, upgraded) if isinstance(values, dict) else content)


def of_this_version(values: Mapping[str, Any], upgraded: Upgrade) -> Mapping[str, Any]:
    """What some version of the contract wrote, in words that this one reads; IncompatibleVersionError."""
    version = values.get("contractVersion")
    if version is None:
        try:
            return upgraded(values)
        except (AttributeError, KeyError, TypeError, ValueError):
            return values  # nothing that 0.1.0 wrote either: the model says what is wrong with it
    if str(version).partition(".")[0] != CONTRACT_VERSION.partition(".")[0]:
        raise IncompatibleVersionError(
            f"written by version {version} of the contract, and this program reads {CONTRACT_VERSION}: "
            "use the one that wrote it"
        )
    return values


def first_fault(error: ValidationError) -> str:
    """The first thing wrong with a value that was read: the field, and what was expected there."""
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    return f"{field}: {fault['msg']}" if field else fault["msg"]
