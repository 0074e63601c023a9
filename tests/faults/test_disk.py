"""Full disks: that of the store, and that of the scratch folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringrift_core.contract import ExitCode
from tests.faults.workshop import Ends, Record, Workshop, copy_store, free_bytes, grow_disk

FULL = r"No space left on device|(database or disk is full|disk I/O error) \([\d,]+ bytes are free on its disk\)"


@pytest.mark.parametrize("command", ["selfplay", "merge", "export"])
def test_a_full_store_is_not_now_and_keeps_nothing_half_written(
    command: str, prepared: Workshop, ends: Ends, disk: Path, record: Record
) -> None:
    workshop = copy_store(prepared, disk)
    workshop.scratch = disk.parent / "scratch"
    filler = disk / "filler"
    filler.write_bytes(b"x" * free_bytes(disk))
    before = workshop.contents()

    said = workshop.command(command)
    record("full disk of the store", command, said)
    assert said.exit_code == ExitCode.NOT_NOW
    assert re.search(rf"^ringrift {command}: store {workshop.uri}, \S+: ({FULL})$", said.message), said.message
    assert workshop.contents() == before
    assert workshop.leftovers() == []

    filler.unlink()
    grow_disk(disk, "64m")
    assert workshop.command(command).exit_code == 0
    assert workshop.contents() == ends[command]
    assert workshop.wrong_objects() == []


@pytest.mark.parametrize("command", ["selfplay", "merge", "export"])
def test_a_full_scratch_disk_is_not_now(
    command: str, prepared: Workshop, ends: Ends, disk: Path, tmp_path: Path, record: Record
) -> None:
    workshop = copy_store(prepared, tmp_path)
    workshop.scratch = disk
    filler = tmp_path / "disk" / "filler"
    filler.write_bytes(b"x" * (free_bytes(disk) - 8192))
    before = workshop.contents()

    said = workshop.command(command)
    record("full scratch disk", command, said)
    assert said.exit_code == ExitCode.NOT_NOW
    assert re.search(rf"^ringrift {command}: .*({FULL})", said.message), said.message
    assert len(said.message.splitlines()) == 1
    assert workshop.contents() == before
    assert workshop.leftovers() == [str(filler)]

    filler.unlink()
    grow_disk(disk, "64m")
    assert workshop.command(command).exit_code == 0
    assert workshop.contents() == ends[command]
