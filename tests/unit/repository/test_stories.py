"""`make e2e-all` tells every story, and what is kept of one is of a story that is told."""

from __future__ import annotations

from tests.e2e.stories.__main__ import HERE, RESULTS, STORIES, headed


def test_every_file_of_a_story_is_told() -> None:
    assert {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")} == set(STORIES)
    assert len(STORIES) == len(set(STORIES))


def test_every_page_is_of_a_story_and_says_how_it_was_told() -> None:
    for page in RESULTS.glob("*.md"):
        assert page.stem in STORIES
        opening = headed(page.stem, "0000000", 0, "").splitlines()[2]
        assert page.read_text().splitlines()[2].startswith(opening.split(" at ")[0]), page
