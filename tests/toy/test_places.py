"""The places that a new track touches, outside of what it brings along: that none can be left out, and no others.

That they are enough, test_toy.py shows. A track whose players are judged by something new, as a network is, adds that
judge as well (players/specification.py, seating/judges.py), and one with settings of its own a section of the spec
(api/sections.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ringrift_core.contract import STAGES, Board, Stage, StageResult
from ringrift_core.errors import WrongInputError
from ringrift_core.players.gates import first_opponent, gate_player
from ringrift_operator.api import crd, reference
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from tests.toy.rows import ADDITIONS, Addition
from tests.toy.stages import TOY
from tests.unit.domain.world import BEGINNING, world

ROOT = Path(__file__).parents[2]
STAGES_PAGE = "docs/stages.md"
POOLS = "charts/ringrift/environments"

BY_HAND = sorted(
    {
        *(addition.file for addition in ADDITIONS),
        "operator/ringrift_operator/domain/recipes/__init__.py",
        STAGES_PAGE,
        POOLS,
    }
)
"""The rows of rows.py, the recipe's line, the page about stages, and slots of pools for what takes one."""

MADE = ["charts/ringrift-crds/templates", "crds", "docs/api-reference.md"]
"""What `make crds` writes anew."""


def results_by_stage(page: str) -> dict[str, str]:
    """What the page's table says of each stage's result."""
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| ")]
    return {stage.strip(): cells[-1] for cells in rows[1:] for stage in cells[0].split(",")}


def undescribed(page: str) -> Iterator[str]:
    """Fields of results that the page does not name."""
    said = results_by_stage(page)
    for stage, facts in STAGES.items():
        names = [field.alias or name for name, field in facts.result.model_fields.items()]
        yield from (f"{stage}.{name}" for name in names if name not in said.get(stage.value, ""))


def without_slot(values: str) -> set[Stage]:
    """Stages that no slot of an environment's pools takes, and need one."""
    taken = {
        stage for pool in yaml.safe_load(values)["pools"] for slot in pool["spec"]["slots"] for stage in slot["stages"]
    }
    return {stage for stage, facts in STAGES.items() if not facts.is_light and facts.listed_as.value not in taken}


def environments() -> Iterator[str]:
    return (path.read_text(encoding="utf-8") for path in (ROOT / POOLS).glob("*.yaml"))


def made() -> dict[str, str]:
    """Texts of the files that are made from the models, by their folders or names."""
    schemas = "".join(crd.files().values())
    return {MADE[0]: schemas, MADE[1]: schemas, MADE[2]: reference.reference()}


def test_a_new_track_touches_five_places() -> None:
    assert BY_HAND == [
        "charts/ringrift/environments",
        "docs/stages.md",
        "operator/ringrift_operator/domain/recipes/__init__.py",
        "ringrift_core/contract/stages.py",
        "ringrift_core/contract/tracks.py",
    ]
    assert all((ROOT / place).exists() for place in BY_HAND)


def test_what_is_made_from_the_tables_is_made_anew(request: pytest.FixtureRequest) -> None:
    before = made()
    request.getfixturevalue("recipes")
    assert [place for place, text in made().items() if text != before[place]] == MADE


def test_the_page_of_stages_names_every_field_of_every_result(request: pytest.FixtureRequest) -> None:
    page = (ROOT / STAGES_PAGE).read_text(encoding="utf-8")
    assert list(undescribed(page)) == []
    request.getfixturevalue("recipes")
    assert list(undescribed(page)) == ["toy-count.games", "toy-pick.isHandSet"]


def test_every_environment_has_a_slot_for_every_stage_that_takes_one(request: pytest.FixtureRequest) -> None:
    assert [without_slot(values) for values in environments()] == [set(), set(), set()]
    request.getfixturevalue("recipes")
    assert [without_slot(values) for values in environments()] == [{"toy-pick"}] * 3


def uses_every_row(recipes: Recipes) -> None:
    """Asks for the track, plans it, reads what its stage answers, and seats its players."""
    one = world(tracks=["toy"])
    one.recipes = recipes
    one.step()
    times = {"startedAt": BEGINNING, "finishedAt": BEGINNING}
    StageResult.model_validate({"stage": "toy-count", **times, "result": {"games": 1}})
    StageResult.model_validate({"stage": "toy-pick", **times, "result": {"isHandSet": True}})
    gate_player(TOY, Board.HEX8, 3)
    first_opponent(TOY, Board.HEX8, 3)


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda addition: addition.table)
def test_no_row_can_be_left_out(addition: Addition, recipes: Recipes, monkeypatch: pytest.MonkeyPatch) -> None:
    uses_every_row(recipes)
    for name in addition.rows:
        with monkeypatch.context() as without:
            without.delitem(addition.place, name)
            with pytest.raises((KeyError, ValueError, WrongInputError)):
                uses_every_row(recipes)


def test_without_its_recipe_a_track_is_skipped(recipes: Recipes) -> None:
    one = world(tracks=["weights", "toy"], iterations=1)
    one.run()
    assert recipes.tracks.keys() - SHIPPED.tracks.keys() == {TOY}
    assert any("toy is skipped: it has no stages yet" in event.message for event in one.events)
