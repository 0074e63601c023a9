"""Makes the reference of the resources from their schemas: `python -m ringrift_operator.api.reference FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ringrift_operator.api.base import Resource
from ringrift_operator.api.crd import Schema, open_api_schema
from ringrift_operator.api.kinds import KINDS

HEADING = """\
# Reference of the resources

Made from operator/ringrift_operator/api by `make crds`; edit the models, not this file. What it all means together
stands in [api.md](api.md). `[]` is an item of a list, `{}` a value of a map. A field without a default may be left out
unless it says *required*.
"""

_BOUNDS = (("minimum", "from"), ("maximum", "to"))


def reference() -> str:
    """The whole page as Markdown."""
    return HEADING + "".join(_kind(kind) for kind in KINDS.values())


def _kind(kind: type[Resource]) -> str:
    schema = open_api_schema(kind)
    lines = [f"\n## {kind.__name__} (`{'`, `'.join(kind.short_names)}`)\n"]
    for part in ("spec", "status"):
        if part in schema["properties"]:
            lines.append(f"\n| {part} | Value | Default | Meaning |\n|---|---|---|---|\n")
            lines += [_row(*field) for field in _fields(schema["properties"][part], "")]
    rules = list(_rules(schema, ""))
    if rules:
        lines.append("\nRefused, by the API server and by `local`, with these words:\n\n")
        lines += [f"* `{path}`: {message}\n" if path else f"* {message}\n" for path, message in rules]
    return "".join(lines)


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    """Path, schema and whether it must be given, of every field below an object."""
    for name, field in schema.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        yield place, field, name in schema.get("required", ())
        if not field.get("description", "").startswith("Laid over"):  # its fields are those of the section it names
            inner, suffix = field, ""
            while "items" in inner or isinstance(inner.get("additionalProperties"), dict):
                inner, suffix = (
                    (inner["items"], suffix + "[]")
                    if "items" in inner
                    else (inner["additionalProperties"], suffix + "{}")
                )
            yield from _fields(inner, place + suffix)


def _row(path: str, schema: Schema, is_required: bool) -> str:
    # An object's own default only repeats what its fields' rows say.
    default = None if "properties" in schema else schema.get("default")
    shown = "*required*" if is_required else "" if default is None else f"`{_text(default)}`"
    return f"| `{path}` | {_value(schema)} | {shown} | {schema.get('description', '')} |\n"


def _value(schema: Schema) -> str:
    """What may be written, in a few words."""
    if "enum" in schema:
        return ", ".join(f"`{_text(value)}`" for value in schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "items" in schema:
        return f"list of {_value(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map of {_value(schema['additionalProperties'])}"
    if schema["type"] == "string" and any(
        "duration" in rule["message"] for rule in schema.get("x-kubernetes-validations", ())
    ):
        return "duration"
    if schema.get("format") == "date-time":
        return "time"
    words = [f"{word} {_text(schema[bound])}" for bound, word in _BOUNDS if bound in schema]
    if schema.get("exclusiveMinimum") and schema.get("exclusiveMaximum"):
        words = [f"between {_text(schema['minimum'])} and {_text(schema['maximum'])}"]
    return " ".join([schema["type"], *words])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    """Field and sentence of every rule that belongs to an object; those of durations are in their own words."""
    if "properties" in schema:
        for rule in schema.get("x-kubernetes-validations", ()):
            yield (path + rule.get("fieldPath", "")).removeprefix("."), rule["message"]
    for name, field in schema.get("properties", {}).items():
        yield from _rules(field, f"{path}.{name}")
    if "items" in schema:
        yield from _rules(schema["items"], f"{path}[]")


def main(arguments: list[str]) -> int:
    """Writes the reference into a file."""
    if len(arguments) != 1:
        print("usage: python -m ringrift_operator.api.reference FILE", file=sys.stderr)
        return 2
    Path(arguments[0]).write_text(reference(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
