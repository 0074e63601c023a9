"""The engine's README is a map of its sources: every file stands in it, below those that it uses."""

from __future__ import annotations

import re
from pathlib import Path

from tests.structure.rust import uses

ENGINE = Path(__file__).parents[3] / "ringrift_core" / "engine"
SOURCE = ENGINE / "src"
TESTS = {"tests.rs", "known_answers.rs"}


def on_the_map() -> list[str]:
    """The files of the tables, from top to bottom."""
    rows = re.findall(r"^\| (`[^|]*) \|", (ENGINE / "README.md").read_text(), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([\w/]+\.rs)`", row)]


def test_every_file_stands_on_it_once() -> None:
    files = [file.relative_to(SOURCE) for file in SOURCE.rglob("*.rs")]
    wanted = {
        file.as_posix() for file in files if file.name not in {"mod.rs", "lib.rs", *TESTS} and "tests" not in file.parts
    }
    assert sorted(on_the_map()) == sorted(wanted)


def test_what_a_file_uses_stands_above_it() -> None:
    place = {file: number for number, file in enumerate(on_the_map())}
    below = [
        f"{file} uses {other}"
        for file, others in uses(SOURCE).items()
        for other in others
        if place.get(other, 0) > place.get(file, len(place))
    ]
    assert below == []
