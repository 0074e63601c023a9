"""What the toy track adds to tables elsewhere: the rows that a real track would bring with it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tests.toy.stages import COUNT, FACTS, PICK, TOY


@dataclass(frozen=True)
class Addition:
    """Rows for a table of a module."""

    module: str
    table: str
    rows: Mapping[Any, Any]

    @property
    def place(self) -> dict[Any, Any]:
        """The table itself."""
        found: dict[Any, Any] = getattr(import_module(self.module), self.table)
        return found

    @property
    def file(self) -> str:
        """Where the table stands, from the root of the repository."""
        return self.module.replace(".", "/") + ".py"


ADDITIONS = (
    Addition("ringrift_core.contract.tracks", "TRACKS", {TOY: FACTS}),
    Addition("ringrift_core.contract.stages", "STAGES", {COUNT.stage: COUNT, PICK.stage: PICK}),
)
"""The recipe is the one table more: it is handed to whoever plans (SHIPPED in domain/recipes)."""


def add() -> None:
    """Adds the rows for as long as the process lives."""
    for addition in ADDITIONS:
        addition.place.update(addition.rows)
