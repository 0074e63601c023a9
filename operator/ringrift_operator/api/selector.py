"""Kubernetes' label selector, and what it means."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from ringrift_operator.api.base import Value


class Operator(enum.StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelRequirement(Value):
    """One condition on one label."""

    key: str = Field(min_length=1, max_length=317, description="Label.")
    operator: Operator = Field(description="How the label's value is compared.")
    values: Annotated[tuple[str, ...], Field(max_length=64)] = Field(
        default=(), description="Values of In and NotIn; empty otherwise."
    )

    def matches(self, labels: Mapping[str, str]) -> bool:
        present = self.key in labels
        match self.operator:
            case Operator.EXISTS:
                return present
            case Operator.DOES_NOT_EXIST:
                return not present
            case Operator.IN:
                return present and labels[self.key] in self.values
            case Operator.NOT_IN:
                return not present or labels[self.key] not in self.values


class LabelSelector(Value):
    """Chooses objects by their labels; an empty selector chooses all."""

    match_labels: dict[str, str] = Field(default={}, max_length=64, description="Labels with exactly these values.")
    match_expressions: tuple[LabelRequirement, ...] = Field(
        default=(), max_length=64, description="Further conditions; all must hold."
    )

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is chosen."""
        exact = all(labels.get(key) == value for key, value in self.match_labels.items())
        return exact and all(requirement.matches(labels) for requirement in self.match_expressions)
