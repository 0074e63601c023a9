"""A store to break, and how each command ends when nothing is broken."""

from __future__ import annotations

import pytest

from tests.faults.workshop import COMMANDS, Workshop, copy_store


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Iteration 1 is merged, iteration 2 is played. To be copied, not to be changed."""
    folder = tmp_path_factory.mktemp("prepared")
    workshop = Workshop((folder / "store").as_uri(), folder / "scratch")
    workshop.prepare()
    return workshop


@pytest.fixture(scope="session")
def ends(prepared: Workshop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The store's contents after each command, undisturbed."""
    found = {}
    for command in COMMANDS:
        workshop = copy_store(prepared, tmp_path_factory.mktemp("undisturbed"))
        said = workshop.command(command)
        assert said.exit_code == 0, said
        found[command] = workshop.contents()
    return found
