"""Requests of the client against a server that is slow, or that has more to tell than fits into one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import kopf
import pytest
from aiohttp import web

from ringrift_operator.kube import client as requesting
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, FencedError, GarbledError, words_of
from ringrift_operator.kube.resource import JOBS, Object

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def asking(answer: Answer, may_write_for: Callable[[], float] = lambda: 100.0) -> AsyncIterator[Client]:
    """A client of a server that answers so."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    info = kopf.ConnectionInfo(server=f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        async with Client(lambda: info, may_write_for) as client:
            yield client
    finally:
        await runner.cleanup()


def test_the_wait_for_ones_turn_is_no_part_of_the_time_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requesting, "CONNECTIONS", 4)
    monkeypatch.setattr(requesting, "TIMEOUT_SECONDS", 1.0)
    together = most = 0

    async def slowly(_: web.Request) -> web.StreamResponse:
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0.3)
        together -= 1
        return web.json_response({"metadata": {}})

    async def scenario() -> None:
        async with asking(slowly) as client:
            await asyncio.gather(*(client.get(JOBS, ("games", f"job-{number}")) for number in range(32)))

    asyncio.run(scenario())
    assert most == 4


def test_an_answer_that_does_not_come_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requesting, "TIMEOUT_SECONDS", 0.1)

    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(100)
        return web.json_response({})

    async def scenario() -> None:
        async with asking(never) as client:
            await client.get(JOBS, ("games", "job"))

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(scenario())
    assert words_of(caught.value) == "no answer in time"


@pytest.mark.parametrize("content", [b"", b'{"metadata": {"na', b"null", b"<html>Bad Gateway</html>", b"\xff\xfe"])
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_an_answer_that_is_not_whole_is_waited_out_like_a_broken_connection(content: bytes, write: bool) -> None:
    async def garbled(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type="application/json")

    async def scenario() -> None:
        async with asking(garbled) as client:
            if write:
                await client.create(JOBS, {"metadata": {"namespace": "games", "name": "job"}})
            else:
                await client.get(JOBS, ("games", "job"))

    with pytest.raises(GarbledError, match="no JSON object") as caught:
        asyncio.run(scenario())
    assert isinstance(caught.value, EXPECTED)


@pytest.mark.parametrize("content", [b"", b"[]", b"<html>Bad Gateway</html>", b"caf\xe9"])
def test_a_refusal_that_is_not_the_api_servers_is_an_error_of_its_status(content: bytes) -> None:
    async def somebody(_: web.Request) -> web.StreamResponse:
        return web.Response(status=502, body=content, content_type="text/html", charset="utf-8")

    async def scenario() -> None:
        async with asking(somebody) as client:
            await client.get(JOBS, ("games", "job"))

    with pytest.raises(ApiError, match=r"^502 Bad Gateway: "):
        asyncio.run(scenario())


def test_a_write_whose_turn_comes_after_the_lease_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requesting, "CONNECTIONS", 1)
    heard: list[str] = []

    async def slowly(request: web.Request) -> web.StreamResponse:
        heard.append(request.method)
        await asyncio.sleep(0.5)
        return web.json_response({"metadata": {}})

    async def scenario() -> None:
        end = asyncio.get_running_loop().time() + 0.3
        async with asking(slowly, lambda: end - asyncio.get_running_loop().time()) as client:
            manifest = {"metadata": {"namespace": "games"}}
            read = asyncio.create_task(client.get(JOBS, ("games", "one")))
            await asyncio.sleep(0)
            with pytest.raises(FencedError):
                await client.create(JOBS, manifest)
            await read

    asyncio.run(scenario())
    assert heard == ["GET"]


def paged(pages: list[list[str]], expires_at: int | None = None) -> tuple[Answer, list[str]]:
    """A server of so many pages, the continuation of one of which is forgotten the first time."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal expires_at
        at = int(request.query.get("continue", 0))
        asked.append(f"{at} of at most {request.query['limit']}")
        if at == expires_at:
            expires_at = None
            return web.json_response({"reason": "Expired", "message": "too old"}, status=410)
        items: list[Object] = [{"metadata": {"name": name, "managedFields": []}} for name in pages[at]]
        proceed = str(at + 1) if at + 1 < len(pages) else ""
        return web.json_response({"metadata": {"resourceVersion": "7", "continue": proceed}, "items": items})

    return answer, asked


@pytest.mark.parametrize(("expires_at", "pages_asked"), [(None, [0, 1, 2]), (2, [0, 1, 2, 0, 1, 2])])
def test_a_list_is_read_page_by_page_and_anew_when_it_took_too_long(
    expires_at: int | None, pages_asked: list[int]
) -> None:
    answer, asked = paged([["a", "b"], ["c"], ["d"]], expires_at)

    async def scenario() -> None:
        async with asking(answer) as client:
            items, version = await client.items_at(JOBS, "games")
            assert [item["metadata"] for item in items] == [{"name": name} for name in "abcd"]
            assert version == 7

    asyncio.run(scenario())
    assert asked == [f"{at} of at most {requesting.LIST_PAGE}" for at in pages_asked]
