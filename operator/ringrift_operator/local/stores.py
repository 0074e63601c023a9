"""Where a pipeline's artifacts lie when it runs on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ringrift_operator.api.pipeline import Artifacts
from ringrift_operator.local.folder import STATE_FOLDER


def local_store(artifacts: Artifacts, data: Path) -> str:
    """URI of the store: a claim becomes a folder below `data`, anything else is used as it is."""
    if artifacts.persistent_volume_claim is not None:
        return (data / artifacts.persistent_volume_claim.claim_name).resolve().as_uri()
    return (artifacts.uri or "").rstrip("/")


def lock_of(store: str, data: Path) -> Path:
    """The file whose lock says that someone works on the store: beside a folder, in our own for what lies elsewhere."""
    if store.startswith("file://"):
        folder = Path(store.removeprefix("file://"))
        return folder.with_name(f".{folder.name}.lock")
    return data / STATE_FOLDER / f"{hashlib.sha256(store.encode()).hexdigest()[:16]}.lock"


def is_gone(store: str) -> bool:
    """Whether the store is a folder that does not exist (any more)."""
    return store.startswith("file://") and not Path(store.removeprefix("file://")).is_dir()


def shown(store: str) -> str:
    """The store as a person would type it: a path below the working folder, or the URI."""
    if not store.startswith("file://"):
        return store
    folder = Path(store.removeprefix("file://"))
    return f"./{folder.relative_to(Path.cwd())}" if folder.is_relative_to(Path.cwd()) else str(folder)
