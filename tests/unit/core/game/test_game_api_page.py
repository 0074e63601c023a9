"""docs/game-api.md does what it says: its blocks run in order, as in a notebook, and show what stands below them.

`python -m tests.unit.core.game.test_game_api_page` writes down what they show now, and the picture.
"""

from __future__ import annotations

import ast
import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[4] / "docs" / "game-api.md"
PICTURE = PAGE.with_suffix(".svg")
_CELL = re.compile(r"(```python\n(?P<code>.*?)```\n)(\n```text\n(?P<shown>.*?)```\n)?", re.DOTALL)


def run(code: str, names: dict[str, Any]) -> str:
    """What a notebook shows: what is printed, then the value of a last expression."""
    *statements, last = ast.parse(code).body
    tail = [last] if not isinstance(last, ast.Expr) or _prints(last) else []
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(ast.Module([*statements, *tail], []), "game-api.md", "exec"), names)
        if not tail and isinstance(last, ast.Expr):
            print(repr(eval(compile(ast.Expression(last.value), "game-api.md", "eval"), names)))
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def _prints(expression: ast.Expr) -> bool:
    """`print(...)` has no value to show, and neither has a play."""
    call = expression.value
    return isinstance(call, ast.Call) and ast.unparse(call.func) in ("print", "game.play")


def renewed(page: str, names: dict[str, Any]) -> str:
    """The page with what its blocks show now."""

    def cell(found: re.Match[str]) -> str:
        shown = run(found["code"], names)
        return found[1] + (f"\n```text\n{shown}```\n" if shown else "")

    return _CELL.sub(cell, page)


def test_the_page_shows_what_its_code_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    names: dict[str, Any] = {}
    page = PAGE.read_text(encoding="utf-8")
    assert len(_CELL.findall(page)) == page.count("```python\n") > 10
    assert renewed(page, names) == page
    assert names["picture"] == PICTURE.read_text(encoding="utf-8")


def test_a_page_that_is_wrong_is_noticed() -> None:
    assert renewed("```python\n1 + 1\n```\n\n```text\n3\n```\n", {}) == "```python\n1 + 1\n```\n\n```text\n2\n```\n"


if __name__ == "__main__":
    made: dict[str, Any] = {}
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    PICTURE.write_text(made["picture"], encoding="utf-8")
