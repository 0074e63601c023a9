"""Rules that are stated once, for the API server and for `local`.

A rule is a method of a model, marked with `rule` or `transition`: the CEL expression and the sentence go into the CRD,
the method is the same condition for `ringrift-operator local` (`check.problems` runs it), and both report at the same
path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel


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
