"""What a test needs of this machine: without it the test is skipped, or fails where CI=true promises that none is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cluster.binaries import APART, PROGRAMS, BinariesMissingError, find, jobset_definition


def required_binaries(*names: str) -> Path:
    """The folder that holds these programs of `binaries.PROGRAMS`, or `binaries.APART`."""
    try:
        return find(tuple(program for program in (*PROGRAMS, *APART) if program.name in names))
    except BinariesMissingError as missing:
        cannot_run(missing)


def required_jobset_definition() -> Path:
    """The file of JobSet's CRD."""
    try:
        return jobset_definition()
    except BinariesMissingError as missing:
        cannot_run(missing)


def cannot_run(reason: Exception) -> NoReturn:
    """Ends the test for something that this machine lacks."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason))
    pytest.skip(str(reason))
