"""What runs before a commit is what `make lint` runs."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def recipe(verb: str) -> list[str]:
    """The commands of a verb of the Makefile, its variables filled in."""
    makefile = (ROOT / "Makefile").read_text()
    variables = dict(re.findall(r"^(\w+) :?\??= (.*)$", makefile, re.MULTILINE))
    (found,) = re.findall(rf"^{verb}:[^\n]*\n((?:\t[^\n]*\n)+)", makefile, re.MULTILINE)
    text = found
    while "$(" in text:
        text = re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], text)
    return [line.strip() for line in text.splitlines()]


def test_a_commit_is_held_to_what_make_lint_runs() -> None:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook["entry"] for repository in configuration["repos"] for hook in repository["hooks"]]
    assert hooks == recipe("lint")
