"""The CRDs are made from the models, and people can read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringrift_operator.api import crd, reference
from ringrift_operator.api.base import Resource, Value
from ringrift_operator.api.kinds import KINDS

ROOT = Path(__file__).parents[3]
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def below(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and every schema in it, with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from below(field, f"{path}.{name}")
    for part, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if part in schema:
            yield from below(schema[part], path + suffix)


@pytest.mark.parametrize("folder", ["crds", "charts/ringrift-crds/templates"])
def test_the_files_are_made_from_the_models(folder: str) -> None:
    made = crd.files()
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / folder).glob("*.yaml")}
    found = {name: text for name, text in texts.items() if text.startswith(crd.HEADER)}
    assert found.keys() == made.keys()
    for name, text in made.items():
        assert found[name] == text, f"{folder}/{name} is not what the models say: run make crds"


def test_the_reference_is_made_from_the_models() -> None:
    found = (ROOT / "docs/api-reference.md").read_text(encoding="utf-8")
    assert found == reference.reference(), "docs/api-reference.md is not what the models say: run make crds"


@kinds
def test_schemas_are_structural(kind: type[Resource]) -> None:
    for path, schema in below(crd.open_api_schema(kind)):
        assert "type" in schema or "x-kubernetes-int-or-string" in schema, path
        assert not schema.keys() & {"$ref", "$defs", "anyOf", "oneOf", "const", "title"}, path
        assert schema.get("default", ...) is not None, path
        assert schema.get("type") != "array" or "items" in schema, path


def models(model: type[Value], seen: set[type[Value]]) -> set[type[Value]]:
    """A model of ours and all models in its fields."""
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for found in mentioned(field.annotation):
                models(found, seen)
    return seen


def mentioned(annotation: Any) -> Iterator[type[Value]]:
    if isinstance(annotation, type) and issubclass(annotation, Value):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from mentioned(argument)


@kinds
def test_every_field_is_described(kind: type[Resource]) -> None:
    bare = [
        f"{model.__name__}.{name}"
        for model in models(kind, set())
        for name, field in model.model_fields.items()
        if model is not kind and not field.description
    ]
    assert bare == []


@kinds
def test_lists_and_texts_of_a_spec_are_bounded(kind: type[Resource]) -> None:
    """CEL's cost is estimated from bounds, and a status must fit into its object (design.md section 5)."""
    schema = crd.open_api_schema(kind)
    for path, part in below(schema["properties"]["spec"], "spec"):
        if part.get("type") == "array":
            assert "maxItems" in part, path


def test_a_lists_keys_are_always_there() -> None:
    """The API server merges by them, so each is required or has a default."""
    for kind in KINDS.values():
        for path, schema in below(crd.open_api_schema(kind)):
            for key in schema.get("x-kubernetes-list-map-keys", ()):
                item = schema["items"]
                assert key in item.get("required", ()) or "default" in item["properties"][key], f"{path}: {key}"


def test_a_status_is_never_filled_in_or_ruled() -> None:
    for kind in KINDS.values():
        status = crd.open_api_schema(kind)["properties"].get("status", {})
        keys = {f"{path}[].{key}" for path, part in below(status) for key in part.get("x-kubernetes-list-map-keys", ())}
        assert {path for path, part in below(status) if "default" in part} <= keys
        assert [path for path, part in below(status) if "x-kubernetes-validations" in part] == []


def test_a_section_that_is_laid_over_another_has_no_defaults() -> None:
    pipeline = crd.open_api_schema(KINDS["TrainingPipeline"])
    configuration = pipeline["properties"]["spec"]["properties"]["configurations"]["items"]
    for section in ("selfplay", "network", "cmaes", "evaluation"):
        for path, part in below(configuration["properties"][section], section):
            assert not part.keys() & {"default", "required"}, path


def test_writing_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_files_are_written_into_every_folder(tmp_path: Path) -> None:
    assert crd.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert {path.name for path in (tmp_path / "b").iterdir()} == crd.files().keys()
