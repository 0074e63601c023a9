"""Where stores lie, in folders whose names a URI has to escape."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ringrift_operator.api.pipeline import Artifacts
from ringrift_operator.files import replace_file
from ringrift_operator.local.folder import LocalError, exclusive
from ringrift_operator.local.stores import is_gone, local_store, lock_of, shown, shown_path

NAMES = ("plain", "a b é", "100%", "50%20off", "what?#here")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_found_under_the_name_it_has(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    store = local_store(Artifacts.model_validate({"uri": folder.as_uri()}), tmp_path)
    assert is_gone(store)
    lock = lock_of(store, tmp_path)
    with exclusive(lock, "the store"):
        assert lock.is_relative_to(folder)
        # Who locks a store that was removed does not bring it back.
        assert is_gone(store)
    (folder / "square8-2p").mkdir()
    assert not is_gone(store)


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


def test_a_store_that_is_a_mount_point_is_locked_below_a_read_only_parent(tmp_path: Path) -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("a mount point needs a mount namespace, as root")
    (tmp_path / "store").mkdir()
    mounts = "mount --bind $0 $0 && mount -t tmpfs none $0/store && mount -o remount,bind,ro $0"
    program = """
import sys
from pathlib import Path
from ringrift_operator.local.folder import exclusive
from ringrift_operator.local.stores import lock_of

with exclusive(lock_of(Path(sys.argv[1], "store").as_uri(), Path("/")), "the store"):
    print("locked")
"""
    command = ["unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', str(tmp_path), sys.executable, "-c", program]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "locked\n", done.stderr


def test_a_folder_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(
            LocalError,
            match=r"^the store: .*/file/\.locks/local: Not a directory \(to lock a file\); name another folder",
        ),
        exclusive(lock_of((tmp_path / "file").as_uri(), tmp_path), "the store"),
    ):
        pass


@pytest.mark.parametrize(("umask", "mode"), [(0o002, "0o664"), (0o022, "0o644"), (0o077, "0o600")])
def test_what_local_remembers_has_the_mode_that_the_umask_leaves(tmp_path: Path, umask: int, mode: str) -> None:
    before = os.umask(umask)
    try:
        replace_file(tmp_path / "record.json", "{}")
        replace_file(tmp_path / "record.json", "{}")
    finally:
        os.umask(before)
    assert oct(stat.S_IMODE((tmp_path / "record.json").stat().st_mode)) == mode
    assert len(list(tmp_path.iterdir())) == 1
