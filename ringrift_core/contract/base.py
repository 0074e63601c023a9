"""What every model of the contract stands on, and how parameters become a command line."""

from __future__ import annotations

import sys
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ringrift_core.contract.vocabulary import Board, PositiveCount, Stage, configuration_name

STAGE_PROGRAM = (sys.executable, "-P", "-m", "ringrift_core")
"""`ringrift` of this installation, to start a stage with; -P, or a checkout in the working folder would run instead."""


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
    """The model with these fields changed, and checked as if made anew.

    TypeError for a name that it does not have, ValidationError for a value that does not fit.
    """
    if unknown := fields.keys() - type(model).model_fields.keys():
        raise TypeError(f"{type(model).__name__} has no field {', '.join(sorted(unknown))}")
    return type(model).model_validate({**dict(model), **fields})


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Artifact(Contract):
    """An immutable, content-addressed file in the store. On a command line: `URI#SHA256:BYTES`."""

    uri: str
    sha256: Sha256
    bytes: int = Field(ge=0)

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


def split_commas(value: object) -> object:
    if isinstance(value, str):
        return [part for part in value.split(",") if part]
    return value


class StageParameters(Contract):
    """What every stage is told. Subclasses name their `stage`."""

    stage: ClassVar[Stage]

    store: str = Field(description="Root URI of the artifact store: file:///path or s3://bucket/prefix.")
    board: Board = Field(description="Board of the configuration.")
    players: int = Field(ge=2, le=4, description="Seats of the configuration.")
    attempt: PositiveCount = Field(default=1, description="Which try this is, counted by the operator.")

    @property
    def configuration(self) -> str:
        return configuration_name(self.board, self.players)


class IterationParameters(StageParameters):
    iteration: PositiveCount = Field(description="Iteration of the loop; 1 is the bootstrap.")


def to_arguments(parameters: StageParameters) -> list[str]:
    """The command line (without the program) that `ringrift_core.cli` parses back to equal parameters."""
    arguments = [parameters.stage.value]
    for name, field in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        if value == field.get_default():
            continue
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(flag if value else "--no-" + name.replace("_", "-"))
        elif isinstance(value, tuple):
            arguments += [flag, ",".join(str(item) for item in value)]
        else:
            arguments += [flag, str(value)]
    return arguments
