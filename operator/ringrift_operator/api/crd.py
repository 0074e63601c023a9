"""Makes the CustomResourceDefinitions from the models: `python -m ringrift_operator.api.crd FOLDER...`.

The API server takes structural schemas: no references, no unions, no null. pydantic writes JSON Schema 2020-12; what
differs is rewritten here, and nothing else is decided here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from ringrift_operator.api.base import GROUP, SCHEMA_ANNOTATION, SCHEMA_VERSION, VERSION, Resource
from ringrift_operator.api.kinds import KINDS
from ringrift_operator.api.overlay import OVERRIDES
from ringrift_operator.api.scalars import format_duration

Schema = dict[str, Any]

HEADER = "# Made from operator/ringrift_operator/api by `make crds`; edit the models, not this file.\n"

_DROPPED = frozenset({"$defs", "discriminator", "prefixItems", "propertyNames", "title", OVERRIDES})


def structural(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """A schema of pydantic's as the API server takes it; `definitions` are what its references name."""
    if "$ref" in schema:
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return structural(definitions[schema["$ref"].rpartition("/")[2]] | siblings, definitions)
    if "anyOf" in schema:  # only `X | None`: an absent field is the API's null
        (choice,) = (option for option in schema["anyOf"] if option != {"type": "null"})
        siblings = {key: value for key, value in schema.items() if key != "anyOf"}
        return structural(choice | siblings, definitions)
    result: Schema = {}
    for key, value in schema.items():
        match key:
            case _ if key in _DROPPED:
                continue
            case "properties":
                result[key] = {name: structural(field, definitions) for name, field in value.items()}
            case "items":
                result[key] = structural(value, definitions)
            case "additionalProperties" if value is True:
                result["x-kubernetes-preserve-unknown-fields"] = True
            case "additionalProperties" if value is False:
                continue  # the API server prunes by itself
            case "additionalProperties":
                result[key] = structural(value, definitions)
            case "const":
                result["enum"] = [value]
            case "exclusiveMinimum" | "exclusiveMaximum":
                result[key.replace("exclusiveM", "m")] = value
                result[key] = True
            case "default":
                default = _without_null(value)
                if default is not None:
                    result[key] = default
            case _:
                result[key] = value
    return _bare(result) if schema.get(OVERRIDES) else result


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return value


def _bare(schema: Schema) -> Schema:
    """A section laid over another: every field optional, nothing filled in, no rule that spans fields."""
    result = {key: value for key, value in schema.items() if key not in {"default", "required"}}
    if "properties" in result:
        result.pop("x-kubernetes-validations", None)
        result["properties"] = {name: _bare(field) for name, field in result["properties"].items()}
    return result


def _observed(schema: Schema, keys: Sequence[str] = ()) -> Schema:
    """A status: what the operator did not write is not there, so nothing is defaulted and no rule spans fields.

    A list's `keys` keep their defaults, or the list could not be merged.
    """
    result = {key: value for key, value in schema.items() if key not in {"default", "x-kubernetes-validations"}}
    if "properties" in result:
        result["properties"] = {
            name: field if name in keys else _observed(field) for name, field in result["properties"].items()
        }
    for part in ("items", "additionalProperties"):
        if part in result:
            result[part] = _observed(result[part], result.get("x-kubernetes-list-map-keys", ()))
    return result


def _of_any_version(schema: Schema) -> Schema:
    """What the operator writes: fields that another version wrote stay until they are written anew.

    The API server prunes what the schema lacks when it reads an object, too: those of the version before would be gone
    with the upgrade of the CRD, before the new operator has read them.
    """
    result = dict(schema)
    if "properties" in result:
        result["x-kubernetes-preserve-unknown-fields"] = True
        result["properties"] = {name: _of_any_version(field) for name, field in result["properties"].items()}
    for part in ("items", "additionalProperties"):
        if isinstance(result.get(part), dict):
            result[part] = _of_any_version(result[part])
    return result


class _Generator(GenerateJsonSchema):
    def encode_default(self, dft: Any) -> Any:
        """Durations as people write them, where pydantic would write ISO 8601."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def open_api_schema(kind: type[Resource]) -> Schema:
    """The schema of one kind, from the root of the object."""
    raw = kind.model_json_schema(by_alias=True, schema_generator=_Generator)
    schema = structural(raw, raw["$defs"])
    properties = schema["properties"]
    for name in ("apiVersion", "kind"):
        properties[name] = {"type": "string"}
    properties["metadata"] = {"type": "object"}
    if "status" in properties:
        properties["status"] = _of_any_version(_observed(properties["status"]))
    else:  # a record
        properties["spec"] = _of_any_version(properties["spec"])
    schema["required"] = ["spec"]
    return schema


def crd(kind: type[Resource]) -> Schema:
    """The CustomResourceDefinition of one kind."""
    schema = open_api_schema(kind)
    version: Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [
            {"name": column.name, "type": column.type, "jsonPath": column.path}
            | ({"description": column.description} if column.description else {})
            | ({"priority": 1} if column.is_wide else {})
            for column in kind.columns
        ],
        "schema": {"openAPIV3Schema": schema},
    }
    if "status" in schema["properties"]:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            # helm uninstall leaves CRDs, and with them everybody's pipelines, in place.
            "annotations": {"helm.sh/resource-policy": "keep", SCHEMA_ANNOTATION: SCHEMA_VERSION},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.__name__,
                "listKind": f"{kind.__name__}List",
                "plural": kind.plural,
                "singular": kind.__name__.lower(),
                "shortNames": list(kind.short_names),
                "categories": ["ringrift"],
            },
            "versions": [version],
        },
    }


class _Dumper(yaml.SafeDumper):
    """Without anchors: people read these files."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the base class's signature
        return True


def files() -> dict[str, str]:
    """Name and text of each CRD's file."""
    return {
        f"{kind.plural}.yaml": HEADER
        + yaml.dump(crd(kind), Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
        for kind in KINDS.values()
    }


def main(folders: list[str]) -> int:
    """Writes the CRDs into each folder."""
    if not folders:
        print("usage: python -m ringrift_operator.api.crd FOLDER...", file=sys.stderr)
        return 2
    for folder in map(Path, folders):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files().items():
            (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
