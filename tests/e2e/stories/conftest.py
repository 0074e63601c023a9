"""Each story has a node of its own, and leaves a transcript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stories.place import Place, standing
from tests.e2e.stories.transcript import Transcript

HERE = Path(__file__).parent
STORY_SECONDS = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(STORY_SECONDS))


@pytest.fixture(scope="module")
def transcript(request: pytest.FixtureRequest, output_directory: Path) -> Transcript:
    """Named as the story."""
    return Transcript(output_directory / f"{request.path.stem.removeprefix('test_')}.md")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A node with our images, and an S3 server; nothing is installed yet."""
    with standing(tmp_path_factory.mktemp("cluster"), tmp_path_factory.mktemp("store")) as there:
        yield there
