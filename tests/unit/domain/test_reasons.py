"""Reasons stand in one module, each with when it arises."""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator
from pathlib import Path

import pytest

import ringrift_operator
from ringrift_operator.api import ConditionType, PipelinePhase
from ringrift_operator.domain import reasons
from ringrift_operator.domain.reasons import ChildReason, EventReason, FindingReason, PoolReason

PACKAGE = Path(ringrift_operator.__file__).parent
REASONS: tuple[type[enum.StrEnum], ...] = (EventReason, FindingReason, PoolReason, ChildReason)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != Path(reasons.__file__))


def enum_words() -> Iterator[object]:
    """Words that the API's own enumerations have as well: phases, decisions, types of conditions."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any("StrEnum" in ast.unparse(base) for base in node.bases):
                for member in node.body:
                    if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant):
                        yield member.value.value


def reason_arguments(node: ast.AST) -> Iterator[ast.expr]:
    """What stands where a reason is expected: say(...), Event(...), and `reason=`."""
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("say", "Event") and node.args:
            yield node.args[0]
        if called == "Finding" and len(node.args) > 1:
            yield node.args[1]
        if called in ("Condition", "Event", "Finding"):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "reason")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_spells_a_reason(path: Path) -> None:
    own = {str(reason) for group in REASONS for reason in group} - set(enum_words())
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spelled: list[ast.Constant | ast.JoinedStr] = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in own
    ]
    spelled += [
        argument
        for node in ast.walk(tree)
        for argument in reason_arguments(node)
        if isinstance(argument, ast.Constant | ast.JoinedStr)
    ]
    columns = {"Suspended"}  # the heading of a printer column
    assert [(node.lineno, ast.unparse(node)) for node in spelled if ast.unparse(node).strip("'") not in columns] == []


def test_every_reason_says_when_it_arises() -> None:
    """A docstring follows each member; those of conditions that begin share one."""
    tree = ast.parse(Path(reasons.__file__).read_text(encoding="utf-8"))
    silent = []
    for group in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for member, following in zip(group.body, [*group.body[1:], None], strict=True):
            if isinstance(member, ast.Assign) and not isinstance(following, ast.Expr):
                silent.append(ast.unparse(member.value).strip("'"))
    assert silent == ["Degraded", "Regressed", "SelfplayStalled", "LossDiverged", "WorkerOffline"]


def test_a_condition_that_begins_and_a_phase_have_a_reason() -> None:
    """`planning` tells of a condition by its name, and `conditions` gives the phase as the reason of Ready."""
    assert all(
        EventReason(kind) for kind in ConditionType if kind not in (ConditionType.READY, ConditionType.RECONCILING)
    )
    assert all(FindingReason(phase) for phase in PipelinePhase)
