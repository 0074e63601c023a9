"""List and watch of one kind into plain dicts: the state of the world as the API server last told it.

Informer semantics (list, then watch from its resource version, list again when that is too old), without decoding
objects into models: operator-facts.md has the cost of the alternatives. A mirror also takes what our own writes
return, so that the next decision sees them before the watch does.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Container, Hashable, Iterator
from itertools import chain

import aiohttp

from ringrift_operator.kube.client import (
    EXPECTED,
    ApiError,
    Client,
    Login,
    LoginError,
    read_object,
    refusal,
    session,
    words_of,
)
from ringrift_operator.kube.resource import Key, Object, Resource, key_of, lean, uid_of, version_of

logger = logging.getLogger(__name__)

SERVER_TIMEOUT_SECONDS = 15
INACTIVITY_SECONDS = 20
BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0)
LIST_PAGE = 500
GONE_SECONDS = 600


class RestoredError(Exception):
    """The API server has gone back in time, as after a restore of etcd: what we know is of a world that is gone."""

    def __init__(self, resource: Resource, version: int, seen: int) -> None:
        super().__init__(
            f"{resource.plural} were listed at version {version}, after {seen} had been seen: the cluster's state was "
            "restored to an earlier one, and is read anew"
        )


class Mirror:
    """Objects of one kind by namespace and name, and by group (namespace, owner) when told how to group them.

    It never goes back in time: an older version of an object is ignored, as is news of one known to be deleted.
    """

    def __init__(
        self,
        changed: Callable[[Object | None, Object | None], None],
        group_of: Callable[[Object], Hashable] = lambda obj: obj["metadata"]["namespace"],
    ) -> None:
        """`changed(now, before)` is called with each news; no `now` is a deletion, no `before` a new object."""
        self._objects: dict[Key, Object] = {}
        self._groups: dict[Hashable, dict[Key, Object]] = {}
        self.latest = 0
        """The highest version that the API server has told of."""
        self._gone: dict[str, float] = {}  # UIDs known to be deleted, and since when, the longest known first
        self._changed = changed
        self._group_of = group_of

    def __iter__(self) -> Iterator[Object]:
        return iter(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, key: Key) -> Object | None:
        return self._objects.get(key)

    def group(self, group: Hashable) -> Collection[Object]:
        """The objects of one group."""
        return self._groups.get(group, {}).values()

    def outside(self, groups: Container[Hashable]) -> Iterator[Object]:
        """The objects of all other groups."""
        for group, objects in self._groups.items():
            if group not in groups:
                yield from objects.values()

    def put(self, obj: Object) -> None:
        """Takes an object as it was watched, read, or returned by a write of ours."""
        key = key_of(obj)
        known = self._objects.get(key)
        self.heard(version_of(obj))
        if uid_of(obj) in self._gone or (known is not None and version_of(obj) <= version_of(known)):
            return
        if known is not None:
            self._remove(known)
        kept = lean(obj)
        self._objects[key] = kept
        self._groups.setdefault(self._group_of(kept), {})[key] = kept
        self._changed(kept, known)

    def heard(self, version: int) -> None:
        """The API server has told of this version."""
        self.latest = max(self.latest, version)

    def drop(self, obj: Object) -> None:
        """Takes a deletion, watched or our own; late news of the same object is ignored from now on."""
        self._remember(uid_of(obj))
        known = self._objects.get(key_of(obj))
        if known is not None and uid_of(known) == uid_of(obj):
            self._remove(known)
            self._changed(None, known)

    def replace(self, objects: list[Object], version: int, in_scope: Callable[[Key], bool] = lambda _: True) -> None:
        """Takes a complete list read at `version`: what it lacks is gone, unless it was put after that version."""
        self.heard(version)
        listed = {uid_of(obj) for obj in objects}
        for key, known in list(self._objects.items()):
            if in_scope(key) and uid_of(known) not in listed and version_of(known) <= version:
                self.drop(known)
        for obj in objects:
            self.put(obj)

    def _remember(self, gone: str) -> None:
        """Keeps the UID for a while; those that were kept long enough go, each once."""
        now = time.monotonic()
        self._gone.pop(gone, None)
        self._gone[gone] = now
        while now - self._gone[oldest := next(iter(self._gone))] > GONE_SECONDS:
            del self._gone[oldest]

    def _remove(self, obj: Object) -> None:
        key, group = key_of(obj), self._group_of(obj)
        del self._objects[key]
        del self._groups[group][key]
        if not self._groups[group]:
            del self._groups[group]


class Mirrors:
    """Several mirrors of like things, looked at as one."""

    def __init__(self, *mirrors: Mirror) -> None:
        self._mirrors = mirrors

    def __iter__(self) -> Iterator[Object]:
        return chain.from_iterable(self._mirrors)

    def __len__(self) -> int:
        return sum(map(len, self._mirrors))

    def group(self, group: Hashable) -> list[Object]:
        """The objects of one group."""
        return [obj for mirror in self._mirrors for obj in mirror.group(group)]

    def outside(self, groups: Container[Hashable]) -> Iterator[Object]:
        """The objects of all other groups."""
        return chain.from_iterable(mirror.outside(groups) for mirror in self._mirrors)


class Watch:
    """Keeps a mirror true to the API server until cancelled; errors are waited out, for however long.

    RestoredError when the API server knows less than it did: whoever remembers more has to begin anew.
    """

    def __init__(
        self,
        login: Login,
        resource: Resource,
        mirror: Mirror,
        namespace: str | None = None,
        labels: str = "",
    ) -> None:
        self._login, self._resource, self._mirror = login, resource, mirror
        self._path = resource.path(namespace)
        self._namespace = namespace
        self._selector = {"labelSelector": labels} if labels else {}
        self.synced = asyncio.Event()
        self.refused = ""
        """Why it may not list or watch, as last said; empty while it may."""
        self.last_heard = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the API server last told anything, if only that the stream ended in order."""
        return time.monotonic() - self.last_heard

    async def run(self) -> None:
        """Lists and watches for ever."""
        failures = 0
        while True:
            try:
                # A new session each time: what broke the old one may still sit in its pool.
                info = await asyncio.to_thread(self._login)
                async with session(info) as http:
                    http.headers.update(info.as_http_headers())
                    version: str | None = await self._list(http)
                    failures, self.refused = 0, ""
                    while version is not None:
                        version = await self._watch(http, version)
            except (*EXPECTED, LoginError) as error:
                if isinstance(error, ApiError) and error.is_refused:
                    self.refused = f"{self._resource.plural} cannot be watched: {error}"
                delay = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)] * random.uniform(0.8, 1.2)
                level = logging.WARNING if failures in (0, 10) or failures % 100 == 0 else logging.DEBUG
                logger.log(level, "watch of %s: %s; again in %.1f s", self._resource.plural, words_of(error), delay)
                failures += 1
                await asyncio.sleep(delay)

    async def _list(self, http: aiohttp.ClientSession) -> str:
        """Reads all into the mirror; the resource version to watch from."""
        objects: list[Object] = []
        seen = self._mirror.latest  # a write of ours may be answered while the list is on its way
        params = {**self._selector, "limit": str(LIST_PAGE)}
        timeout = aiohttp.ClientTimeout(total=60, sock_connect=5, sock_read=INACTIVITY_SECONDS)
        while True:
            async with http.get(self._path, params=params, timeout=timeout) as response:
                if response.status >= 400:
                    raise await refusal(response)
                page = read_object(await response.read())
            self.last_heard = time.monotonic()
            objects += map(lean, page["items"])
            proceed = page["metadata"].get("continue")
            if not proceed:
                break
            params = {**self._selector, "limit": str(LIST_PAGE), "continue": proceed}
        version: str = page["metadata"]["resourceVersion"]
        if int(version) < seen:
            raise RestoredError(self._resource, int(version), seen)
        self._mirror.replace(objects, int(version), self._in_scope)
        self.synced.set()
        return version

    def _in_scope(self, key: Key) -> bool:
        return self._namespace is None or key[0] == self._namespace

    async def _watch(self, http: aiohttp.ClientSession, version: str) -> str | None:
        """One watch request; the version to go on from, or None when a new list is needed."""
        params = {
            **self._selector,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(SERVER_TIMEOUT_SECONDS),
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=INACTIVITY_SECONDS)
        async with http.get(self._path, params=params, timeout=timeout) as response:
            if response.status == 410:
                return None
            if response.status >= 400:
                raise await refusal(response)
            async for line in _lines(response.content):
                self.last_heard = time.monotonic()
                event = read_object(line)
                kind, obj = event["type"], event["object"]
                if kind == "ERROR":
                    if obj.get("code") == 410:
                        return None
                    raise ApiError(obj.get("code", 500), obj.get("reason", ""), obj.get("message", ""))
                version = obj["metadata"]["resourceVersion"]
                self._mirror.heard(int(version))
                if kind == "DELETED":
                    self._mirror.drop(obj)
                elif kind != "BOOKMARK":
                    self._mirror.put(obj)
        self.last_heard = time.monotonic()
        return version


async def look_again(client: Client, resource: Resource, mirror: Mirror, namespace: str | None = None) -> None:
    """Lists into a mirror what somebody else watches, who may have missed some. RestoredError as of a watch."""
    seen = mirror.latest
    objects, version = await client.items_at(resource, namespace)
    if version < seen:
        raise RestoredError(resource, version, seen)
    mirror.replace(objects, version, lambda key: namespace in (None, key[0]))


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length (aiohttp's own iteration refuses those beyond its buffer)."""
    pending = b""
    async for chunk in stream.iter_any():
        *complete, pending = (pending + chunk).split(b"\n")
        for line in complete:
            yield line
