"""What of the chart's values.schema.json is a resource's: `python -m ringrift_operator.api.values_schema FILE`.

A pool in the values is refused as the API server would refuse it, before anything is installed. The rest of the file is
written by hand. The API server's dialect of OpenAPI becomes JSON Schema; CEL rules have no form there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ringrift_operator.api.crd import Schema, open_api_schema
from ringrift_operator.api.pool import WorkerPool

DEFINITIONS = "$defs"


def definitions() -> dict[str, Schema]:
    """The file's `$defs`: a pool's spec, and of it the Pod template and the queue that light stages have as well."""
    spec = json_schema(open_api_schema(WorkerPool)["properties"]["spec"])
    shared = {name: spec["properties"][name] for name in ("podTemplate", "queue")}
    for name in shared:
        spec["properties"][name] = {"$ref": f"#/{DEFINITIONS}/{name}"}
    return {"workerPoolSpec": spec, **shared}


def json_schema(schema: Schema) -> Schema:
    """A structural schema as JSON Schema. What the server fills in may be left out, the unknown is refused."""
    result: Schema = {}
    for key, value in schema.items():
        match key:
            case "properties":
                result[key] = {name: json_schema(field) for name, field in value.items()}
            case "items":
                result[key] = json_schema(value)
            case "additionalProperties":
                result[key] = json_schema(value)
            case "required":
                result[key] = [name for name in value if "default" not in schema["properties"][name]]
            case "minimum" | "maximum" if schema.get(exclusive := f"exclusive{key.capitalize()}"):
                result[exclusive] = value
            case "exclusiveMinimum" | "exclusiveMaximum" | "default":
                continue
            case "x-kubernetes-int-or-string":
                result["type"] = ["string", "integer"]
            case _ if key.startswith("x-kubernetes-"):
                continue
            case _:
                result[key] = value
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    return result


def with_definitions(text: str) -> str:
    """The file's text with today's definitions."""
    content: dict[str, Any] = json.loads(text)
    return json.dumps({**content, DEFINITIONS: definitions()}, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Renews the definitions in the file."""
    if len(arguments) != 1:
        print("usage: python -m ringrift_operator.api.values_schema FILE", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    path.write_text(with_definitions(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
