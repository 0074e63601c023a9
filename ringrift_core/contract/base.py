"""What every model of the contract stands on, and how parameters become a command line."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ringrift_core.contract.marks import Placement
from ringrift_core.contract.vocabulary import Board, Device, PositiveCount, Stage, Total, configuration_name

STAGE_PROGRAM = (sys.executable, "-P", "-m", "ringrift_core")
"""`ringrift` of this installation, to start a stage with; -P, or a checkout in the working folder would run instead."""


OBJECT_CACHE = "RINGRIFT_OBJECT_CACHE"
"""Variable with the folder where a machine keeps objects of far stores (store/cache.py), if it is set."""
OBJECT_CACHE_BYTES = "RINGRIFT_OBJECT_CACHE_BYTES"
"""Variable with how much may lie in it."""


class Contract(BaseModel):
    """Base of all contract models: immutable, camelCase in JSON, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: "".join(
            word if index == 0 else word.capitalize() for index, word in enumerate(name.split("_"))
        ),
        populate_by_name=True,
    )


Model = TypeVar("Model", bound=BaseModel)


def changed(model: Model, **fields: object) -> Model:
    """The model with these fields changed, and checked as if made anew; itself when nothing is different.

    TypeError for a name that it does not have, ValidationError for a value that does not fit.
    """
    if unknown := fields.keys() - type(model).model_fields.keys():
        raise TypeError(f"{type(model).__name__} has no field {', '.join(sorted(unknown))}")
    if all(getattr(model, name) == value for name, value in fields.items()):
        return model
    return type(model).model_validate({**dict(model), **fields})


@dataclass(frozen=True)
class AtMost:
    """Annotation of a text: at most so many bytes in JSON, which are never fewer than its characters."""

    limit: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core) | {"maxLength": self.limit}

    def _checked(self, text: str) -> str:
        if (size := json_bytes(text)) > self.limit:
            raise ValueError(f"{size} bytes in JSON, {self.limit} fit: {clipped(text, 40)}")
        return text


def json_bytes(text: str) -> int:
    """Bytes that a text takes in JSON, without its quotation marks."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


def clipped(text: str, limit: int) -> str:
    """The text, or as much of its beginning as takes `limit` bytes in JSON with the ellipsis that then ends it."""
    if json_bytes(text) <= limit:
        return text
    kept = text[:limit]
    while (over := json_bytes(kept) + len("…".encode()) - limit) > 0:
        # No character takes more than six bytes.
        kept = kept[: -max(1, over // 6)]
    return kept + "…"


URI_LIMIT = 640
"""Longest address of an artifact, in bytes: a result names several, and has to stay small (archive.py)."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Artifact(Contract):
    """An immutable, content-addressed file in the store. On a command line: `URI#SHA256:BYTES`."""

    uri: Annotated[str, AtMost(URI_LIMIT)] = Field(description="Where it is.")
    sha256: Sha256 = Field(description="What it holds.")
    bytes: Total = Field(description="How large it is.")

    def __str__(self) -> str:
        return f"{self.uri}#{self.sha256}:{self.bytes}"

    @classmethod
    def parse(cls, text: str) -> Artifact:
        """Reads the command-line form back; ValueError says what was expected."""
        uri, separator, rest = text.rpartition("#")
        sha256, colon, size = rest.partition(":")
        if not separator or not colon or not size.isdigit():
            raise ValueError(f"expected URI#SHA256:BYTES, found {text!r}")
        return cls(uri=uri, sha256=sha256, bytes=int(size))


def _artifact_from_text(value: object) -> object:
    return Artifact.parse(value) if isinstance(value, str) else value


ArtifactReference = Annotated[Artifact, BeforeValidator(_artifact_from_text)]

AskingDevice = Annotated[Device, Placement(), Field(description="Where networks are asked; cuda and mps need torch.")]
"""Of a stage in which networks play. Games and verdicts repeat on one kind of device (docs/training.md)."""


def split_commas(value: object) -> object:
    if isinstance(value, str):
        return [part for part in value.split(",") if part]
    return value


class StageParameters(Contract):
    """What every stage is told. Subclasses name their `stage`."""

    stage: ClassVar[Stage]

    store: Annotated[str, Placement()] = Field(
        description="Root URI of the artifact store: file:///path or s3://bucket/prefix."
    )
    board: Board = Field(description="Board of the configuration.")
    players: int = Field(ge=2, le=4, description="Seats of the configuration.")
    attempt: Annotated[PositiveCount, Placement()] = Field(
        default=1, description="Which try this is, counted by the operator."
    )

    @property
    def configuration(self) -> str:
        return configuration_name(self.board, self.players)


class Result(Contract):
    """What a stage found, in figures. Everything in it is bounded: it has to fit a StageResult, and a status.

    Fields that a later version adds have a default, so that what was written before can be read.
    """

    def __add__(self, other: Self) -> Self:
        """The result of two parts of the work together."""
        raise TypeError(f"{type(self).__name__}: the parts of this work do not add up")

    def rounded(self) -> Self:
        """The same with four digits of whatever was measured; counts stay exact."""
        rounded: Self = _rounded(self)
        return rounded


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.4g}")
        case tuple():
            return tuple(_rounded(item) for item in value)
        case Contract():
            return value.model_copy(update={name: _rounded(getattr(value, name)) for name in type(value).model_fields})
        case _:
            return value


class IterationParameters(StageParameters):
    iteration: PositiveCount = Field(description="Iteration of the loop; 1 is the bootstrap.")


def to_arguments(parameters: StageParameters) -> list[str]:
    """The command line (without the program) that `ringrift_core.cli` parses back to equal parameters.

    Defaults are spelled out: the program that parses it may be of a version that has others.
    """
    arguments = [parameters.stage.value]
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if value is None:
            continue
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(flag if value else "--no-" + name.replace("_", "-"))
        elif isinstance(value, tuple):
            arguments += [flag, ",".join(str(item) for item in value)]
        else:
            arguments += [flag, str(value)]
    return arguments
