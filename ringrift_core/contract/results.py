"""What a stage says: progress while it runs, one result at the end."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from ringrift_core.contract.base import Artifact, Contract
from ringrift_core.contract.judging import Verdict
from ringrift_core.contract.vocabulary import Stage

RESULT_LIMIT_BYTES = 4096
"""Largest StageResult as JSON: the size of a container's termination message."""


class StageResult(Contract):
    """The one answer of a stage, at most RESULT_LIMIT_BYTES as JSON (`to_json` holds it there)."""

    stage: Stage
    attempt: int = 1
    started_at: datetime
    finished_at: datetime
    outputs: dict[str, Artifact] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    verdict: Verdict | None = None
    message: str = ""

    def to_json(self) -> str:
        """One line of JSON; ValueError when it would not fit a termination message."""
        text = self.model_dump_json(by_alias=True, exclude_none=True)
        if len(text.encode()) > RESULT_LIMIT_BYTES:
            raise ValueError(f"the result of {self.stage} has {len(text.encode())} bytes, {RESULT_LIMIT_BYTES} fit")
        return text


class Progress(Contract):
    """One JSON line of a running stage's log; `kind` tells it from other lines."""

    kind: Literal["progress"] = "progress"
    stage: Stage
    progress: float = Field(ge=0, le=1)
    message: str = ""
    rate: float | None = Field(default=None, description="Work per second, in `unit`.")
    unit: str = ""
