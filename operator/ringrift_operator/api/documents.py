"""Files of resources as `kubectl apply -f` reads them: YAML, JSON, several in a file, lists, folders, standard input.

kubectl turns YAML into JSON by go-yaml's rules, which are YAML 1.1's but for numbers: 1e9 is one, 1:30 is none, and 2.0
is sent as 2. What both read means the same; what neither reads is named with its place.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ringrift_operator.api.check import Problem

STANDARD_INPUT = Path("-")
ENDINGS = (".json", ".yaml", ".yml")
"""Of the files of a folder that are read; folders in it are not."""
MOST_VALUES = 1_000_000
"""In a document once its aliases are written out. The API server takes 3 MB."""


@dataclass(frozen=True)
class Document:
    """One parsed document."""

    file: str
    """Where it came from, for messages."""
    content: Any


@dataclass(frozen=True)
class FileProblem:
    """A problem and where it stands."""

    file: str
    resource: str
    """`TrainingPipeline/quickstart`; empty when the file could not be read that far."""
    problem: Problem

    @property
    def path(self) -> str:
        return self.problem.path

    @property
    def sentence(self) -> str:
        return self.problem.sentence

    def __str__(self) -> str:
        place = f"{self.file}: {self.resource}" if self.resource else self.file
        return f"{place}: {self.problem}"


class InvalidResources(Exception):  # noqa: N818  # what was found, not what went wrong with us
    """Documents that cannot be used; the message has a line for every problem."""

    def __init__(self, found: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(map(str, found)))
        self.problems = tuple(found)


def read_all(paths: Sequence[Path]) -> list[Document]:
    """The documents of files, of folders' files and of standard input (`-`), empty ones left out and lists taken apart.

    InvalidResources for the first that cannot be read.
    """
    return [document for path in paths for file in _files(path) for document in read(file)]


def read(path: Path) -> list[Document]:
    """The documents of one file."""
    name = "standard input" if path == STANDARD_INPUT else str(path)
    try:
        contents = list(_contents(_text(path)))
        if any(_size(content, {}) > MOST_VALUES for content in contents):
            raise _unreadable(name, "holds more than a million values once its aliases are written out")
    except OSError as error:
        raise _unreadable(name, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(
            name, f"is not {error.encoding.upper()} text: byte {error.start} cannot be decoded"
        ) from error
    except RecursionError as error:
        raise _unreadable(name, "is nested too deeply") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise _unreadable(name, f"{place}is not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(name, f"is not YAML: {error}") from error
    documents = (Document(name, content) for content in contents if content is not None)
    return [single for document in documents for single in _apart(document)]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists() and re.match("https?:/", str(path)):
            raise _unreadable(str(path), "is an address: fetch it and give it to -f -, standard input")
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in ENDINGS and not file.is_dir())
    if not found:
        raise _unreadable(str(path), f"holds no file that ends in {', '.join(ENDINGS)}")
    return found


def _text(path: Path) -> str:
    with open(0 if path == STANDARD_INPUT else path, "rb", closefd=path != STANDARD_INPUT) as file:
        content = file.read()
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf_16 else "utf-8-sig")


def _contents(text: str) -> Iterator[Any]:
    """What stands between marks of documents is JSON, one value after another, or YAML."""
    lines = 0
    for part in re.split(r"^(?=---(?:\s|$))", text, flags=re.MULTILINE):
        unmarked = part.removeprefix("---")
        try:
            yield from list(_json_values(unmarked)) if unmarked.lstrip().startswith("{") else _yaml_values(part, lines)
        except ValueError:
            yield from _yaml_values(part, lines)
        lines += part.count("\n")


def _yaml_values(text: str, lines_before: int) -> Iterator[Any]:
    """So many lines further down, for the places of errors."""
    yield from yaml.load_all("\n" * lines_before + text, Loader=_Loader)


def _json_values(text: str) -> Iterator[Any]:
    position = 0
    while text[position:].strip():
        position += len(text[position:]) - len(text[position:].lstrip())
        value, position = _JSON.raw_decode(text, position)
        yield value


def _apart(document: Document) -> Iterator[Document]:
    """The document, or the items of a list of resources."""
    content = document.content
    is_list = isinstance(content, dict) and isinstance(content.get("kind"), str) and content["kind"].endswith("List")
    items = content.get("items") if is_list else None
    if not isinstance(items, list):
        yield document
        return
    for index, item in enumerate(items):
        yield from _apart(Document(f"{document.file}, items[{index}]", item))


def _size(value: Any, known: dict[int, int]) -> int:
    """How many values there are in a value; each that aliases stand for is counted once, and added as often as it is
    meant."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        parts = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(value)]


def _unreadable(name: str, why: str) -> InvalidResources:
    return InvalidResources([FileProblem(name, "", Problem("", why))])


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: a date is text, and numbers are go-yaml's. Of a key that is there twice kubectl takes
    the last without a word; here it is an error."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # the base class's way


def _mapping_without_repetition(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
            continue
        if key_node.value in seen:
            problem = f"{key_node.value} is given twice: remove one"
            raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key_node.start_mark)
        seen.add(key_node.value)
    return loader.construct_mapping(node, deep=True)


def _truth(loader: _Loader, node: yaml.ScalarNode) -> bool:
    return loader.construct_scalar(node).lower() in ("y", "yes", "true", "on")


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    """`0x1F`, `0b1`, `0o17` and, in YAML 1.1's way, `017`."""
    text = loader.construct_scalar(node).replace("_", "").lower()
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if re.fullmatch("0[0-7]+", digits):
        return sign * int(digits, 8)
    return _as_sent(sign * int(digits, 0))


def _floating(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    return _as_sent(float(loader.construct_scalar(node).replace("_", "")))


def _as_sent(number: float) -> int | float:
    """A number as JSON carries it to the API server: 2.0 is an integer there, and what 64 bits do not hold is none."""
    is_whole = math.isfinite(number) and number == int(number)
    return int(number) if is_whole and abs(number) < 2**63 else float(number)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_JSON = json.JSONDecoder(
    parse_float=lambda text: _as_sent(float(text)),
    parse_int=lambda text: _as_sent(int(text)),
    parse_constant=_refuse_constant,
)

_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repetition)
for _name, _pattern, _first, _constructor in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""], yaml.SafeLoader.construct_yaml_null),
    (
        "bool",
        r"y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        list("yYnNtTfFoO"),
        _truth,
    ),
    (
        "int",
        r"[-+]?(0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)",
        list("-+0123456789"),
        _integer,
    ),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
        _floating,
    ),
    ("merge", r"<<", ["<"], None),
):
    _tag = f"tag:yaml.org,2002:{_name}"
    _Loader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), _first)
    if _constructor is not None:
        _Loader.add_constructor(_tag, _constructor)
