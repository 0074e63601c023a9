"""Where files lie, and with which mode."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ringrift_core.archive import Archive
from ringrift_core.contract import ExitCode
from ringrift_core.errors import WrongInputError
from ringrift_core.files import LONGEST_PATH, is_too_long, temporary_folder
from ringrift_core.store import LocalStore

SELFPLAY = [
    *("selfplay", "--board", "square8", "--players", "2", "--iteration", "1", "--seed", "1"),
    *("--games", "20", "--engine-modes", "random-only", "--shard", "0/1"),
]
MERGE = ["merge", "--board", "square8", "--players", "2", "--iteration", "1"]


def ringrift(*arguments: str, inside: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process; `inside` is a command prefix."""
    return subprocess.run(
        [*inside, sys.executable, "-m", "ringrift_core", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | environment,
        check=False,
    )


def test_every_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    store, result = tmp_path / "store", tmp_path / "result.json"
    inside = ("sh", "-c", 'umask 002; exec "$@"', "sh")
    done = ringrift(*SELFPLAY, "--store", store.as_uri(), "--result", str(result), inside=inside)
    assert done.returncode == 0, done.stderr
    files = [result, *(path for path in store.rglob("*") if path.is_file())]
    assert len(files) > 3
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in files} == {"0o664"}


@pytest.mark.parametrize("length", [430, 500, 900])
def test_a_store_deep_in_folders_is_merged_and_looked_at(length: int, tmp_path: Path) -> None:
    store = tmp_path
    while len(str(store)) < length:
        store /= "x" * min(100, max(1, length - len(str(store)) - 1))
    for command in (SELFPLAY, MERGE):
        done = ringrift(*command, "--store", store.as_uri())
        assert done.returncode == 0, done.stderr
    looked = ringrift("replay", "stats", "--json", str(store / "square8-2p"))
    assert '"games": 20' in looked.stdout, looked.stderr


def test_the_length_that_counts_is_that_behind_a_link(tmp_path: Path) -> None:
    deep = tmp_path
    while len(str(deep)) <= LONGEST_PATH:
        deep /= "x" * 100
    deep.mkdir(parents=True)
    (tmp_path / "link").symlink_to(deep)
    assert is_too_long(tmp_path / "link")
    archive = Archive(LocalStore(tmp_path / "link"), "square8-2p")
    artifact = archive.put_bytes(b"games", "sqlite")
    assert archive.get_file(artifact, tmp_path) == tmp_path / f"{artifact.sha256}.sqlite"


def test_a_scratch_folder_too_deep_for_sqlite_is_refused(tmp_path: Path) -> None:
    work = tmp_path / ("x" * 200) / ("x" * 200)
    done = ringrift(*SELFPLAY, "--store", (tmp_path / "store").as_uri(), "--work-dir", str(work))
    assert done.returncode == ExitCode.WRONG_INPUT
    assert done.stderr == (
        f"ringrift selfplay: --work-dir: {work} is too long: SQLite opens paths of 504 bytes; name a shorter one\n"
    )


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP", "TMP"])
def test_a_temporary_folder_that_is_none_is_refused_not_replaced(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(one, raising=False)
    monkeypatch.setenv(name, "/proc/nobody")
    with pytest.raises(WrongInputError, match=rf"^{name} is /proc/nobody, where no file can be made"):
        temporary_folder()


READ_ONLY = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    'for at in / /tmp /var/tmp; do mount --bind -o ro $at $at; done; exec "$@"',
    "sh",
)


@pytest.mark.parametrize(
    "command",
    [
        [*SELFPLAY, "--store", "file:///nowhere"],
        ["replay", "stats", "/nowhere"],
        ["replay", "verify", "/nowhere"],
        ["bench", "selfplay"],
        ["play", "random", "random"],
    ],
    ids=" ".join,
)
def test_without_any_temporary_folder_there_is_a_sentence(command: list[str]) -> None:
    """A root that is read-only, as in a hardened container."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("a read-only root needs a mount namespace, as root")
    environment = {name: value for name, value in os.environ.items() if name not in ("TMPDIR", "TEMP", "TMP")}
    done = subprocess.run(
        [*READ_ONLY, sys.executable, "-P", "-m", "ringrift_core", *command],
        capture_output=True,
        text=True,
        timeout=100,
        env=environment,
        check=False,
    )
    assert done.returncode == ExitCode.WRONG_INPUT, done.stderr
    assert "no folder for scratch files" in done.stderr.replace("\n", " "), done.stderr
    assert "Traceback" not in done.stderr
