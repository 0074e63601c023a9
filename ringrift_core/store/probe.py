"""Tries a store before work is put into it: what it overlooks would be found out when the work is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from ringrift_core.errors import StoreError, StoreRefusedError
from ringrift_core.store.base import Store

__all__ = ["check_promises", "probe_key"]

_CONTENT = b"Written to see whether this store can be used; nobody reads it.\n"
"""The same each time, so that two who try under one name do not change each other's version."""

_OTHERS = 10
"""Times that others who try the same name may come in between."""


@contextmanager
def probe_key(store: Store, folder: str) -> Iterator[str]:
    """A key in `folder` to try things with: a name that nobody else has, removed at the end.

    Where nothing can be deleted it is `<folder>/probe`, for everyone.
    """
    fixed = f"{folder}/probe"
    try:
        store.put(fixed, _CONTENT)
    except StoreError:
        # It may have been written all the same.
        with suppress(StoreError):
            store.delete(fixed)
        raise
    if not store.delete(fixed):
        yield fixed
        return
    key = f"{fixed}-{uuid4().hex}"
    try:
        yield key
    finally:
        store.delete(key)


def check_promises(store: Store, key: str) -> None:
    """StoreRefusedError names the first promise that `store` does not keep; `key` is one of `probe_key`'s."""
    store.create(key, _CONTENT)
    if store.create(key, _CONTENT):
        raise _overlooked(store, store.exclusive_create, "of two results of one task the later would replace the first")
    read = store.read(key)
    if read is None:
        raise StoreRefusedError(f"store {store.uri}: {key} was written and is not there: no server to keep games on")
    if store.swap(key, _CONTENT, '"never"'):
        raise _overlooked(store, store.compare_and_swap, "of two promotions at once one would be lost")
    for _ in range(_OTHERS):
        if store.swap(key, _CONTENT, read.version):
            return
        now = store.read(key)
        if now is None or now.version == read.version:
            break
        read = now
    raise StoreRefusedError(
        f"store {store.uri}: {store.compare_and_swap} is refused with the version that was just read ({read.version}); "
        "does a proxy change ETags?"
    )


def _overlooked(store: Store, mechanism: str, consequence: str) -> StoreRefusedError:
    return StoreRefusedError(
        f"store {store.uri}: {mechanism} is overlooked there, and {consequence}; take a store that has it "
        "(docs/store.md)"
    )
