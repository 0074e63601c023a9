"""Where a pipeline's artifacts lie when it runs on this machine."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ringrift_operator.api.pipeline import Artifacts
from ringrift_operator.local.folder import STATE_FOLDER


def local_store(artifacts: Artifacts, data: Path) -> str:
    """URI of the store: a claim becomes a folder below `data`, anything else is used as it is."""
    if artifacts.persistent_volume_claim is not None:
        return (data / artifacts.persistent_volume_claim.claim_name).resolve().as_uri()
    return (artifacts.uri or "").rstrip("/")


def lock_of(store: str, data: Path) -> Path:
    """The file whose lock says that someone works on the store: in a folder itself, in our own for what lies elsewhere.

    Nowhere beside a folder: that of a mount point is often somebody else's.
    """
    folder = _folder(store)
    if folder is not None:
        return folder / ".locks" / "local"
    return data / STATE_FOLDER / f"{hashlib.sha256(store.encode()).hexdigest()[:16]}.lock"


def is_gone(store: str) -> bool:
    """Whether the store is a folder with nothing in it (any more) but what its users keep there for themselves."""
    folder = _folder(store)
    if folder is None:
        return False
    return not folder.is_dir() or all(path.name.startswith(".") for path in folder.iterdir())


def shown(store: str) -> str:
    """The store as a person would type it in a shell: a path below the working folder, or the URI."""
    folder = _folder(store)
    return store if folder is None else shown_path(folder)


def shown_path(path: Path) -> str:
    """A path as a person would type it in a shell, relative to the working folder where it lies below it."""
    path = path.resolve()
    below = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else None
    return shlex.quote(str(path) if below is None else f"./{below}")


def _folder(store: str) -> Path | None:
    """The folder that a file:// URI names, as `ringrift_core.store` finds it; None for a store elsewhere."""
    parts = urlsplit(store)
    return Path(unquote(parts.path, errors="surrogateescape")) if parts.scheme == "file" else None
