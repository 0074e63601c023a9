"""What all resources are made of: immutable values, Kubernetes metadata, and rules that are stated once.

A rule is a method marked with `rule` or `transition`: the CEL expression and the sentence go into the CRD, the method
is the same condition for `ringrift-operator local` (`check.problems` runs it), and both report at the same path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

GROUP = "ringrift.ai"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

NAME_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
NAME_LENGTH = 40
"""DNS-1035 labels of at most 40: child names and label values are made from them (design.md section 5)."""

OVERRIDES = "x-ringrift-overrides"
"""Marks an overriding section between pydantic's schema and the CRD's; never part of a CRD."""


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


@dataclass(frozen=True)
class Rule:
    """One condition on a model, as the API server and as `local` check it."""

    cel: str
    message: str
    path: str
    """Where it is reported, below the model; empty is the model itself."""
    is_transition: bool
    """Compares with the previous version of the object (`oldSelf`)."""

    def to_schema(self) -> dict[str, str]:
        """One entry of x-kubernetes-validations."""
        place = {"fieldPath": self.path} if self.path else {}
        return {"rule": self.cel, "message": self.message} | place


Method = TypeVar("Method", bound=Callable[..., bool])


def rule(cel: str, message: str, path: str = "") -> Callable[[Method], Method]:
    """Marks `method(self) -> bool` as the Python form of the CEL expression `cel`."""
    return _mark(Rule(cel, message, path, is_transition=False))


def transition(cel: str, message: str, path: str = "") -> Callable[[Method], Method]:
    """Marks `method(self, old) -> bool` as the Python form of the CEL expression `cel` over self and oldSelf."""
    return _mark(Rule(cel, message, path, is_transition=True))


def _mark(mark: Rule) -> Callable[[Method], Method]:
    def attach(method: Method) -> Method:
        method.rule = mark  # type: ignore[attr-defined]  # functions take attributes; the type checker has no word for it
        return method

    return attach


def rules_of(model: type[BaseModel]) -> list[tuple[Rule, Callable[..., bool]]]:
    """The marked methods of a model, in the order they are written, inherited ones first."""
    found: dict[str, tuple[Rule, Callable[..., bool]]] = {}
    for owner in reversed(model.__mro__):
        for name, member in vars(owner).items():
            mark = getattr(member, "rule", None)
            if isinstance(mark, Rule):
                found[name] = (mark, member)
    return list(found.values())


@dataclass(frozen=True)
class ListMap:
    """Annotation of a list whose items are told apart by these fields (x-kubernetes-list-type: map)."""

    keys: tuple[str, ...]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(self.keys)}


@dataclass(frozen=True)
class ListSet:
    """Annotation of a list without repetitions (x-kubernetes-list-type: set)."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {"x-kubernetes-list-type": "set"}


@dataclass(frozen=True)
class Overrides:
    """Annotation of a section that is laid over another one: nothing in it is required, defaulted or ruled."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {OVERRIDES: True}


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


Section = TypeVar("Section", bound=Value)


def laid_over(section: Section, override: Section | None) -> Section:
    """`section` with every field that `override` sets, nested sections field by field."""
    if override is None:
        return section
    changes: dict[str, object] = {}
    for name in override.model_fields_set:
        below, above = getattr(section, name), getattr(override, name)
        changes[name] = laid_over(below, above) if isinstance(above, Value) else above
    return section.model_copy(update=changes)
