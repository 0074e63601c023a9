"""A file system that refuses operations: a folder shown again through FUSE.

`python -m tests.faults.mount BACKING MOUNT [OPERATION=ERRNO ...]` serves until it is unmounted. An operation is one of
FUSE's (`link`, `rename`, `unlink`, `flock`, ...), or `replace` for a rename over what is there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests import patience

PACKAGE = "fuse3"
"""Debian package with the library and `fusermount3`."""

OWN_LOCKS = "own-locks"
"""Asks for locks that the mount grants to everyone, with no errno."""


@contextlib.contextmanager
def refusing_mount(folder: Path, refused: Mapping[str, int], *, own_locks: bool = False) -> Iterator[Path]:
    """A mount at `folder`/mount that answers an operation of `refused` with its errno.

    With `own_locks` it answers for locks itself, and grants each. PermissionError when this user may not mount.
    """
    backing, mount = folder / "backing", folder / "mount"
    backing.mkdir(parents=True)
    mount.mkdir()
    words = [f"{operation}={number}" for operation, number in refused.items()] + [OWN_LOCKS] * own_locks
    if not Path("/dev/fuse").exists() or not shutil.which("fusermount3"):
        raise PermissionError(f"a file system that refuses needs /dev/fuse and {PACKAGE} (make cluster-packages)")
    command = [sys.executable, "-m", "tests.faults.mount", str(backing), str(mount), *words]
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            if mount.is_mount() or server.poll() is not None:
                break
            time.sleep(0.05)
        if not mount.is_mount():
            raise PermissionError(f"{' '.join(command)}: {log.read_text()}")
        yield mount
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(mount)], check=False, capture_output=True)
        server.wait(timeout=patience.SECONDS)


def serve(backing: str, mount: str, refused: Mapping[str, int], *, own_locks: bool) -> None:
    """Shows `backing` at `mount` until it is unmounted."""
    import mfusepy

    class Shown(mfusepy.Operations):  # type: ignore[misc]
        """Passes everything on, but for what is refused."""

        use_ns = True

        def _at(self, path: str) -> str:
            return backing + path

        def access(self, path: str, amode: int) -> int:
            if not os.access(self._at(path), amode):
                raise mfusepy.FuseOSError(errno.EACCES)
            return 0

        def chmod(self, path: str, mode: int) -> int:
            os.chmod(self._at(path), mode)  # noqa: PTH101
            return 0

        def chown(self, path: str, uid: int, gid: int) -> int:
            os.chown(self._at(path), uid, gid)
            return 0

        def create(self, path: str, mode: int, fi: Any = None) -> int:  # noqa: ARG002
            return os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)

        def flush(self, path: str, fh: int) -> int:  # noqa: ARG002
            return 0

        def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
            os.fsync(fh)
            return 0

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:  # noqa: ARG002
            found = os.lstat(self._at(path))
            names = ("st_atime", "st_ctime", "st_gid", "st_mode", "st_mtime", "st_nlink", "st_size", "st_uid", "st_ino")
            return {name: getattr(found, f"{name}_ns" if name.endswith("time") else name) for name in names}

        def link(self, target: str, source: str) -> int:
            os.link(self._at(source), self._at(target))
            return 0

        def mkdir(self, path: str, mode: int) -> int:
            os.mkdir(self._at(path), mode)  # noqa: PTH102
            return 0

        def open(self, path: str, flags: int) -> int:
            return os.open(self._at(path), flags & ~os.O_APPEND)

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
            return os.pread(fh, size, offset)

        def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
            return [".", "..", *os.listdir(self._at(path))]  # noqa: PTH208

        def release(self, path: str, fh: int) -> int:  # noqa: ARG002
            os.close(fh)
            return 0

        def rename(self, old: str, new: str) -> int:
            if "replace" in refused and os.path.lexists(self._at(new)):
                raise mfusepy.FuseOSError(refused["replace"])
            os.replace(self._at(old), self._at(new))  # noqa: PTH105
            return 0

        def rmdir(self, path: str) -> int:
            os.rmdir(self._at(path))  # noqa: PTH106
            return 0

        def statfs(self, path: str) -> dict[str, int]:
            found = os.statvfs(self._at(path))
            names = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_frsize")
            return {name: getattr(found, name) for name in names}

        def truncate(self, path: str, length: int, fh: int | None = None) -> int:  # noqa: ARG002
            os.truncate(self._at(path), length)
            return 0

        def unlink(self, path: str) -> int:
            os.unlink(self._at(path))  # noqa: PTH108
            return 0

        def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
            os.utime(self._at(path), ns=times or (time.time_ns(),) * 2)
            return 0

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
            return os.pwrite(fh, data, offset)

    def refusing(number: int) -> Callable[..., int]:
        def refuse(*_: Any) -> int:
            raise mfusepy.FuseOSError(number)

        return refuse

    if own_locks:
        # With an answer of its own the kernel asks the mount; without, it keeps the locks itself.
        Shown.flock = Shown.lock = lambda *_: 0
    for operation, number in refused.items():
        if operation != "replace":
            setattr(Shown, operation, refusing(number))
    mfusepy.FUSE(Shown(), mount, foreground=True, nothreads=False, default_permissions=True)


def main(arguments: list[str]) -> None:
    backing, mount, *words = arguments
    own_locks = OWN_LOCKS in words
    refused = {word.partition("=")[0]: int(word.partition("=")[2]) for word in words if word != OWN_LOCKS}
    serve(backing, mount, refused, own_locks=own_locks)


if __name__ == "__main__":
    main(sys.argv[1:])
