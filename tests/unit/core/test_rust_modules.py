"""The check of the engine's module graph (tests/structure) sees what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.mutants import MUTANTS, Mutant
from tests.structure.__main__ import SOURCE
from tests.structure.rust import circles, folded, uses


def crate(folder: Path, files: dict[str, str]) -> dict[str, set[str]]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return uses(folder)


def test_a_circle_through_a_re_export_and_a_path_in_the_code_is_seen(tmp_path: Path) -> None:
    graph = crate(
        tmp_path,
        {
            "lib.rs": "mod board;\nmod players;\npub use board::Board;",
            "board.rs": "pub struct Board;\nfn sit() { crate::players::Player::sit() }",
            "players/mod.rs": "mod player;\nmod tree;\npub use player::Player;",
            "players/player.rs": "use super::tree;\npub struct Player;\nfn think() { tree::grow() }",
            "players/tree.rs": "use std::fmt;\nuse crate::{Board as Table, error};\npub fn grow() {}",
        },
    )
    assert graph == {
        "lib.rs": set(),
        "board.rs": {"players/player.rs"},
        "players/mod.rs": set(),
        "players/player.rs": {"players/tree.rs"},
        "players/tree.rs": {"board.rs", "lib.rs"},
    }
    assert circles(graph) == [["board.rs", "players/player.rs", "players/tree.rs", "board.rs"]]
    assert circles(folded(graph, 1)) == [["board.rs", "players", "board.rs"]]


def test_folders_that_use_each_other_are_a_circle_even_where_their_modules_make_none(tmp_path: Path) -> None:
    files = {"a/mod.rs": "mod one;\nmod two;", "b/mod.rs": "mod one;\nmod two;"}
    files |= {"a/one.rs": "use crate::b::one::B;", "b/one.rs": "pub struct B;"}
    files |= {"b/two.rs": "use crate::a::two::{A};", "a/two.rs": "pub struct A;"}
    graph = crate(tmp_path, {"lib.rs": "mod a;\nmod b;", **files})
    assert circles(graph) == []
    assert circles(folded(graph, 1)) == [["a", "b", "a"]]


def test_tests_comments_and_texts_use_nothing(tmp_path: Path) -> None:
    test = "#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::b::B;\n    fn one() { {} }\n}\n"
    other_tests = "#[cfg(test)]\nuse crate::b::B;\n#[cfg(test)]\nmod known;"
    files = {
        "lib.rs": "mod a;\nmod b;",
        "a.rs": f'// crate::b::B\nfn text() {{ "crate::b::B"; }}\n{test}{other_tests}',
        "a/known.rs": "use crate::b::B;",
        "b.rs": "use crate::a::text;",
    }
    graph = crate(tmp_path, files)
    assert graph == {"lib.rs": set(), "a.rs": set(), "b.rs": {"a.rs"}}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
def test_every_mutant_finds_its_text_once(mutant: Mutant) -> None:
    assert (SOURCE / mutant.file).read_text().count(mutant.found) == 1
