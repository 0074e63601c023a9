"""Reading and writing single objects over plain HTTP (operator-facts.md has the measurements behind the choice).

Watches live in `watch`, in sessions of their own: a dead path poisons pooled connections.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import orjson
from aiohttp.client_proto import ResponseHandler
from pydantic import BaseModel

from ringrift_operator.kube.resource import PODS, SERVICE_ACCOUNTS, Key, Object, Resource, lean

FIELD_MANAGER = "ringrift-operator"
CONDITIONS_MANAGER = "ringrift-operator-conditions"
"""Applies conditions alone: what else stands in the status stays the other manager's, and as it is."""
KEEP_ALIVE_SECONDS = 15
TIMEOUT_SECONDS = 10.0
JSON = {"Content-Type": "application/json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}  # JSON is YAML
MERGE = {"Content-Type": "application/merge-patch+json"}
CONNECTIONS = 64
LIST_PAGE = 500
METADATA_ONLY = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
LOG_TAIL_LINES = 20
LOG_LIMIT_BYTES = 65536


class Connection(Protocol):
    """Where the API server is, and who we are there. kopf's ConnectionInfo is one; a runner, which has no kopf, reads
    its own."""

    @property
    def server(self) -> str: ...

    @property
    def trust_env(self) -> bool:
        """Whether proxies of the environment are taken."""

    def as_ssl_context(self) -> ssl.SSLContext: ...

    def as_http_headers(self) -> dict[str, str]: ...


Login = Callable[[], Connection]
"""The connection as it is now; called again whenever the API server says 401. LoginError when there is none."""


class LoginError(Exception):
    """There is nobody to talk to, or no credentials to do so; a sentence for the user."""


class ApiError(Exception):
    """The API server's refusal: the HTTP status, its machine-readable reason and its sentence."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message

    @property
    def is_conflict(self) -> bool:
        return self.status == 409

    @property
    def is_missing(self) -> bool:
        return self.status == 404

    @property
    def is_refused(self) -> bool:
        """The request itself is wrong, or we may not: the same request will not do better later."""
        return self.status in (400, 403, 405, 413, 415, 422)


class FencedError(Exception):
    """We may not write now: the Lease has not been renewed in time, so another operator may be active."""


class GarbledError(aiohttp.ClientPayloadError):
    """What came is no JSON object: it was cut short on its way, or somebody between us and the API server answered."""

    def __init__(self, content: bytes) -> None:
        super().__init__(f"the answer is no JSON object: {content[:100].decode(errors='replace')!r}")


EXPECTED = (ApiError, FencedError, aiohttp.ClientError, TimeoutError, OSError)
"""What the API server or the way to it may do; waited out. Anything else is a defect."""


def read_object(content: bytes) -> Object:
    """An answer, or a line of a watch. GarbledError if it is not whole."""
    try:
        value: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise GarbledError(content) from error
    if not isinstance(value, dict):
        raise GarbledError(content)
    return value


def words_of(error: BaseException) -> str:
    """What an error says. Some say nothing themselves: a time-out of all that an answer takes is one."""
    return str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)


class _Connection(ResponseHandler):
    """A connection that is broken off when it is of no more use, instead of taking leave."""

    def close(self) -> None:
        self.abort()


class Connector(aiohttp.TCPConnector):
    """Connections that end with their session.

    aiohttp's own take leave of the server in TLS whenever an answer is broken off (a watch always is) or one was idle
    for too long, and no session waits for them: the socket stays open until the server has answered, 30 s on a dead
    path, even beyond the loop's end.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        made: type[ResponseHandler] = _Connection
        self._factory = functools.partial(made, loop=self._loop)


def session(info: Connection, agent: str = FIELD_MANAGER) -> aiohttp.ClientSession:
    """A session for one purpose: writes, or one watch."""
    connector = Connector(ssl=info.as_ssl_context(), keepalive_timeout=KEEP_ALIVE_SECONDS, limit=CONNECTIONS)
    return aiohttp.ClientSession(
        base_url=info.server, connector=connector, headers={"User-Agent": agent}, trust_env=info.trust_env
    )


async def refusal(response: aiohttp.ClientResponse) -> ApiError:
    """The error behind a response with a status of 400 or more."""
    content = await response.read()
    text = content.decode(errors="replace")
    try:
        status = read_object(content)
        return ApiError(response.status, status.get("reason", ""), status.get("message", text))
    except GarbledError:
        return ApiError(response.status, response.reason or "", text.strip()[:500])


def without_empty(value: Any) -> Any:
    """The same value without empty maps and lists in maps.

    Where they replace full ones, server-side apply makes null of them, which the schema refuses
    (kubernetes-sigs/structured-merge-diff#305); left out, the field goes.
    """
    match value:
        case dict():
            kept = ((name, without_empty(each)) for name, each in value.items())
            return {name: each for name, each in kept if each not in ({}, [])}
        case list():
            return [without_empty(each) for each in value]
        case _:
            return value


class Client:
    """One session for requests that end within ten seconds.

    `may_write_for` (the fence) is asked before each write, which ends within the seconds that it says. `manager` is
    the name that fields are written under.
    """

    def __init__(
        self, login: Login, may_write_for: Callable[[], float] = lambda: float("inf"), manager: str = FIELD_MANAGER
    ) -> None:
        self._login, self._manager = login, manager
        self._info = login()
        self._session = session(self._info, manager)
        self._may_write_for = may_write_for
        self._turns = asyncio.Semaphore(CONNECTIONS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, resource: Resource, key: Key) -> Object | None:
        """The object, or None when there is none."""
        try:
            return await self._json("GET", resource.path(*key))
        except ApiError as error:
            if error.is_missing:
                return None
            raise

    async def items(
        self, resource: Resource, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """All objects that match the selectors."""
        return (await self.items_at(resource, namespace, labels, fields))[0]

    async def items_at(
        self, resource: Resource, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> tuple[list[Object], int]:
        """All objects that match the selectors, and the resource version of the moment."""
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        params = {name: selector for name, selector in selectors.items() if selector}
        return await self._pages(resource.path(namespace), params)

    async def metadata(self, resource: Resource, namespace: str, labels: str) -> list[Object]:
        """The metadata alone of all objects that match."""
        items, _ = await self._pages(resource.path(namespace), {"labelSelector": labels}, METADATA_ONLY)
        return items

    async def _pages(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> tuple[list[Object], int]:
        """A list, page by page: each has the whole time of a request. One that takes too long in all begins anew."""
        items: list[Object] = []
        proceed: dict[str, str] = {}
        while True:
            asked = {**params, "limit": str(LIST_PAGE), **proceed}
            try:
                page = await self._json("GET", path, params=asked, headers=headers)
            except ApiError as error:
                if error.status != 410 or not proceed:
                    raise
                items, proceed = [], {}
                continue
            items += map(lean, page["items"] or ())  # null where metadata alone was asked for and there is none
            if not page["metadata"].get("continue"):
                return items, int(page["metadata"]["resourceVersion"])
            proceed = {"continue": page["metadata"]["continue"]}

    async def create(self, resource: Resource, manifest: Object) -> Object:
        """Creates the manifest in its namespace; ApiError 409 when the name is taken."""
        path = resource.path(manifest["metadata"]["namespace"])
        params = {"fieldManager": self._manager, "fieldValidation": "Strict"}
        return await self._write("POST", path, manifest, JSON, params)

    async def replace(self, resource: Resource, obj: Object) -> Object:
        """Writes a whole object back; ApiError 409 when it changed since it was read."""
        metadata = obj["metadata"]
        params = {"fieldManager": self._manager}
        return await self._write("PUT", resource.path(metadata["namespace"], metadata["name"]), obj, JSON, params)

    async def patch(self, resource: Resource, key: Key, content: Object, subresource: str | None = None) -> Object:
        """Merges `content` into an object. With a resourceVersion among its metadata, ApiError 409 when the object has
        been written since that was read; with a UID, ApiError 409 when the name is another object's by now."""
        params = {"fieldManager": self._manager, "fieldValidation": "Strict"}
        return await self._write("PATCH", resource.path(*key, subresource), content, MERGE, params)

    async def token(self, account: Key, spec: Object) -> Object:
        """The status of a TokenRequest for a service account: a token, and when it expires."""
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        answer = await self._write("POST", SERVICE_ACCOUNTS.path(*account, "token"), request, JSON, {})
        status: Object = answer["status"]
        return status

    async def apply_status(self, resource: Resource, kind: str, metadata: Object, status: BaseModel) -> Object:
        """Server-side apply of the whole status: fields that we no longer name disappear.

        With a UID in `metadata` (besides namespace and name), ApiError 409 when the name is another object's by now;
        with a resourceVersion, when the object has been written since that was read.
        """
        content = without_empty(status.model_dump(mode="json", by_alias=True, exclude_none=True))
        return await self._apply_status(resource, kind, metadata, content, self._manager)

    async def apply_conditions(
        self, resource: Resource, kind: str, metadata: Object, conditions: list[Object]
    ) -> Object:
        """Server-side apply of some conditions: the rest of the status stays as it is."""
        return await self._apply_status(resource, kind, metadata, {"conditions": conditions}, CONDITIONS_MANAGER)

    async def _apply_status(
        self, resource: Resource, kind: str, metadata: Object, status: Object, manager: str
    ) -> Object:
        manifest = {"apiVersion": resource.api_version, "kind": kind, "metadata": metadata, "status": status}
        path = resource.path(metadata["namespace"], metadata["name"], "status")
        return await self._write("PATCH", path, manifest, APPLY, {"fieldManager": manager, "force": "true"})

    async def delete(self, resource: Resource, key: Key, uid: str) -> None:
        """Deletes this very object, and what it owns in the background; one that is gone already is fine."""
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            await self._write("DELETE", resource.path(*key), body, JSON, {})
        except ApiError as error:
            # 409: the name now belongs to another object, so ours is gone.
            if not (error.is_missing or error.is_conflict):
                raise

    async def log_tail(self, pod: Key, container: str) -> str:
        """The last lines of a running container's log, each after its time; empty when it has none (yet)."""
        size = {"tailLines": str(LOG_TAIL_LINES), "limitBytes": str(LOG_LIMIT_BYTES)}
        params = {"container": container, "timestamps": "true", **size}
        try:
            return (await self._request("GET", PODS.path(*pod, "log"), params=params)).decode(errors="replace")
        except ApiError as error:
            if error.status in (400, 404):  # still creating, or gone
                return ""
            raise

    async def serves(self, resource: Resource) -> bool:
        """Whether the API server knows this kind."""
        try:
            found = await self._json("GET", f"/apis/{resource.api_version}")
        except ApiError as error:
            if error.is_missing:
                return False
            raise
        return any(each["name"] == resource.plural for each in found["resources"])

    async def may(self, verb: str, resource: Resource, namespace: str, subresource: str = "", name: str = "") -> bool:
        """Whether the API server would let us; an empty namespace means all, an empty name any."""
        group = resource.api_version.rpartition("/")[0]
        asked = {"verb": verb, "group": group, "resource": resource.plural, "namespace": namespace}
        spec = {"resourceAttributes": {**asked, "subresource": subresource, "name": name}}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._json("POST", path, orjson.dumps(review), JSON)
        allowed: bool = answer["status"]["allowed"]
        return allowed

    async def _write(
        self, method: str, path: str, body: Object, headers: Mapping[str, str], params: Mapping[str, str]
    ) -> Object:
        return await self._json(method, path, orjson.dumps(body), headers, params, self._seconds_to_write)

    def _seconds_to_write(self) -> float:
        """Within which a write that begins now must end; FencedError when there are none."""
        seconds = self._may_write_for()
        if seconds <= 0:
            raise FencedError("the operator's Lease is not held")
        return min(seconds, TIMEOUT_SECONDS)

    async def _json(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        seconds: Callable[[], float] = lambda: TIMEOUT_SECONDS,
    ) -> Object:
        return read_object(await self._request(method, path, data, headers, params, seconds))

    async def _request(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        seconds: Callable[[], float] = lambda: TIMEOUT_SECONDS,
    ) -> bytes:
        for renewed in (False, True):
            # The wait for one's turn is no part of the request's time, which begins with the turn.
            async with (
                self._turns,
                self._session.request(
                    method,
                    path,
                    data=data,
                    params=params,
                    headers={**self._info.as_http_headers(), **(headers or {})},
                    timeout=aiohttp.ClientTimeout(total=seconds(), sock_connect=5),
                ) as response,
            ):
                if response.status < 400:
                    return await response.read()
                error = await refusal(response)
            if response.status != 401 or renewed:
                raise error
            self._info = await asyncio.to_thread(self._login)  # the token was renewed in its file
        raise AssertionError("the second answer was returned or raised")
