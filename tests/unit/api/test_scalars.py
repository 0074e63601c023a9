"""Durations and quantities: what is written is what is meant."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ringrift_operator.api.scalars import (
    DURATION_PATTERN,
    Duration,
    PositiveDuration,
    Quantity,
    format_duration,
    memory_quantity,
    parse_duration,
    quantity_value,
)


@given(st.integers(0, 999_999 * 3600))
def test_a_duration_is_read_back_as_it_was(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("60m", 3600), ("1h30m", 5400), ("24h", 86400), ("0s", 0), ("90m5s", 5405)]
)
def test_durations_mean(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@given(st.text(alphabet="0159hmsd -.", max_size=8))
def test_python_reads_the_durations_that_the_cel_pattern_matches(text: str) -> None:
    matched = text != "" and re.fullmatch(DURATION_PATTERN, text) is not None
    try:
        TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        assert not matched
    else:
        assert matched


@pytest.mark.parametrize("text", ["", "1 hour", "1d", "-5m", "5", "1m1h", "1.5h", "5m\n", "٣m", 5, None])
def test_other_durations_are_refused_with_the_sentence(text: object) -> None:
    with pytest.raises(ValidationError, match="write a duration in hours, minutes and seconds"):
        TypeAdapter(Duration).validate_python(text)


def test_a_positive_duration_is_not_zero() -> None:
    assert TypeAdapter(Duration).validate_python("0s") == timedelta(0)
    with pytest.raises(ValidationError, match="above zero"):
        TypeAdapter(PositiveDuration).validate_python("0h0s")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6", 6),
        ("500m", "0.5"),
        ("12Gi", 12 * 2**30),
        ("1.5Gi", 3 * 2**29),
        ("2k", 2000),
        ("1E", 10**18),
        ("1e9", 10**9),
        ("1.5E3", 1500),
        ("25e-1", "2.5"),
        ("100u", "0.0001"),
        ("5n", "0.000000005"),
        ("+1", 1),
        (".5", "0.5"),
        ("1.Gi", 2**30),
    ],
)
def test_quantities_mean(text: str, value: int | str) -> None:
    assert quantity_value(text) == Decimal(value)


def test_a_quantity_may_be_written_as_a_number() -> None:
    assert TypeAdapter(Quantity).validate_python(6) == "6"


def test_a_part_of_a_number_is_to_be_quoted() -> None:
    with pytest.raises(ValidationError, match=r'whole number or text: write "0\.5", in quotes'):
        TypeAdapter(Quantity).validate_python(0.5)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0Mi"), (300 * 2**20, "300Mi"), (2**30, "1Gi"), (3 * 2**29, "1.5Gi"), (2**20 // 2, "0.5Mi")]
)
def test_memory_as_people_write_it(size: int, text: str) -> None:
    assert memory_quantity(size) == text


@pytest.mark.parametrize("text", ["", "-1", "12 Gi", "Gi", "1Q", ".", "1gi", "1e", "1e3Gi", "1Gi\n", "0x10"])
def test_other_quantities_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Quantity).validate_python(text)
    with pytest.raises(ValueError, match="is no quantity"):
        quantity_value(text)
