"""Where stores lie, in folders whose names a URI has to escape."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from ringrift_operator.api.pipeline import Artifacts
from ringrift_operator.local.stores import is_gone, local_store, lock_of, shown, shown_path

NAMES = ("plain", "a b é", "100%", "50%20off", "what?#here")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_found_under_the_name_it_has(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    store = local_store(Artifacts.model_validate({"uri": folder.as_uri()}), tmp_path)
    assert is_gone(store)
    folder.mkdir()
    assert not is_gone(store)
    assert lock_of(store, tmp_path) == tmp_path / f".{name}.lock"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    store = (tmp_path / name).as_uri()
    assert shlex.split(shown(store)) == [str(tmp_path / name)]
    monkeypatch.chdir(tmp_path)
    assert shlex.split(shown(store)) == [f"./{name}"]


def test_a_bucket_is_no_folder(tmp_path: Path) -> None:
    assert not is_gone("s3://games/main")
    assert lock_of("s3://games/main", tmp_path).parent == tmp_path / "_local"
    assert shown("s3://games/main") == "s3://games/main"


def test_a_path_above_the_working_folder_is_shown_without_detours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert shown_path(Path("../data/_local/small")) == str(tmp_path / "data" / "_local" / "small")
