"""The live view on terminals of any size."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from ringrift_core.contract import BASELINES, BaselineRate, Stage
from ringrift_operator.api import TrainingPipeline
from ringrift_operator.domain.plan import Event
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.snapshot import TaskObservation
from ringrift_operator.local.children import Children
from ringrift_operator.local.folder import Folder
from ringrift_operator.local.reconcile import Local
from ringrift_operator.local.view import HINT, fitting
from tests.results import JUDGED
from tests.unit.domain.world import World, world

RATES = tuple(BaselineRate(opponent=name, games=40, win_rate=0.612, low=0.55, high=0.67) for name in BASELINES)
EVENTS = [
    (
        datetime(2026, 1, 1, tzinfo=UTC),
        "quickstart",
        Event(EventReason.REJECTED, f"event {number}: {'some words ' * 12}"),
    )
    for number in range(6)
]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Local:
    """In the middle of iteration 6, with champions of both tracks and everything that the view can show."""
    one = world(iterations=6)

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.stage == Stage.EVALUATE:
            result = result.model_copy(update={"result": JUDGED.model_copy(update={"baselines": RATES})})
        if child.identity.iteration < 6:
            world.end(child, result=result)

    with pytest.raises(AssertionError, match="do not come to rest"):
        one.run(answer, passes=100)
    folder = Folder(tmp_path_factory.mktemp("data"), "quickstart")
    pipeline = TrainingPipeline.model_validate(
        {"apiVersion": "ringrift.ai/v1alpha1", "kind": "TrainingPipeline", "metadata": {"name": "quickstart"},
         "spec": one.specs["tp"].model_dump(by_alias=True, exclude_none=True)}
    ).model_copy(update={"status": one.statuses["tp"]})  # fmt: skip
    records = sorted(one.records.values(), key=lambda record: record.spec.iteration)
    return Local(pipeline, "s3://ringrift/test", folder, Children(folder.tasks), records)


def drawn(local: Local, columns: int, rows: int) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, height=rows, force_terminal=True, color_system=None)
    console.print(fitting(console, [local], EVENTS, timedelta(minutes=12)))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize(("columns", "rows"), [(60, 24), (80, 24), (80, 30), (100, 32), (200, 60)])
def test_nothing_that_matters_is_cut(local: Local, columns: int, rows: int) -> None:
    lines = drawn(local, columns, rows)
    assert len(lines) < rows, "what is below the last line is not seen"
    assert HINT in " ".join(line.strip() for line in lines[:3])
    heading = next(number for number, line in enumerate(lines) if "champion" in line and "version" in line)
    table = lines[heading : heading + 3]
    assert not any("…" in line for line in table)
    for track, line in zip(("network", "weights"), table[1:], strict=True):
        digits = "0.61 (0.55 to 0.67)" if columns < 80 else "0.612 (0.550 to 0.670)"
        assert line.split()[1:3] == [track, "5"]
        assert line.count(digits) == 2
    decided = [line for line in lines if "promoted 0.600 (0.500 to 0.700)" in line]
    assert decided, "no decision is broken in two"
    for step in ("selfplay", "evaluate-network", "regression-network"):
        assert any(f" {step} " in line for line in lines)


def test_an_address_wider_than_the_terminal_is_folded(local: Local) -> None:
    address = "file:///" + "0123456789" * 8
    event = (EVENTS[0][0], "quickstart", Event(EventReason.TASK_FAILED, address))
    console = Console(file=io.StringIO(), width=60, height=60, force_terminal=True, color_system=None)
    console.print(fitting(console, [local], [event], timedelta(minutes=12)))
    text = "".join(line.strip("│ ") for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]
    assert address in text


def test_a_taller_terminal_shows_more_of_the_past_and_always_the_newest(local: Local) -> None:
    shown = [sum("event" in line and ": some" in line for line in drawn(local, 80, rows)) for rows in range(24, 60)]
    assert shown == sorted(shown)
    assert (min(shown), max(shown)) == (0, 6)
    assert any("event 5" in line for line in drawn(local, 80, 30))
    assert any(" iteration 5 " in line for line in drawn(local, 80, 30))
