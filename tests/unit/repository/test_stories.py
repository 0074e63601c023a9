"""`make e2e-all` tells every story, and what is kept of one is of a story that is told."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.cluster.__main__ import parser
from tests.cluster.binaries import APART, PROGRAMS, BinariesMissingError, Program, find
from tests.cluster.requirement import required_binaries
from tests.e2e.stories.__main__ import HERE, RESULTS, ROOT, STORIES, headed


def test_every_file_of_a_story_is_told() -> None:
    assert {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")} == set(STORIES)
    assert len(STORIES) == len(set(STORIES))


def test_every_page_is_of_a_story_and_says_how_it_was_told() -> None:
    for page in RESULTS.glob("*.md"):
        assert page.stem in STORIES
        opening = headed(page.stem, "0000000", 0, "").splitlines()[2]
        assert page.read_text().splitlines()[2].startswith(opening.split(" at ")[0]), page


def required(path: Path) -> set[str]:
    """Names of the programs that a file asks for by `required_binaries`."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    calls = [each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)]
    asked = [each for each in calls if getattr(each.func, "id", "") == required_binaries.__name__]
    listed = [ast.Expression(ast.Tuple(each.args, ast.Load())) for each in asked]
    found = [eval(compile(ast.fix_missing_locations(each), path, "eval"), vars(module)) for each in listed]
    return {name for names in found for name in names}


def test_make_e2e_all_builds_every_program_that_a_story_requires() -> None:
    done = subprocess.run(["make", "--dry-run", "e2e-all"], cwd=ROOT, capture_output=True, text=True, check=True)
    builds = re.findall(r"-m tests\.cluster (build.*)", done.stdout)
    built = {each.name for options in builds for each in parser().parse_args(options.split()).programs}
    asked = {name for path in HERE.glob("*.py") for name in required(path)}
    assert {each.name for each in APART} <= asked
    assert asked <= built


@pytest.mark.parametrize("program", [*PROGRAMS, *APART], ids=lambda each: each.name)
def test_of_a_program_that_is_missing_the_command_is_told_that_builds_it(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGRIFT_CLUSTER_BIN", str(tmp_path))
    with pytest.raises(BinariesMissingError, match=f"no {program.name}; run `") as missing:
        find((program,))
    command = str(missing.value).split("`")[1]
    if command != "make cluster-binaries":
        assert parser().parse_args(command.split()[3:]).programs == (program,)
    else:
        assert program in PROGRAMS
