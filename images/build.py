"""`python3 -m images.build worker operator`: builds the images with Docker, or with buildah where there is no Docker.

Docker's result is the image `ringrift-<name>:dev` in its own store. buildah's is a docker-archive in the cache, named
by the digest of everything that goes into it, so an unchanged tree builds nothing. There the base image is made from
Debian's packages, because a machine without Docker may reach no image registry either. Beside each image lies the list
of what is in it, a CycloneDX document.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from images import sbom
from images.base import bare_base
from images.contents import ALL, LOCKS, PIP, Image
from images.engine import (
    ROOT,
    BuildFailedError,
    build,
    cache_directory,
    docker_answers,
    options,
    output,
    remove_old_layers,
    run,
    write_archive,
)

IMAGES = Path(__file__).parent
DOCKERFILE = IMAGES / "Dockerfile"
DEV = "dev"
BASE = "python:3.13-slim"
ARCHIVES_KEPT = 2
"""Per image: another checkout may still be using the one before."""

_LABEL = "org.opencontainers.image"


@dataclass(frozen=True)
class Release:
    """What is built: a version for everyone, from a base by digest and a clean tree; or `dev`."""

    version: str = DEV
    base: str = ""
    """Omitted: the moving tag of Docker's, or the bare one of Debian's packages."""

    def __post_init__(self) -> None:
        if self.version != DEV and self.base and not re.search(r"@sha256:[0-9a-f]{64}$", self.base):
            raise BuildFailedError(f"a release names its base by digest, such as {BASE}@sha256:...; found {self.base}")

    @property
    def is_dev(self) -> bool:
        return self.version == DEV

    def labels(self, base: str, source: str) -> Mapping[str, str]:
        """What the image says of itself; `source` is the digest of what went in."""
        name, _, digest = base.partition("@")
        found = {f"{_LABEL}.version": self.version, f"{_LABEL}.base.name": name, "ringrift.ai/source-digest": source}
        if digest:
            found[f"{_LABEL}.base.digest"] = digest
        if not self.is_dev:
            found[f"{_LABEL}.revision"] = clean_revision()
        return found


def clean_revision() -> str:
    """The commit; BuildFailedError when the tree is not that commit's."""
    if output("git", "status", "--porcelain").strip():
        raise BuildFailedError("a release is built from a commit: commit or stash what has changed")
    return output("git", "rev-parse", "HEAD").strip()


def reference_of(image: Image, release: Release = Release()) -> str:
    """`ringrift-worker:dev`."""
    return f"ringrift-{image.name}:{release.version}"


# --- what goes in ------------------------------------------------------------------------------------------


def source_digest(image: Image) -> str:
    """Digest of every file that can change the image."""
    sources = ["pyproject.toml", "README.md", "LICENSE", "ringrift_core", "images/bare", "images/Dockerfile"]
    sources += [f"images/{name}" for name in ("base.py", "build.py", "contents.py", "engine.py", "sbom.py")]
    sources += [str(lock.relative_to(ROOT)) for lock in (image.lock, LOCKS / f"{PIP}.txt")]
    sources += ["operator"] if image.operator else []
    listed = output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *sources)
    return digest(ROOT / name for name in listed.split("\0") if name and not name.endswith(".md"))


def digest(files: Iterable[Path]) -> str:
    """Digest of names and contents; files deleted but not yet committed are as good as not listed."""
    total = hashlib.sha256()
    for path in sorted(set(files)):
        if path.is_file():
            total.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def build_wheels(directory: Path, *, operator: bool) -> None:
    """Builds our own wheels into `directory`: the same code that the tests run, compiled for release."""
    python = ROOT / ".venv" / "bin"
    run(python / "maturin", "build", "--release", "--quiet", "--compatibility", "linux", "--out", directory)
    if operator:
        run(python / "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", directory, ROOT / "operator")


def prepare_context(image: Image) -> Path:
    """The folder that the Dockerfile copies from."""
    if sys.platform != "linux":
        raise BuildFailedError("our wheels are compiled here: build the images on Linux, or in a Linux container")
    context = ROOT / "dist" / "images" / image.name
    shutil.rmtree(context, ignore_errors=True)
    (context / image.name / "wheels").mkdir(parents=True)
    shutil.copy(image.lock, context / image.name / "requirements.txt")
    build_wheels(context / image.name / "wheels", operator=image.operator)
    pip = (
        ROOT / ".venv" / "bin" / "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
    )
    run(*pip, "--dest", context / "pip", "--requirement", LOCKS / f"{PIP}.txt")
    (wheel,) = (context / "pip").glob("*.whl")
    wheel.rename(context / "pip.whl")
    return context


# --- building ----------------------------------------------------------------------------------------------


def build_with_docker(image: Image, release: Release) -> tuple[str, Path]:
    """Leaves the image in Docker's store; where it is, and its list."""
    base = release.base or BASE
    if not release.is_dev and not release.base:
        raise BuildFailedError(f"a release names its base by digest: --base {BASE}@sha256:...")
    context, reference = prepare_context(image), reference_of(image, release)
    given = options(image.name, {"BASE": base}, release.labels(base, source_digest(image)))
    run("docker", "build", *given, "--tag", reference, "--file", DOCKERFILE, context)
    archive = ROOT / "dist" / "images" / f"{image.name}.tar"
    run("docker", "save", "--output", archive, reference)
    listed = write_list(image, release, archive)
    archive.unlink()
    return "in Docker's store", listed


def archive_of(image: Image, release: Release = Release()) -> Path:
    """Where the docker-archive of this tree's image lies, or will."""
    tag = "" if release.is_dev else f"{release.version}-"
    return cache_directory() / f"{image.name}-{tag}{source_digest(image)}.tar"


def build_with_buildah(image: Image, release: Release = Release()) -> Path:
    """The docker-archive of the image, built when the tree has changed."""
    archive = archive_of(image, release)
    if not archive.exists():
        base = release.base or bare_base(pinned=not release.is_dev)
        remove_old_layers()
        context, reference = prepare_context(image), reference_of(image, release)
        given = options(image.name, {"BASE": base}, release.labels(base, source_digest(image)))
        build(reference, DOCKERFILE, context, *given)
        write_archive(reference, archive)
        archives = sorted(cache_directory().glob(f"{image.name}-*.tar"), key=lambda path: path.stat().st_mtime)
        for older in archives[:-ARCHIVES_KEPT]:
            older.unlink()
            list_of(older).unlink(missing_ok=True)
    if not list_of(archive).exists():
        write_list(image, release, archive)
    return archive


def list_of(archive: Path) -> Path:
    """Where the CycloneDX document of an archive lies."""
    return archive.with_suffix(".cdx.json")


def write_list(image: Image, release: Release, archive: Path) -> Path:
    """Writes down what is in the image."""
    path = list_of(archive)
    path.write_text(
        sbom.document(f"ringrift-{image.name}", release.version, sbom.packages_in(archive)), encoding="utf-8"
    )
    return path


# --- command line ------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m images.build", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="images to build (default: all)")
    parser.add_argument("--release", default=DEV, metavar="VERSION", help="build this version, from a clean tree")
    parser.add_argument("--base", default="", help="image to build on; of a release by digest: NAME@sha256:...")
    given = parser.parse_args()
    docker = docker_answers()
    if not docker and not shutil.which("buildah"):
        print("images: neither a Docker engine nor buildah here: install one of them", file=sys.stderr)
        return 1
    for name in given.names or ALL:
        image, start = ALL[name], time.monotonic()
        try:
            release = Release(given.release, given.base)
            if docker:
                place, listed = build_with_docker(image, release)
            else:
                archive = build_with_buildah(image, release)
                place, listed = f"{archive} ({archive.stat().st_size / 1e6:.0f} MB)", list_of(archive)
        except BuildFailedError as failure:
            print(f"images: {failure}", file=sys.stderr)
            return 1
        print(f"{reference_of(image, release)}  {time.monotonic() - start:.0f} s  {place}  {listed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
