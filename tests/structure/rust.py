"""The module graph of a Rust crate, read from its sources, and the circles in it.

A module is a file. It uses another one when a path in it (`use`, or in the code) ends at something that the other
defines; a re-export is followed to where the thing is defined, and is no use itself. Tests are left out: they may look
at anything. Methods are not seen: `impl State` in a rule's file adds to the type and is used through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["circles", "folded", "uses"]

Route = tuple[str, ...]
"""Names of modules from the root of the crate: () is lib.rs, ("players", "minimax") players/minimax/mod.rs."""

_NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|r#*\"[^\"]*\"#*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'", re.DOTALL)
_TESTS = re.compile(r"#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?P<use>use\b[^;]*;)|mod\s+(?P<name>\w+)\s*)")
_MODULE = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;", re.MULTILINE)
_USE = re.compile(r"^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);", re.MULTILINE)
_MACRO = re.compile(r"macro_rules!\s*(\w+)")
_PATH = re.compile(r"(?<![\w:$])\w+(?:::\w+)+")


@dataclass
class _Module:
    route: Route
    file: Path
    text: str
    children: list[str]
    imported: dict[str, Route] = field(default_factory=dict)
    exported: dict[str, Route] = field(default_factory=dict)


def uses(source: Path) -> dict[str, set[str]]:
    """For each module of the crate under `source` (a folder with lib.rs) the others that it uses, as paths of files."""
    modules = {module.route: module for module in _read(source, source / "lib.rs", ())}
    macros = {name: module.route for module in modules.values() for name in _MACRO.findall(module.text)}
    names = {route: module.file.relative_to(source).as_posix() for route, module in modules.items()}
    graph = {}
    for module in modules.values():
        paths = [*module.imported.values(), *_paths_in(module)]
        found = {_defining(modules, macros, module, path) for path in paths} - {None, module.route}
        graph[names[module.route]] = {names[route] for route in found if route is not None}
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """One shortest circle through each knot of modules that all reach one another."""
    found = []
    knotted: set[str] = set()
    for start in sorted(graph):
        circle = None if start in knotted else _way(graph, start, start)
        if circle:
            found.append(circle)
            knotted |= {other for other in graph if _way(graph, start, other) and _way(graph, other, start)}
    return found


def folded(graph: Mapping[str, set[str]], depth: int) -> dict[str, set[str]]:
    """The same of whole folders: everything at most `depth` names deep, a folder standing for all that lies in it."""
    place = {name: "/".join(name.split("/")[:depth]) for name in graph}
    folders: dict[str, set[str]] = {folder: set() for folder in place.values()}
    for name, used in graph.items():
        folders[place[name]] |= {place[other] for other in used} - {place[name]}
    return folders


def _way(graph: Mapping[str, set[str]], start: str, goal: str) -> list[str] | None:
    """A shortest way of at least one step."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for used in sorted(graph[way[-1]] - seen):
            if used == goal:
                return [*way, used]
            seen.add(used)
            ways.append([*way, used])
    return None


def _read(source: Path, file: Path, route: Route) -> Iterator[_Module]:
    text = _without_tests(_NOISE.sub(" ", file.read_text()))
    module = _Module(route, file, _USE.sub(" ", text), _MODULE.findall(text))
    for public, tree in _USE.findall(text):
        for name, path in _leaves(tree):
            (module.exported if public else module.imported)[name] = path
    yield module
    folder = source.joinpath(*route)
    for child in module.children:
        direct, inner = folder / f"{child}.rs", folder / child / "mod.rs"
        yield from _read(source, direct if direct.is_file() else inner, (*route, child))


def _without_tests(text: str) -> str:
    while match := _TESTS.search(text):
        end = match.end()
        if not match["use"]:
            end = text.index(";", end) + 1 if text[end] == ";" else _closing(text, end)
        text = text[: match.start()] + text[end:]
    return text


def _closing(text: str, opening: int) -> int:
    depth = 0
    for place in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    raise ValueError("a block of tests that is not closed")


def _leaves(tree: str, before: Route = ()) -> Iterator[tuple[str, Route]]:
    """(name in this file, path) of each name that a `use` brings in."""
    head, brace, rest = tree.strip().partition("{")
    path = (*before, *(part for part in re.split(r"\s*::\s*", head.strip()) if part))
    if not brace:
        last, _, alias = path[-1].partition(" as ")
        path = path[:-1] if last.strip() == "self" and len(path) > 1 else (*path[:-1], last.strip())
        yield (alias.strip() or path[-1]), path
        return
    depth, start = 0, 0
    inner = rest.rstrip().removesuffix("}")
    for place, character in enumerate([*inner, ","]):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            if inner[start:place].strip():
                yield from _leaves(inner[start:place], path)
            start = place + 1


def _paths_in(module: _Module) -> Iterator[Route]:
    """Paths in the code that start at the crate, at an imported name or at a child."""
    for match in _PATH.finditer(module.text):
        first, *rest = match.group().split("::")
        if first in ("crate", "super", "self") or first in module.children:
            yield (first, *rest)
        elif first in module.imported:
            yield (*module.imported[first], *rest)


def _defining(
    modules: Mapping[Route, _Module], macros: Mapping[str, Route], here: _Module, path: Route
) -> Route | None:
    """The module that defines what a path names; None for other crates, and for a path that ends at a module: only what
    is taken from it counts."""
    first, *rest = path
    if first == "crate":
        at: Route = ()
    elif first == "self":
        at = here.route
    elif first == "super":
        at = here.route[:-1]
    elif first in here.children:
        at = (*here.route, first)
    else:
        return None
    for place, name in enumerate(rest):
        if name == "super":
            at = at[:-1]
        elif (*at, name) in modules:
            at = (*at, name)
        elif name in modules[at].exported:
            return _defining(modules, macros, modules[at], (*modules[at].exported[name], *rest[place + 1 :]))
        else:
            return macros[name] if at == () and name in macros else at
    return None
