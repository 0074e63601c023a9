"""The summary's lines on terminals of any width."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ringrift_operator.local.summary import Line

WORDS = st.lists(st.text("abcdefghij", min_size=1, max_size=12), min_size=1, max_size=30)


def printed(line: Line, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(line, crop=False)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


@given(WORDS, st.integers(40, 100), st.integers(0, 6))
def test_words_are_never_cut_and_continuations_are_indented(words: list[str], width: int, indent: int) -> None:
    lines = printed(Line(" " * indent + " ".join(words)), width)
    assert [word for line in lines for word in line.split()] == words
    assert all(len(line) <= width for line in lines)
    assert all(line.startswith(" " * (indent + 2)) for line in lines[1:])


@given(WORDS, st.integers(40, 100))
def test_what_follows_a_label_stays_beside_it(words: list[str], width: int) -> None:
    lines = printed(Line(f"{'label':<19}{' '.join(words)}", label=19), width)
    assert [word for line in lines for word in line.split()] == ["label", *words]
    assert all(line.startswith(" " * 19) for line in lines[1:])


@given(WORDS)
def test_a_command_stays_whole(words: list[str]) -> None:
    assert printed(Line(" ".join(words), is_whole=True), 40) == [" ".join(words)]
