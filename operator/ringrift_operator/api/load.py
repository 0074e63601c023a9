"""Reads resources as strictly as `kubectl apply` does, and says what is wrong in one go."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ringrift_operator.api.base import API_VERSION, GROUP, Resource
from ringrift_operator.api.check import Problem, problems, problems_of_change
from ringrift_operator.api.documents import Document, FileProblem, InvalidResources, read, read_all
from ringrift_operator.api.kinds import KINDS

__all__ = ["Document", "FileProblem", "InvalidResources", "left_to_kubectl", "load", "load_file", "read", "read_all"]

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


def load_file(path: Path) -> list[Resource]:
    """The resources of our group in a file, in its order; other kinds are left to kubectl.

    InvalidResources when the file cannot be read, is no YAML, or holds a resource that the API server would refuse.
    """
    return load(read(path))


def left_to_kubectl(documents: Iterable[Document]) -> list[str]:
    """`Secret/keys`: what `load` passes over of these documents, since it is of another's group."""
    return [
        f"{content['kind']}/{_name_in(content)}" if _name_in(content) else content["kind"]
        for document in documents
        if _is_object(content := document.content) and not _is_ours(content)
    ]


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
    if not _is_object(content):
        return "", [Problem("", f"is no Kubernetes object: it needs apiVersion: {API_VERSION} and a kind")]
    kind, version = content["kind"], content["apiVersion"]
    if not _is_ours(content):
        return kind, []
    if version != API_VERSION:
        return kind, [Problem("apiVersion", f"{version} is unknown: write {API_VERSION}")]
    if kind not in KINDS:
        return kind, [Problem("kind", f"{kind} is unknown: write one of {', '.join(KINDS)}{_close(kind, KINDS)}")]
    model = KINDS[kind]
    metadata, name = content.get("metadata"), _name_in(content)
    label = f"{kind}/{name}" if name else kind
    # As the API server does: an explicit null is an absent field, and a status is not the user's to write.
    given = {key: value for key, value in content.items() if key != "status"}
    if isinstance(metadata, dict) and (unknown := [key for key in metadata if key not in METADATA]):
        return label, [Problem(f"metadata.{key}", _unknown_field(f"metadata.{key}", METADATA)) for key in unknown]
    if isinstance(metadata, dict) and metadata.get("generateName") and not name:
        return label, [Problem("metadata.name", "Required value: generateName is for `kubectl create`, write a name")]
    try:
        resource = model.model_validate_json(json.dumps(_without_null(given), default=str), strict=True)
    except ValidationError as error:
        return label, _schema_problems(error.errors(include_url=False), model)
    return label, problems(resource) or resource


def _is_object(content: Any) -> bool:
    return isinstance(content, dict) and all(isinstance(content.get(key), str) for key in ("apiVersion", "kind"))


def _is_ours(content: Mapping[str, Any]) -> bool:
    return bool(content["apiVersion"].partition("/")[0] == GROUP)


def _name_in(content: Mapping[str, Any]) -> Any:
    metadata = content.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None


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
        case "int_type" | "float_type" | "bool_type" if isinstance(found, str) and _means_more_than_text(found):
            sentence = f"Invalid value: {json.dumps(found)}: {_lower(details['msg'].removeprefix('Input '))}: no quotes"
        case "too_short":
            sentence = f"Invalid value: {json.dumps(found)}: should have at least {context['min_length']} items"
        case "too_long":
            sentence = f"Invalid value: {len(found)} items: should have at most {context['max_length']} items"
        case _:
            sentence = f"Invalid value: {json.dumps(found)}: {_lower(details['msg'].removeprefix('Input '))}"
    return Problem(path, sentence)


def _means_more_than_text(text: str) -> bool:
    """Whether it would be a number or a truth value without its quotes."""
    try:
        return not isinstance(json.loads(text), str)
    except ValueError:
        return False


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
