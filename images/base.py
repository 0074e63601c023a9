"""The base image for machines that reach no image registry: Debian with Python, from the packages of Debian itself.

`bare/packages.txt` says which version of each package; `python -m images.base` renews it.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from images.engine import BuildFailedError, build, cache_directory, is_stored, run, write_archive

BARE = Path(__file__).parent / "bare"
PINNED = BARE / "packages.txt"
SUITE = "bookworm"
WANTED = ("ca-certificates", "libstdc++6", "python3", "usr-is-merged")
"""Beside what every Debian has; apt is not among it. The last one stands in for usrmerge, which needs all of Perl."""

# Of no use to a program; licences stay.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
_KEPT = ("/usr/share/doc/*/copyright",)


MERGED = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"


def bare_base(*, pinned: bool = False) -> str:
    """Name of the base image in buildah's store; `pinned`: BuildFailedError where its packages are not the listed."""
    reference = f"localhost/ringrift-base:{_recipe()}"
    tar = _tar()
    if differences := _differences(tar):
        if pinned:
            raise BuildFailedError(
                f"{PINNED.name} does not list what Debian has now: {differences}: make base-packages"
            )
        print(f"images: the base image is newer than {PINNED.name}: {differences}", file=sys.stderr)
    if not is_stored(reference):
        build(reference, BARE / "Dockerfile", tar.parent)
    return reference


def archive_bare_base() -> Path:
    """The docker-archive of the base image itself: a plain Debian with Python, for tests of the cluster."""
    base = bare_base()
    archive = cache_directory() / f"base-{base.rpartition(':')[2]}.docker.tar"
    if not archive.exists():
        write_archive(base, archive)
    return archive


def _recipe() -> str:
    """Digest of all that the base image is made from."""
    parts = (SUITE, WANTED, _LEFT_OUT, _KEPT, PINNED.read_text() if PINNED.exists() else "")
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _folder() -> Path:
    return cache_directory() / f"base-{_recipe()}"


def _tar() -> Path:
    """The root file system, made when the recipe has changed."""
    folder = _folder()
    finished, unfinished = folder / "base.tar", folder / "unfinished.tar"
    if not finished.exists():
        folder.mkdir(parents=True, exist_ok=True)
        options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
        options += [f"--dpkgopt=path-include={pattern}" for pattern in _KEPT]
        listed = (
            f"chroot \"$1\" dpkg-query --show --showformat='${{Package}}=${{Version}}\\n' > '{folder / 'packages.txt'}'"
        )
        # What differs from one making to the next.
        cleared = 'rm -rf "$1"/var/log/* "$1"/var/cache/ldconfig/aux-cache "$1"/var/cache/debconf/*-old'
        hooks = [f"--customize-hook={hook}" for hook in (listed, cleared)]
        packages = f"--include={','.join(WANTED)}"
        run("mmdebstrap", "--quiet", "--variant=essential", MERGED, packages, *options, *hooks, SUITE, unfinished)
        unfinished.rename(finished)
    return finished


def _differences(tar: Path) -> str:
    """How the packages of a root file system differ from the list: `libc6 2.36-9 instead of 2.36-8`."""
    found = _versions((tar.parent / "packages.txt").read_text())
    wanted = _versions(PINNED.read_text() if PINNED.exists() else "")
    return ", ".join(
        f"{name} {found.get(name, 'missing')} instead of {wanted.get(name, 'none')}"
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    )


def _versions(text: str) -> dict[str, str]:
    """Version by package."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def main() -> int:
    """Renews the list from what Debian has today."""
    shutil.rmtree(_folder(), ignore_errors=True)
    made = _tar().parent
    found = (made / "packages.txt").read_text()
    PINNED.write_text(f"# Packages of the base image, from Debian {SUITE}. Renew with: make base-packages\n{found}")
    # It is the image of the new list.
    shutil.rmtree(_folder(), ignore_errors=True)
    made.rename(_folder())
    return 0


if __name__ == "__main__":
    sys.exit(main())
