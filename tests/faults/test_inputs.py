"""Broken shards and segments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.cases import BROKEN, READERS, Broken, break_input
from tests.faults.workshop import Ends, Record, Workshop, copy_store


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_input_is_named_and_nothing_changes(
    broken: Broken, command: str, prepared: Workshop, ends: Ends, tmp_path: Path, record: Record
) -> None:
    workshop = copy_store(prepared, tmp_path)
    put_back = break_input(workshop, command, broken, tmp_path)
    before = workshop.contents()

    said = workshop.command(command)
    record(broken.name, command, said)
    assert said.exit_code == 2
    assert re.search(broken.message, said.message), said.message
    assert len(said.message.splitlines()) == 1
    assert workshop.contents() == before
    assert workshop.leftovers() == []

    put_back()
    assert workshop.command(command).exit_code == 0
    end = workshop.contents()
    assert {key: end[key] for key in ends[command]} == ends[command]
