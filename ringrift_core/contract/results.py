"""What a stage says: progress while it runs, one result at the end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializeAsAny,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ringrift_core.contract import released_0_1_0
from ringrift_core.contract.base import Artifact, AtMost, Contract, Result
from ringrift_core.contract.judging import Verdict
from ringrift_core.contract.reading import CONTRACT_VERSION, TOLERANT, first_fault, read, read_versioned
from ringrift_core.contract.stages import STAGES
from ringrift_core.contract.vocabulary import PositiveCount, Share, Stage

ResultT = TypeVar("ResultT", bound=Result)

RESULT_LIMIT_BYTES = 4096
"""Largest StageResult as JSON: the size of a container's termination message."""

MESSAGE_LIMIT = 768
"""Bytes of a result's message."""

MOST_OUTPUTS = 3
"""Artifacts that a result names."""


class LaterResult(Result):
    """What a stage of a later version answers, read as it stands."""

    model_config = ConfigDict(extra="allow")


def _of_its_stage(value: Any, info: ValidationInfo) -> Any:
    """Reads a result by the model of the stage that stands before it."""
    stage = info.data.get("stage")
    if value is None or stage is None:
        return value
    if (facts := STAGES.get(stage)) is None:
        if isinstance(value, Result):
            return value
        if info.context == TOLERANT:
            return LaterResult.model_validate(value)
        raise ValueError(f"nothing is known of what {stage} answers")
    model = facts.result
    try:
        return read(model, value) if info.context == TOLERANT else model.model_validate(value)
    except ValidationError as error:
        raise ValueError(f"not what {stage} answers: {first_fault(error)}") from error


class _AnyOfThem:
    """Writes the schema of a stage's own result: the fields of all of them, none of which has to be there.

    The API server's schemas know no choice between models; that a result is its stage's, the models see to.
    """

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "object", "properties": _merged_fields()}


StageOwnResult = Annotated[SerializeAsAny[Result], BeforeValidator(_of_its_stage), _AnyOfThem()]
"""The result of whichever stage the model's field `stage` names; that field has to stand before it."""


def _merged_fields() -> dict[str, Any]:
    """The fields of all result models by name; ValueError where two of one name are of different kinds."""
    found: dict[str, dict[str, Any]] = {}
    said: dict[str, dict[str, str]] = {}
    for stage, facts in STAGES.items():
        model = facts.result
        schema = model.model_json_schema(by_alias=True)
        for name, field in schema["properties"].items():
            kind = _bare(field, schema.get("$defs", {}))
            said.setdefault(name, {}).setdefault(kind.pop("description", ""), stage.value)
            if found.setdefault(name, kind) != kind:
                raise ValueError(
                    f"{name} of the result of {stage}: another stage has a field of that name and "
                    f"another kind, {found[name]} and not {kind}: choose another name"
                )
    return {name: kind | {"description": _together(said[name])} for name, kind in found.items()}


def _together(descriptions: dict[str, str]) -> str:
    if len(descriptions) == 1:
        return next(iter(descriptions))
    return " ".join(f"{stage}: {text[0].lower()}{text[1:]}" for text, stage in descriptions.items())


def _bare(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, titles, defaults and what must be there."""
    if "$ref" in schema:
        return _bare(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    bare = {key: value for key, value in schema.items() if key not in {"title", "default", "required"}}
    if "properties" in bare:
        bare["properties"] = {name: _bare(field, definitions) for name, field in bare["properties"].items()}
    if "items" in bare:
        bare["items"] = _bare(bare["items"], definitions)
    return bare


class StageResult(Contract):
    """The one answer of a stage, at most RESULT_LIMIT_BYTES as JSON: the bounds of its parts see to that."""

    contract_version: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}$")] = Field(
        default=CONTRACT_VERSION, description="Version of the contract that it was written by."
    )
    stage: Stage = Field(description="Whose answer it is.")
    attempt: PositiveCount = Field(default=1, description="Which try this was.")
    started_at: datetime = Field(description="When the process began.")
    finished_at: datetime = Field(description="When it ended.")
    outputs: dict[Annotated[str, StringConstraints(max_length=16)], Artifact] = Field(
        default_factory=dict, max_length=MOST_OUTPUTS, description="What it left in the store, by name."
    )
    result: StageOwnResult | None = Field(default=None, description="What it found; nothing when it failed.")
    verdict: Verdict | None = Field(default=None, description="What a gate decided.")
    message: Annotated[str, AtMost(MESSAGE_LIMIT)] = Field(default="", description="A sentence for people.")

    def answer(self, model: type[ResultT]) -> ResultT:
        """What the stage found; ValueError when that is none of `model`."""
        if not isinstance(self.result, model):
            raise ValueError(f"the answer of {self.stage} holds no {model.__name__}")
        return self.result

    def to_json(self) -> str:
        """One line of JSON; ValueError when it would not fit a termination message."""
        text = self.model_dump_json(by_alias=True, exclude_none=True)
        if (size := len(text.encode())) > RESULT_LIMIT_BYTES:
            raise ValueError(
                f"the result of {self.stage} has {size} bytes, {RESULT_LIMIT_BYTES} fit: "
                "store what is large as an object, and name it in `outputs`"
            )
        return text


def read_result(content: bytes | str) -> StageResult:
    """The answer of a stage of whichever version; ValueError, with a sentence, when it is none that can be read."""
    try:
        return read_versioned(StageResult, content, released_0_1_0.stage_result)
    except ValidationError as error:
        raise ValueError(f"not the answer of a stage: {first_fault(error)}") from error


class Progress(Contract):
    """One JSON line of a running stage's log; `kind` tells it from other lines."""

    kind: Literal["progress"] = "progress"
    stage: Stage
    progress: float = Field(ge=0, le=1)
    message: str = ""
    rate: float | None = Field(default=None, description="Work per second, in `unit`.")
    unit: str = ""
    cpu_seconds: float | None = Field(
        default=None, ge=0, description="CPU time of the process that tells, since it began."
    )
    gpu: Share | None = Field(default=None, description="Part of the last second in which its NVIDIA GPU worked.")
