"""File systems that lack an operation: a real FUSE mount that refuses one."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ringrift_core.contract import ExitCode
from ringrift_core.errors import StoreRefusedError
from ringrift_core.store import LocalStore
from tests.faults.workshop import Ends, Record, Workshop, copy_store

RECORD, OBJECT = "square8-2p/tasks/i0001/train.json", "square8-2p/objects/x.npz"

REPLACED = [
    {"link": errno.EPERM},
    {"link": errno.ENOSYS},
    {"link": errno.EOPNOTSUPP},
    {"link": errno.EMLINK},
    {"fsync": errno.EINVAL},
    {"fsync": errno.EPERM},
    {"chmod": errno.EPERM},
    {"chown": errno.EPERM},
    {"utimens": errno.ENOSYS},
    {"truncate": errno.EPERM},
    {"statfs": errno.ENOSYS},
    {"flock": errno.EOPNOTSUPP},
    {"unlink": errno.EPERM},
    {"unlink": errno.EROFS, "link": errno.EPERM},
]
"""What a store does without."""

NEEDED = [
    ({"mkdir": errno.EPERM}, "to make a folder"),
    ({"create": errno.EACCES}, "to make a file"),
    ({"open": errno.EACCES}, "to read a file"),
    ({"read": errno.EOPNOTSUPP}, "to read a file"),
    ({"write": errno.ENOSYS}, "to write a file"),
    ({"flush": errno.EPERM}, "to write a file"),
    ({"rename": errno.ENOSYS}, "to rename a file"),
    ({"replace": errno.EACCES}, "to rename a file over another"),
    ({"opendir": errno.EACCES}, "to list a folder"),
    ({"readdir": errno.EOPNOTSUPP}, "to list a folder"),
    ({"flock": errno.EOPNOTSUPP, "lock": errno.EOPNOTSUPP}, "to lock a file"),
    ({"flock": errno.ENOLCK, "lock": errno.ENOLCK}, "to lock a file"),
]
"""What it cannot do without, and the words for it."""


def _named(refused: object) -> str:
    if isinstance(refused, dict):
        return "+".join(f"{operation}-{errno.errorcode[number]}" for operation, number in refused.items())
    return ""


@pytest.mark.parametrize("refused", REPLACED, ids=_named)
def test_a_store_keeps_its_promises_without(refused: dict[str, int], mounts: Callable[..., Path]) -> None:
    mount = mounts(refused)
    store = LocalStore(mount / "store")
    for _ in range(2):
        store.check_writable(RECORD, OBJECT)
    assert store.create(RECORD, b"first")
    assert not store.create(RECORD, b"second")
    read = store.read(RECORD)
    assert read is not None
    assert read.content == b"first"
    assert store.swap(RECORD, b"third", read.version)
    assert not store.swap(RECORD, b"fourth", read.version)
    assert store.delete(RECORD) == ("unlink" not in refused)
    left = {path.relative_to(mount).as_posix() for path in mount.rglob("*") if path.is_file()}
    left = {name for name in left if not name.startswith("store/.locks/")}
    if "unlink" in refused:
        assert left == {f"store/{RECORD}", "store/square8-2p/probe", "store/.partial/unwanted"}
    else:
        assert left == set()


@pytest.mark.parametrize(("refused", "words"), NEEDED, ids=_named)
def test_a_store_says_what_it_misses(refused: dict[str, int], words: str, mounts: Callable[..., Path]) -> None:
    store = LocalStore(mounts(refused) / "store")
    with pytest.raises(StoreRefusedError, match=rf"^store {store.uri}, square8-2p/\S*: .* \({words}\)$"):
        store.check_writable(RECORD, OBJECT)


def test_locks_that_exclude_nobody_are_refused(mounts: Callable[..., Path]) -> None:
    """As on a share whose server is not asked: each would believe that it has the lock."""
    store = LocalStore(mounts({}, own_locks=True) / "store")
    with pytest.raises(StoreRefusedError, match="a lock that is held is given to a second one"):
        store.check_writable(RECORD, OBJECT)


@pytest.mark.parametrize("command", ["selfplay", "merge", "export"])
def test_commands_go_on_without_hard_links(
    command: str, prepared: Workshop, ends: Ends, mounts: Callable[..., Path], record: Record
) -> None:
    workshop = copy_store(prepared, mounts({"link": errno.EOPNOTSUPP}))
    said = workshop.command(command)
    record("file system without hard links", command, said)
    assert said.exit_code == 0, said
    assert workshop.contents() == ends[command]
    assert workshop.leftovers() == []


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ({"replace": errno.EACCES}, "rename a file over another"),
        ({"flock": errno.EOPNOTSUPP, "lock": errno.EOPNOTSUPP}, "lock a file"),
    ],
    ids=_named,
)
@pytest.mark.parametrize("command", ["selfplay", "merge", "export"])
def test_commands_are_refused_before_the_work(
    command: str,
    refused: dict[str, int],
    words: str,
    prepared: Workshop,
    mounts: Callable[..., Path],
    record: Record,
    tmp_path: Path,
) -> None:
    workshop = copy_store(prepared, mounts(refused))
    workshop.scratch = tmp_path / "scratch"
    before = workshop.contents()
    said = workshop.command(command)
    record(f"file system that cannot {words}", command, said)
    assert said.exit_code == ExitCode.WRONG_INPUT
    assert re.search(rf"^ringrift {command}: store {workshop.uri}, \S+: .*\(to {words}\)$", said.message), said.message
    assert workshop.contents() == before
    # No game was played.
    assert list(workshop.scratch.rglob("*")) == []
