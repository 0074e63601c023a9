"""Docker and buildah, as far as images are built with them here."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


class BuildFailedError(Exception):
    """An image could not be built; the message says why."""


def cache_directory() -> Path:
    """Where big builds are kept."""
    return Path(os.environ.get("RINGRIFT_CACHE") or Path.home() / ".cache" / "ringrift") / "images"


def run(*command: str | Path) -> None:
    """Runs a command to its end; BuildFailedError with what it said last."""
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-30:]
        raise BuildFailedError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n" + "\n".join(said))


def output(*command: str | Path) -> str:
    """Standard output of a command that does not fail."""
    return subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def options(target: str, arguments: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    """What docker and buildah take alike."""
    found = ["--target", target]
    for option, values in (("--build-arg", arguments), ("--label", labels)):
        for name, value in values.items():
            found += [option, f"{name}={value}"]
    return found


# --- Docker ------------------------------------------------------------------------------------------------


def docker_answers() -> bool:
    """Whether there is a Docker engine."""
    return bool(shutil.which("docker")) and subprocess.run(["docker", "info"], capture_output=True).returncode == 0


# --- buildah -----------------------------------------------------------------------------------------------

LAYERS_KEPT = 60


def is_stored(reference: str) -> bool:
    """Whether buildah's store has an image of this name."""
    return bool(output(*_buildah(), "images", "--quiet", "--filter", f"reference={reference}").strip())


def build(reference: str, dockerfile: Path, context: Path, *given: str) -> None:
    """Builds an image into buildah's store; `given` is from `options`."""
    mounts = ["/etc/ssl/certs:/etc/ssl/certs:ro"]
    if Path("/etc/pip.conf").exists():
        mounts.append("/etc/pip.conf:/etc/pip.conf:ro")
    command = [*_buildah(), "bud", "--quiet", "--layers", "--network", "host", "--isolation", "chroot"]
    for mount in mounts:
        command += ["--volume", mount]
    with _store_held(fcntl.LOCK_SH):
        run(*command, *given, "--tag", reference, "--file", dockerfile, context)


def write_archive(reference: str, archive: Path) -> None:
    """Writes an image of buildah's store as a docker-archive, whole or not at all."""
    unfinished = archive.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    name = reference if "/" in reference else f"docker.io/library/{reference}"
    run(*_buildah(), "push", "--quiet", reference, f"docker-archive:{unfinished}:{name}")
    unfinished.rename(archive)


def archive_program(reference: str, dockerfile: Path, program: Path) -> Path:
    """The docker-archive of an image of one static program and nothing else."""
    archive = cache_directory() / f"{program.name}-{hashlib.sha256(program.read_bytes()).hexdigest()[:16]}.tar"
    if not archive.exists():
        context = cache_directory() / f"{program.name}-context"
        context.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, context)
        build(reference, dockerfile, context)
        write_archive(reference, archive)
    return archive


def remove_old_layers() -> None:
    """Layers are kept so that a change of our own code installs no package anew, but not those of every build.

    Nothing is removed while another build is under way. Where none is, containers are what killed builds have left:
    they would keep their layers for ever.
    """
    layers = output(*_buildah(), "images", "--all", "--quiet").split()
    if len(layers) <= LAYERS_KEPT:
        return
    try:
        with _store_held(fcntl.LOCK_EX | fcntl.LOCK_NB):
            run(*_buildah(), "rm", "--all")
            run(*_buildah(), "rmi", "--prune")
    except BlockingIOError:
        return


@contextmanager
def _store_held(how: int) -> Iterator[None]:
    """Holds buildah's store, which every checkout shares: builds beside each other, removals alone."""
    cache_directory().mkdir(parents=True, exist_ok=True)
    with (cache_directory() / "building").open("w") as lock:
        fcntl.flock(lock, how)
        yield


def _buildah() -> list[str]:
    store, state = cache_directory() / "store", cache_directory() / "run"
    return ["buildah", "--root", str(store), "--runroot", str(state), "--storage-driver", "overlay"]
