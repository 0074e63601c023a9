"""A store to break, and how each command ends when nothing is broken."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.mount import refusing_mount
from tests.faults.workshop import COMMANDS, Ends, Record, Said, Workshop, copy_store, small_disk


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Iteration 1 is merged, iteration 2 is played. To be copied, not to be changed."""
    folder = tmp_path_factory.mktemp("prepared")
    workshop = Workshop((folder / "store").as_uri(), folder / "scratch")
    workshop.prepare()
    return workshop


@pytest.fixture(scope="session")
def ends(prepared: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """The store's contents after each command, undisturbed."""
    found = {}
    for command in COMMANDS:
        workshop = copy_store(prepared, tmp_path_factory.mktemp("undisturbed"))
        said = workshop.command(command)
        assert said.exit_code == 0, said
        found[command] = workshop.contents()
    return found


@pytest.fixture
def record(record_property: Callable[[str, object], None]) -> Record:
    """Notes what a command said, for `python -m tests.faults`."""

    def note(fault: str, command: str, said: Said) -> None:
        record_property("said", (fault, command, said.exit_code, said.message))

    return note


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with a megabyte of room."""
    with _or_skipped(), small_disk(tmp_path / "disk", "1m") as folder:
        yield folder


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts file systems that refuse operations, as `refusing_mount` does."""
    with contextlib.ExitStack() as stack:

        def mount(refused: Mapping[str, int], **how: bool) -> Path:
            with _or_skipped():
                return stack.enter_context(refusing_mount(tmp_path / f"mount-{uuid4().hex[:8]}", refused, **how))

        yield mount


@contextlib.contextmanager
def _or_skipped() -> Iterator[None]:
    try:
        yield
    except PermissionError as refused:
        if os.environ.get("CI") == "true":
            pytest.fail(str(refused))
        pytest.skip(str(refused))
