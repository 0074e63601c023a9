"""What all resources are made of: immutable values and Kubernetes metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ringrift_core.contract import read
from ringrift_operator.api import released_0_1_0
from ringrift_operator.api.rules import rules_of

GROUP = "ringrift.ai"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

SCHEMA_VERSION = "1.0"
"""Of the CRDs, beside the API's own version: MAJOR.MINOR. A minor one adds optional fields, a major one changes what is
there. The operator says so where those that are installed are none for it: the API server drops what they lack."""
SCHEMA_ANNOTATION = f"{GROUP}/schema"

NAME_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
NAME_LENGTH = 40
"""DNS-1035 labels of at most 40: child names and label values are made from them (design.md section 5)."""


class Value(BaseModel):
    """Base of everything in a resource: immutable, camelCase outside, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The model's schema with its rules, where pydantic keeps it."""
        schema = handler(core)
        rules = [mark.to_schema() for mark, _ in rules_of(cls)]
        if rules:
            handler.resolve_ref_schema(schema)["x-kubernetes-validations"] = rules
        return schema


class OwnerReference(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(BaseModel):
    """The part of Kubernetes' metadata that is read here; the rest passes unseen."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )

    name: str = Field(min_length=1)
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    owner_references: tuple[OwnerReference, ...] = ()


@dataclass(frozen=True)
class PrinterColumn:
    """A column of `kubectl get`."""

    name: str
    path: str
    type: str = "string"
    is_wide: bool = False
    """Shown with `-o wide` only."""
    description: str = ""


class Resource(Value):
    """A Kubernetes object of our group. Subclasses add `spec` and, with a status subresource, `status`."""

    plural: ClassVar[str]
    short_names: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[PrinterColumn, ...]]

    api_version: str = API_VERSION
    kind: str
    metadata: ObjectMeta

    @field_validator("status", mode="before", check_fields=False)
    @classmethod
    def _status_of_any_version(cls, status: Any) -> Any:
        """A status is ours, not the user's: what 0.1.0 wrote is understood, and what a later version added ignored."""
        model = cls.model_fields["status"].annotation
        assert isinstance(model, type)
        if not isinstance(status, Mapping):
            return status
        try:
            today = released_0_1_0.status(status)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no version wrote such a status: {error!r}") from error
        return read(model, today)

    def to_manifest(self) -> dict[str, Any]:
        """The object as JSON values, without what is unset: what `kubectl apply` would send."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


NAME_RULE = (
    f"self.metadata.name.size() <= {NAME_LENGTH} && self.metadata.name.matches('{NAME_PATTERN}')",
    f"metadata.name must be at most {NAME_LENGTH} characters: small letters, digits and '-', "
    "starting with a letter and ending with a letter or digit",
)
"""CEL expression and sentence for resources whose names become parts of other names."""


def name_fits(name: str) -> bool:
    """The Python form of NAME_RULE."""
    return len(name) <= NAME_LENGTH and re.fullmatch(NAME_PATTERN, name) is not None
