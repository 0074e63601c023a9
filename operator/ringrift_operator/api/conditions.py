"""Conditions as kstatus reads them: one entry per type, carrying since when and why."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from ringrift_operator.api.base import Value
from ringrift_operator.api.lists import ListMap


class ConditionType(enum.StrEnum):
    READY = "Ready"
    """The resource is as its spec wants it."""
    RECONCILING = "Reconciling"
    """Work is under way or waits for room."""
    STALLED = "Stalled"
    """Nothing will move until someone changes something; the message says what."""
    DEGRADED = "Degraded"
    """It goes on, with failing parts."""
    REGRESSED = "Regressed"
    """A champion was found weaker than its predecessor."""
    GAMES_CUT = "GamesCut"
    """The move limit cut more than 5 % of a step's games."""
    SELFPLAY_STALLED = "SelfplayStalled"
    """No new games for longer than alerts.selfplayStall."""
    LOSS_DIVERGED = "LossDiverged"
    """A training stage ended with exit code 3."""
    WORKER_OFFLINE = "WorkerOffline"
    """A runner has been silent for longer than alerts.runnerOffline."""


class ConditionStatus(enum.StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Value):
    """One observed aspect of a resource."""

    type: ConditionType = Field(description="What this is about.")
    status: ConditionStatus = Field(description="Whether it holds.")
    reason: str = Field(min_length=1, max_length=128, description="Why, as one word for programs.")
    message: str = Field(default="", max_length=2048, description="Why, as a sentence for people.")
    observed_generation: int | None = Field(default=None, ge=0, description="Generation of the spec this is about.")
    last_transition_time: datetime = Field(description="When `status` last changed.")


def _of_known_types(conditions: object) -> object:
    """Without those, in a status that was read, that a later version has and this one knows nothing about."""
    if not isinstance(conditions, list | tuple):
        return conditions
    return [each for each in conditions if not isinstance(each, Mapping) or each.get("type") in list(ConditionType)]


Conditions = Annotated[
    tuple[Condition, ...], ListMap(("type",)), Field(max_length=16), BeforeValidator(_of_known_types)
]
