"""From a store's URI to the store."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from ringrift_core.errors import StoreRefusedError
from ringrift_core.store.base import Store
from ringrift_core.store.local import LocalStore
from ringrift_core.store.s3 import S3Store

__all__ = ["address_of", "open_store"]


def address_of(place: str) -> str:
    """The address of what a person names: an address as it is, anything else as a path of this machine."""
    return place if "://" in place else Path(place).absolute().as_uri()


def open_store(uri: str) -> Store:
    """The store at `uri`; StoreRefusedError when it is neither `file:///path` nor `s3://bucket[/prefix]`.

    Nothing is contacted yet. S3 takes its endpoint, region and credentials from the environment (docs/store.md).
    """
    if (credentials := re.match("([^/]*//)[^/]*[:@]", uri)) is not None:
        # No bucket has : or @ in its name; a secret key may have / in it, so nothing of the rest is shown.
        raise StoreRefusedError(
            f"store '{credentials[1]}...': an address has no credentials in it, where everyone could read them; "
            "give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if "?" in uri or "#" in uri:
        # In an address they begin a query and a fragment: run#1 and run#2 would share the folder run.
        raise StoreRefusedError(f"store {uri!r}: ? and # end an address; choose a name without them")
    if uri != uri.strip() or not uri.isprintable():
        # Whoever splits an address drops them without a word.
        raise StoreRefusedError(f"store {uri!r}: an address has no blank at its ends, and no newline or tab in it")
    parts = _split(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        # A file's name is bytes: those that are no UTF-8 come back as they went.
        path = unquote(parts.path, errors="surrogateescape")
        if "\0" in path:
            raise StoreRefusedError(f"store {uri!r}: no file's name has %00 in it")
        return LocalStore(Path(path))
    if parts.scheme == "s3" and parts.netloc:
        return _s3_store(uri, parts)
    raise StoreRefusedError(f"store {uri!r}: expected file:///absolute/path or s3://bucket/prefix")


def _s3_store(uri: str, parts: SplitResult) -> Store:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        raise StoreRefusedError(
            f"store {uri!r}: bucket {parts.netloc!r} is not 3 to 63 lower-case letters, digits, dots and hyphens"
        )
    prefix = parts.path.strip("/")
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise StoreRefusedError(f"store {uri!r}: a prefix has no empty parts, and none that is . or ..")
    return S3Store(parts.netloc, prefix)


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise StoreRefusedError(
            f"store {uri!r}: {error}; expected file:///absolute/path or s3://bucket/prefix"
        ) from error
