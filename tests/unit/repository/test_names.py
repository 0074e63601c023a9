"""What pages, comments and docstrings name is there: files, folders and modules of this repository."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[3]

ELSEWHERE = {
    "pipeline.yaml": "a user's file",
    "pipelines.yaml": "a user's file",
    "canonical/": "in tests/conformance/traces.tar.xz",
    "deployed/": "in tests/conformance/traces.tar.xz",
    "square8-2p/": "in a store",
    "tasks/": "in a store",
}
"""Names of what is not in the repository, and where it is."""

PRINTED = "results/stories/"
"""Pages of what programs printed on a node: nobody wrote them."""

SEARCHED = ("ringrift_core", "ringrift_core/engine", "ringrift_core/engine/src", "operator/ringrift_operator", "docs")
"""Names are relative to one of these, to the file's folder or one above it, or to a folder named before in the line."""

_START, _END = r"(?<![\w/.$<>{}*@-])", r"(?![\w/{<*$-]|\.\w)"
SOURCE = rf"{_START}(?:\.\./)*[A-Za-z_.][\w.-]*(?:/[\w.-]+)*(?:\.(?:pyi?|rs|md|toml|sh|ya?ml|tpl)|/){_END}"
"""A file of a kind that we write, or a folder with its slash."""

COMMENTS = {
    **dict.fromkeys((".py", ".pyi", ".yaml", ".yml", ".toml", ".sh", ".tpl", "Makefile", "Dockerfile", "run"), "#"),
    **dict.fromkeys((".rs", ".go"), "//"),
    ".md": "",
}
"""What a comment begins with in files of a kind; a page is read whole."""

LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)[^)]*\)")
VERB = re.compile(r"`make ([a-z][\w-]*)((?: [a-z][\w-]*)*)")
MODULE = re.compile(r"(?<![\w/.-])(?:ringrift_core|ringrift_operator|benchmarks|images|tests)(?:\.[A-Za-z_]\w*)+")


class Repository:
    """The files that git knows."""

    def __init__(self) -> None:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        self.files = [file for file in listed.splitlines() if (ROOT / file).exists()]
        self.read = [file for file in self.files if not file.startswith(PRINTED)]
        self.known = {*self.files, *(str(parent) for file in self.files for parent in PurePosixPath(file).parents)}
        self.verbs = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        top = "|".join(sorted({file.split("/")[0] for file in self.files if "/" in file} - {".ci"}))
        self.rooted = rf"{_START}(?:{top})/[\w./-]*\w/?{_END}"
        """A path from the root, of any kind."""

    def missing_paths(self, file: str, line: str) -> Iterator[str]:
        """Paths named in a line of a file that lead nowhere."""
        named: list[str] = []
        for found in re.finditer(rf"{SOURCE}|{self.rooted}", line):
            name = found[0]
            if name in ELSEWHERE or name.split("/")[0].isupper():
                continue
            parents = [str(parent) for parent in PurePosixPath(file).parents]
            places = [*parents, *SEARCHED, *named]
            there = [path for place in places if (path := _joined(place, name)) in self.known]
            named += there
            if not there:
                yield name

    def missing_links(self, file: str, line: str) -> Iterator[str]:
        """Targets of a page's links that are not there."""
        folder = str(PurePosixPath(file).parent)
        yield from (found[1] for found in LINK.finditer(line) if _joined(folder, found[1]) not in self.known)

    def missing_verbs(self, line: str) -> Iterator[str]:
        """Verbs that the Makefile has not."""
        named = (verb for found in VERB.finditer(line) for verb in (found[1], *found[2].split()))
        yield from (f"make {verb}" for verb in named if verb not in self.verbs)

    def missing_modules(self, line: str) -> Iterator[str]:
        """Modules, and names in modules, that do not exist."""
        for found in MODULE.finditer(line):
            package, *rest = found[0].split(".")
            if not self._defines(f"operator/{package}" if package == "ringrift_operator" else package, rest):
                yield found[0]

    def missing(self, file: str, line: str) -> list[str]:
        """All that is named in a line of a file and is not there."""
        links = self.missing_links(file, line) if file.endswith(".md") else ()
        return [*self.missing_paths(file, line), *self.missing_modules(line), *self.missing_verbs(line), *links]

    def _defines(self, place: str, names: list[str]) -> bool:
        for depth, name in enumerate(names):
            if f"{place}/{name}" in self.known:
                place = f"{place}/{name}"
                continue
            source = next((each for ending in (".py", ".pyi") if (each := f"{place}/{name}{ending}") in self.known), "")
            words, source = (names[depth + 1 :], source) if source else (names[depth:], f"{place}/__init__.py")
            text = (ROOT / source).read_text(encoding="utf-8") if source in self.known else ""
            return all(re.search(rf"\b{word}\b", text) for word in words)
        return True


def _joined(place: str, name: str) -> str:
    """The path from the root, "" for one that leaves the repository."""
    parts: list[str] = []
    for part in PurePosixPath(place, name).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return ""
    return "/".join(parts) or "."


def read(file: str) -> Iterator[tuple[int, str]]:
    """What people read in a file, by line: all of a page, the comments and docstrings of a program."""
    path = PurePosixPath(file)
    mark = COMMENTS.get(path.suffix or path.name)
    if mark is None:
        return
    text = (ROOT / file).read_text(encoding="utf-8")
    if path.suffix in (".py", ".pyi"):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Expr(value=ast.Constant(value=str(docstring))):
                    yield from enumerate(docstring.splitlines(), node.lineno)
    else:
        for number, line in enumerate(text.splitlines(), 1):
            yield number, line.partition(mark)[2] if mark else line


@pytest.fixture(scope="module")
def repository() -> Repository:
    return Repository()


@pytest.fixture(scope="module")
def lines(repository: Repository) -> list[tuple[str, int, str]]:
    """All that people read: file, number, line."""
    return [(file, number, line) for file in repository.read for number, line in read(file)]


def test_whatever_is_named_is_there(repository: Repository, lines: list[tuple[str, int, str]]) -> None:
    missing = []
    for file, number, line in lines:
        missing += [f"{file}:{number}: {name}" for name in repository.missing(file, line)]
    assert missing == []


def test_what_is_said_to_be_elsewhere_is_named_somewhere(lines: list[tuple[str, int, str]]) -> None:
    text = "\n".join(line for _, _, line in lines)
    assert [name for name in ELSEWHERE if name not in text] == []


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("see stages.md and ../operator/README.md", []),
        ("see pages.md", ["pages.md"]),
        ("`rules/`: `turn.rs`, `turns.rs`", ["turns.rs"]),
        ("`ringrift_core/engine/src/rules` and docs/live-view.svg, docs/dead-view.svg", ["docs/dead-view.svg"]),
        ("ringrift_core.store.Store, ringrift_core.shop, tests.cluster", ["ringrift_core.shop"]),
        ("`make lint test` and `make lunch`, which make sense", ["make lunch"]),
        ("[here](store.md#keys) and [there](shop.md)", ["shop.md", "shop.md"]),
        ("https://example.org/pages.md, <store>/games.md, 1/2 and and/or", []),
    ],
)
def test_a_name_of_nothing_is_found(repository: Repository, line: str, missing: list[str]) -> None:
    assert repository.missing("docs/x.md", line) == missing
