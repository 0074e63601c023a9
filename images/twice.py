"""`python -m images.twice operator`: builds an image twice, past the cache, and says which files differ but for times.

With buildah, on the base image that is there. Ends with 1 where any does.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from images.base import bare_base
from images.build import DOCKERFILE, Release, prepare_context, reference_of, source_digest
from images.contents import ALL, Image
from images.engine import build, options, write_archive

_DELETED = ".wh."
"""Before the name of what a layer takes away."""

_PYC_TIME = slice(8, 12)
"""Where compiled Python holds the time of its source."""

Entry = tuple[str, ...]
"""Kind, mode, owner, and what a link leads to or the SHA-256 of a file: everything but times."""


def built(image: Image, archive: Path) -> None:
    """The image, made of new wheels, with no step from the cache."""
    base, reference = bare_base(), reference_of(image, Release("twice"))
    given = options(image.name, {"BASE": base}, Release().labels(base, source_digest(image)))
    build(reference, DOCKERFILE, prepare_context(image), "--no-cache", *given)
    write_archive(reference, archive)


def files_of(archive: Path) -> dict[str, Entry]:
    """What a container sees of a docker-archive, by path."""
    found: dict[str, Entry] = {}
    with tarfile.open(archive) as image:
        (manifest,) = json.load(_file(image, "manifest.json"))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=_file(image, layer)) as files:
                for member in files:
                    path = PurePosixPath("/", member.name)
                    if path.name.startswith(_DELETED):
                        gone = str(path.parent / path.name.removeprefix(_DELETED))
                        found = {name: each for name, each in found.items() if not f"{name}/".startswith(f"{gone}/")}
                    else:
                        found[str(path)] = _entry(files, member)
    return found


def differences(one: dict[str, Entry], other: dict[str, Entry]) -> list[str]:
    """Paths that are not the same in both, or in one alone."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def _entry(files: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    content = _file(files, member).read() if member.isfile() else b""
    if member.name.endswith(".pyc"):
        content = content[: _PYC_TIME.start] + content[_PYC_TIME.stop :]
    holds = hashlib.sha256(content).hexdigest() if member.isfile() else member.linkname
    return member.type.decode(), oct(member.mode), f"{member.uid}:{member.gid}", holds


def _file(archive: tarfile.TarFile, member: str | tarfile.TarInfo) -> tarfile.ExFileObject:
    found = archive.extractfile(member)
    assert isinstance(found, tarfile.ExFileObject), f"{member} is no file"
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m images.twice", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("name", choices=ALL, help="image to build")
    image = ALL[parser.parse_args().name]
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for name in ("one", "other"):
            archive = Path(folder) / f"{name}.tar"
            built(image, archive)
            made.append(files_of(archive))
    differing = differences(*made)
    print("\n".join([f"{image.name}: {len(made[0])} files, {len(differing)} differ but for times", *differing]))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
