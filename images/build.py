"""`python3 -m images.build worker operator`: builds the images with Docker, or with buildah where there is no Docker.

Docker's result is the image `ringrift-<name>:dev` in its own store. buildah's is a docker-archive in the cache, named
by the digest of everything that goes into it, so an unchanged tree builds nothing. There the base image is made from
Debian's packages, because a machine without Docker may reach no image registry either.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent
TAG = "dev"
BARE_BASE = "localhost/ringrift-base:bookworm"
ARCHIVES_KEPT = 2
"""Per image: another checkout may still be using the one before."""
LAYERS_KEPT = 60


@dataclass(frozen=True)
class Image:
    """What goes into one image: `extras` of the core's distribution, and whether the operator is in it."""

    name: str
    extras: tuple[str, ...] = ()
    operator: bool = False

    @property
    def reference(self) -> str:
        return f"ringrift-{self.name}:{TAG}"

    def requirements(self) -> list[str]:
        """The published packages to install; our own wheels come after them."""
        core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = list(core["dependencies"])
        pending = list(self.extras)
        while pending:
            for requirement in core["optional-dependencies"][pending.pop()]:
                if requirement.startswith("ringrift["):
                    pending += requirement.removeprefix("ringrift[").removesuffix("]").split(",")
                else:
                    wanted.append(requirement)
        if self.operator:
            own = tomllib.loads((ROOT / "operator" / "pyproject.toml").read_text())["project"]
            wanted += [each for each in own["dependencies"] if not each.startswith("ringrift")]
        return sorted(set(wanted))


WORKER = Image("worker", extras=("stages", "tracking", "s3"))
TRAINER = Image("trainer", extras=("train", "tracking", "s3"))
OPERATOR = Image("operator", operator=True)
ALL = {image.name: image for image in (WORKER, TRAINER, OPERATOR)}


class BuildFailedError(Exception):
    """An image could not be built; the message says why."""


def cache_directory() -> Path:
    return Path(os.environ.get("RINGRIFT_CACHE") or Path.home() / ".cache" / "ringrift") / "images"


# --- what goes in ------------------------------------------------------------------------------------------


def source_digest(image: Image) -> str:
    """Digest of every file that can change the image."""
    sources = ["pyproject.toml", "constraints.txt", "README.md", "LICENSE", "ringrift_core"]
    sources += ["images/build.py", f"images/{image.name}", "images/bare"] + (["operator"] if image.operator else [])
    listed = _output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *sources)
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
    _run(python / "maturin", "build", "--release", "--quiet", "--compatibility", "linux", "--out", directory)
    if operator:
        _run(python / "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", directory, ROOT / "operator")


def prepare_context(image: Image) -> Path:
    """The folder that the Dockerfile copies from."""
    context = ROOT / "dist" / "images" / image.name
    shutil.rmtree(context, ignore_errors=True)
    (context / "wheels").mkdir(parents=True)
    (context / "requirements.txt").write_text("\n".join(image.requirements()) + "\n")
    shutil.copy(ROOT / "constraints.txt", context)
    build_wheels(context / "wheels", operator=image.operator)
    return context


# --- Docker ------------------------------------------------------------------------------------------------


def docker_answers() -> bool:
    return bool(shutil.which("docker")) and subprocess.run(["docker", "info"], capture_output=True).returncode == 0


def build_with_docker(image: Image) -> str:
    """Leaves `ringrift-<name>:dev` in Docker's store; says so."""
    if sys.platform != "linux":
        raise BuildFailedError("our wheels are compiled here: build the images on Linux, or in a Linux container")
    context = prepare_context(image)
    _run("docker", "build", "--tag", image.reference, "--file", IMAGES / image.name / "Dockerfile", context)
    return "in Docker's store"


# --- buildah -----------------------------------------------------------------------------------------------


def archive_of(image: Image) -> Path:
    """Where the docker-archive of this tree's image lies, or will."""
    return cache_directory() / f"{image.name}-{source_digest(image)}.tar"


def build_with_buildah(image: Image) -> Path:
    """The docker-archive of the image, built when the tree has changed."""
    archive = archive_of(image)
    if not archive.exists():
        base = bare_base()
        _remove_old_layers()
        context = prepare_context(image)
        _buildah_build(image.reference, IMAGES / image.name / "Dockerfile", context, f"BASE={base}")
        write_archive(image.reference, archive)
        archives = sorted(cache_directory().glob(f"{image.name}-*.tar"), key=lambda path: path.stat().st_mtime)
        for older in archives[:-ARCHIVES_KEPT]:
            older.unlink()
    return archive


def bare_base() -> str:
    """Name of the base image made from Debian's packages, in buildah's store."""
    if not _output(*_BUILDAH, "images", "--quiet", "--filter", f"reference={BARE_BASE}").strip():
        context = cache_directory() / "base"
        context.mkdir(parents=True, exist_ok=True)
        packages = "ca-certificates,python3,python3-venv"
        unfinished, finished = context / "unfinished.tar", context / "base.tar"
        if not finished.exists():
            _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", "bookworm", unfinished)
            unfinished.rename(finished)
        _buildah_build(BARE_BASE, IMAGES / "bare" / "Dockerfile", context)
    return BARE_BASE


def archive_bare_base() -> Path:
    """The docker-archive of the base image itself: a plain Debian with Python, for tests of the cluster."""
    archive = cache_directory() / "base.docker.tar"
    if not archive.exists():
        write_archive(bare_base(), archive)
    return archive


def archive_program(reference: str, dockerfile: Path, program: Path) -> Path:
    """The docker-archive of an image of one static program and nothing else."""
    archive = cache_directory() / f"{program.name}-{hashlib.sha256(program.read_bytes()).hexdigest()[:16]}.tar"
    if not archive.exists():
        context = cache_directory() / f"{program.name}-context"
        context.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, context)
        _buildah_build(reference, dockerfile, context)
        write_archive(reference, archive)
    return archive


def _remove_old_layers() -> None:
    """Layers are kept so that a change of our own code installs no package anew, but not those of every build."""
    layers = _output(*_BUILDAH, "images", "--all", "--quiet").split()
    if len(layers) > LAYERS_KEPT:
        _run(*_BUILDAH, "rmi", "--prune")


def write_archive(reference: str, archive: Path) -> None:
    """Writes an image of buildah's store as a docker-archive, whole or not at all."""
    unfinished = archive.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    name = reference if "/" in reference else f"docker.io/library/{reference}"
    _run(*_BUILDAH, "push", "--quiet", reference, f"docker-archive:{unfinished}:{name}")
    unfinished.rename(archive)


_BUILDAH = (
    *("buildah", "--root", str(cache_directory() / "store"), "--runroot", str(cache_directory() / "run")),
    *("--storage-driver", "overlay"),
)


def _buildah_build(reference: str, dockerfile: Path, context: Path, *arguments: str) -> None:
    mounts = ["/etc/ssl/certs:/etc/ssl/certs:ro"]
    if Path("/etc/pip.conf").exists():
        mounts.append("/etc/pip.conf:/etc/pip.conf:ro")
    pip_cache = Path.home() / ".cache" / "pip"
    pip_cache.mkdir(parents=True, exist_ok=True)
    mounts.append(f"{pip_cache}:/root/.cache/pip:rw")
    command = [*_BUILDAH, "bud", "--quiet", "--layers", "--network", "host", "--isolation", "chroot"]
    for mount in mounts:
        command += ["--volume", mount]
    for argument in arguments:
        command += ["--build-arg", argument]
    _run(*command, "--tag", reference, "--file", dockerfile, context)


# --- command line ------------------------------------------------------------------------------------------


def _run(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-30:]
        raise BuildFailedError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n" + "\n".join(said))


def _output(*command: str | Path) -> str:
    return subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m images.build", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="images to build (default: all)")
    chosen = parser.parse_args().names or list(ALL)
    docker = docker_answers()
    if not docker and not shutil.which("buildah"):
        print("images: neither a Docker engine nor buildah here: install one of them", file=sys.stderr)
        return 1
    for name in chosen:
        image, start = ALL[name], time.monotonic()
        try:
            result = build_with_docker(image) if docker else str(build_with_buildah(image))
        except BuildFailedError as failure:
            print(f"images: {failure}", file=sys.stderr)
            return 1
        print(f"{image.reference}  {time.monotonic() - start:.0f} s  {result}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
