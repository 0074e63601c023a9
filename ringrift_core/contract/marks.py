"""Marks on the parameters of stages: how they count in what a task is (identity.py says why)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Placement:
    """Marks a parameter that says where or how often a task runs, not what it makes."""

    leaves: str = ""
    """Under which name a part of it counts nevertheless; always, as one that has no default."""
    part: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True)
class Absent:
    """Marks a parameter whose default was changed: the value that an absent one still stands for."""

    value: Any
