"""The tables with the toy track in them, for the length of a test."""

from __future__ import annotations

import pytest

from ringrift_operator.domain.recipes import SHIPPED, Recipes
from tests.toy.rows import ADDITIONS
from tests.toy.stages import RECIPE


@pytest.fixture
def recipes(monkeypatch: pytest.MonkeyPatch) -> Recipes:
    for addition in ADDITIONS:
        for name, row in addition.rows.items():
            monkeypatch.setitem(addition.place, name, row)
    return Recipes((*SHIPPED.recipes, RECIPE))
