"""Text that stands for a quantity: durations and Kubernetes resource quantities, parsed once into exact types."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

DURATION_PATTERN = "^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"
DURATION_MESSAGE = "write a duration in hours, minutes and seconds, such as 90s, 60m or 1h30m"
POSITIVE_MESSAGE = "write a duration above zero, such as 90s, 60m or 1h30m"

_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)


def parse_duration(text: object) -> object:
    """`1h30m` as a timedelta; a timedelta stays itself; anything else is refused with a sentence."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not text or match is None:
        raise PydanticCustomError("duration", DURATION_MESSAGE)
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _parse_positive(text: object) -> object:
    duration = parse_duration(text)
    if duration == timedelta(0):
        raise PydanticCustomError("duration", POSITIVE_MESSAGE)
    return duration


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back; parts of a second are dropped."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if count]
    return "".join(parts) or "0s"


def _duration_schema(*rules: tuple[str, str]) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "string",
            "maxLength": 24,
            "x-kubernetes-validations": [{"rule": cel, "message": message} for cel, message in rules],
        }
    )


_PARSES = (f"self.size() > 0 && self.matches('{DURATION_PATTERN}')", DURATION_MESSAGE)
_ABOVE_ZERO = (f"!self.matches('{DURATION_PATTERN}') || self.size() == 0 || self.matches('[1-9]')", POSITIVE_MESSAGE)

Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration), _duration_schema(_PARSES)
]
PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(_parse_positive),
    PlainSerializer(format_duration),
    _duration_schema(_PARSES, _ABOVE_ZERO),
]

QUANTITY_PATTERN = r"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$"
"""Kubernetes' own grammar, without negative ones."""
_SUFFIXES = {
    "": Decimal(1),
    **{letter: Decimal(1000) ** -power for power, letter in enumerate("mun", start=1)},
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{letter + "i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}


def _quantity_text(value: object) -> object:
    if isinstance(value, float):
        # The API server takes whole numbers and text.
        quoted = f'write "{value}", in quotes'
        raise PydanticCustomError("quantity", "should be a whole number or text: {quoted}", {"quoted": quoted})
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _check_quantity(text: str) -> str:
    if not re.fullmatch(QUANTITY_PATTERN, text):
        raise PydanticCustomError("quantity", "should match '{pattern}'", {"pattern": QUANTITY_PATTERN})
    return text


Quantity = Annotated[
    str,
    BeforeValidator(_quantity_text),
    AfterValidator(_check_quantity),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY_PATTERN, "maxLength": 32, "minimum": 0}),
]
"""A Kubernetes quantity such as `6`, `500m` or `12Gi`, kept as written."""


def quantity_value(quantity: str) -> Decimal:
    """Cores, bytes or devices that a quantity stands for; ValueError when it is none."""
    if re.fullmatch(QUANTITY_PATTERN, quantity, re.ASCII) is None:
        raise ValueError(f"{quantity!r} is no quantity: write a number and a unit, such as 6, 500m or 12Gi")
    number = quantity.rstrip("".join(_SUFFIXES))
    suffix = quantity[len(number) :]
    # What is no suffix is an exponent, which Decimal reads.
    return Decimal(number) * _SUFFIXES[suffix]


def memory_quantity(size: int) -> str:
    """So many bytes as people write them: `312Mi`, `1.5Gi`."""
    number, unit = (size / 2**30, "Gi") if size >= 2**30 else (size / 2**20, "Mi")
    return f"{number:.1f}".removesuffix(".0") + unit
