"""A slot is taken for as long as a process lives in it."""

from __future__ import annotations

import sys
from pathlib import Path

from ringrift_core.contract import Board, MergeParameters
from ringrift_operator.processes.supervisor import Supervisor
from ringrift_operator.runner.slots import Slots


def test_a_slot_has_so_many_places_and_no_more(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    with slots.taken("games", 2) as first, slots.taken("games", 2) as second, slots.taken("games", 2) as third:
        assert first is not None
        assert second is not None
        assert third is None
        with slots.taken("work", 1) as other:
            assert other is not None
    with slots.taken("games", 2) as again:
        assert again is not None
    with slots.taken("gone", 0) as none:
        assert none is None


def test_a_place_is_taken_until_the_stage_that_keeps_it_is_gone(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots")
    stages = Supervisor(tmp_path / "tasks", (sys.executable, "-c", "import time; time.sleep(600)"))
    parameters = MergeParameters(store="file:///tmp/x", board=Board.SQUARE8, players=2, iteration=1)
    with slots.taken("games", 1) as lock:
        assert lock is not None
        stages.start("stage", parameters, None, (lock,))
    with slots.taken("games", 1) as early:
        assert early is None
    stages.stop(lambda: True)
    with slots.taken("games", 1) as late:
        assert late is not None
