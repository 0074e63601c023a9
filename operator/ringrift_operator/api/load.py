"""Reads resources from YAML files as strictly as `kubectl apply` does, and says what is wrong in one go."""

from __future__ import annotations

import difflib
import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ringrift_operator.api.base import API_VERSION, GROUP, Resource
from ringrift_operator.api.check import Problem, problems, problems_of_change
from ringrift_operator.api.kinds import KINDS

METADATA = frozenset(
    {
        "name",
        "generateName",
        "namespace",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
"""Fields of Kubernetes' metadata; any other is a slip that kubectl refuses too."""


@dataclass(frozen=True)
class Document:
    """One parsed YAML document."""

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


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: a key twice is an error, a date is text."""


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


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repetition)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_file(path: Path) -> list[Resource]:
    """The resources of our group in a YAML file, in its order; other kinds are left to kubectl.

    InvalidResources when the file cannot be read, is no YAML, or holds a resource that the API server would refuse.
    """
    return load(read(path))


def read(path: Path) -> list[Document]:
    """The documents of a YAML file, empty ones left out."""
    try:
        text = path.read_text(encoding="utf-8")
        contents = list(yaml.load_all(text, Loader=_Loader))
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"is not UTF-8 text: byte {error.start} cannot be decoded") from error
    except RecursionError as error:
        raise _unreadable(path, "is nested too deeply") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise _unreadable(path, f"{place}is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise _unreadable(path, f"is not YAML: {error}") from error
    return [Document(str(path), content) for content in contents if content is not None]


def _unreadable(path: Path, why: str) -> InvalidResources:
    return InvalidResources([FileProblem(str(path), "", Problem("", why))])


def load(documents: Iterable[Document]) -> list[Resource]:
    """The resources of our group among the documents; InvalidResources names every problem of every document.

    As with `kubectl apply`, a resource that comes again is a change of the first, and the last one counts.
    """
    resources: dict[tuple[str, str | None, str], Resource] = {}
    found: list[FileProblem] = []
    for document in documents:
        label, result = _load_one(document.content)
        if isinstance(result, Resource):
            identity = result.kind, result.metadata.namespace, result.metadata.name
            before = resources.get(identity)
            wrong = problems_of_change(result, before) if before else []
            resources[identity] = result
        else:
            wrong = result
        found += [FileProblem(document.file, label, problem) for problem in wrong]
    if found:
        raise InvalidResources(found)
    return list(resources.values())


def _load_one(content: Any) -> tuple[str, Resource | list[Problem]]:
    """What the document is called, and the resource or its problems; no problems and no resource is another's kind."""
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in ("apiVersion", "kind")):
        return "", [Problem("", f"is no Kubernetes object: it needs apiVersion: {API_VERSION} and a kind")]
    kind, version = content["kind"], content["apiVersion"]
    if version.partition("/")[0] != GROUP:
        return kind, []
    if version != API_VERSION:
        return kind, [Problem("apiVersion", f"{version} is unknown: write {API_VERSION}")]
    if kind not in KINDS:
        return kind, [Problem("kind", f"{kind} is unknown: write one of {', '.join(KINDS)}{_close(kind, KINDS)}")]
    model = KINDS[kind]
    metadata = content.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    label = f"{kind}/{name}" if name else kind
    # As the API server does: an explicit null is an absent field, and a status is not the user's to write.
    given = {key: value for key, value in content.items() if key != "status"}
    if isinstance(metadata, dict) and (unknown := [key for key in metadata if key not in METADATA]):
        return label, [Problem(f"metadata.{key}", _unknown_field(f"metadata.{key}", METADATA)) for key in unknown]
    try:
        resource = model.model_validate_json(json.dumps(_without_null(given), default=str), strict=True)
    except ValidationError as error:
        return label, _schema_problems(error.errors(include_url=False), model)
    return label, problems(resource) or resource


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    return value


def _schema_problems(errors: Sequence[ErrorDetails], model: type[BaseModel]) -> list[Problem]:
    """pydantic's errors, without those that only follow from another: a list whose items are wrong counts as empty."""
    places = [error["loc"] for error in errors]
    return [
        _schema_problem(error, model)
        for error in errors
        if not any(len(place) > len(error["loc"]) and place[: len(error["loc"])] == error["loc"] for place in places)
    ]


def _schema_problem(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    """pydantic's error in the API server's words and at its path."""
    path = _path(details["loc"])
    found, context = details["input"], details.get("ctx", {})
    match details["type"]:
        case "missing":
            sentence = "Required value"
        case "extra_forbidden":
            sentence = _unknown_field(path, _aliases(model, details["loc"][:-1]))
        case "enum" | "literal_error":
            supported = context["expected"].replace("'", '"').replace(" or ", ", ")
            sentence = f"Unsupported value: {json.dumps(found)}: supported values: {supported}"
        case "duration":
            sentence = details["msg"]
        case "too_short":
            sentence = f"Invalid value: {json.dumps(found)}: should have at least {context['min_length']} items"
        case "too_long":
            sentence = f"Invalid value: {len(found)} items: should have at most {context['max_length']} items"
        case _:
            sentence = f"Invalid value: {json.dumps(found)}: {_lower(details['msg'].removeprefix('Input '))}"
    return Problem(path, sentence)


def _path(location: Sequence[int | str]) -> str:
    """`spec.configurations[1].players`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _unknown_field(path: str, known: Iterable[str]) -> str:
    return f'unknown field "{path}"{_close(path.rpartition(".")[2], known)}'


def _close(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest known word, or nothing."""
    nearest = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {nearest[0]}?)" if nearest else ""


def _aliases(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Names of the fields of the model at a location below `model`; empty when there is no model."""
    current: Any = model
    for part in location:
        if isinstance(part, int):
            continue
        fields = getattr(current, "model_fields", {})
        field = next((field for name, field in fields.items() if part in (field.alias, name)), None)
        if field is None:
            return []
        current = _model_within(field.annotation)
    return [field.alias or name for name, field in getattr(current, "model_fields", {}).items()]


def _model_within(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None` or `tuple[Model, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        model = _model_within(argument)
        if model is not None:
            return model
    return None
