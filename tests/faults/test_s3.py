"""An S3 server that answers 500 or 403, overlooks conditions, or lets nobody delete."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ringrift_core.contract import ExitCode
from ringrift_core.errors import StoreAwayError
from ringrift_core.store import open_store
from tests.cluster.object_store import running_object_store
from tests.cluster.process import free_ports
from tests.cluster.requirement import required_binaries
from tests.faults.proxy import FaultyProxy
from tests.faults.workshop import COMMANDS, Ends, Record, Workshop, copy_values, free_bytes

QUOTE = '"'


@pytest.fixture(scope="module")
def s3(
    prepared: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[FaultyProxy, Callable[[str], Workshop]]]:
    """A real S3 server behind a faulty proxy, and a maker of stores on it, copies of the prepared one."""
    found = required_binaries("versitygw")
    folder = tmp_path_factory.mktemp("s3")
    with (
        running_object_store(found, folder, port=free_ports(1)[0]) as server,
        FaultyProxy(server.url, server.secret_key) as proxy,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in server.environment(proxy.url).items():
            environment.setenv(name, value)

        def copied(bucket: str) -> Workshop:
            server.create_bucket(bucket)
            workshop = Workshop(f"s3://{bucket}/run", folder / f"scratch-{bucket}")
            copy_values(prepared.store, workshop.store)
            return workshop

        yield proxy, copied


def fault_of(status: int, methods: str) -> Callable[[str, str], int | None]:
    """Objects cannot be read, or not be written: the first of it is asked in the middle of the work."""

    def fault(method: str, path: str) -> int | None:
        return status if method in methods.split() and "/objects/" in path else None

    return fault


@pytest.mark.parametrize(
    ("status", "exit_code", "words"),
    [(500, ExitCode.NOT_NOW, "InternalError"), (403, ExitCode.WRONG_INPUT, r"Access Denied\. \(AccessDenied\)")],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_fails_is_named_and_nothing_changes(
    command: str,
    status: int,
    exit_code: ExitCode,
    words: str,
    s3: tuple[FaultyProxy, Callable[[str], Workshop]],
    ends: Ends,
    record: Record,
) -> None:
    proxy, prepare = s3
    workshop = prepare(f"{command.replace(' ', '-')}-{status}")
    before = workshop.contents()
    methods = ["PUT POST"] if command == "selfplay" else ["GET"] if command == "replay verify" else ["GET", "PUT POST"]
    for method in methods:
        proxy.fault, proxy.refused = fault_of(status, method), 0
        said = workshop.command(command)
        proxy.fault = lambda _method, _path: None
        record(f"S3 answers {status} to {method.replace(' ', ' and ')}", command, said)
        assert proxy.refused > 0
        assert said.exit_code == exit_code, said
        assert re.search(rf"^ringrift {command}: store {workshop.uri}, \S+: .*{words}", said.message), said.message
        assert len(said.message.splitlines()) == 1
        assert workshop.contents() == before
        assert workshop.leftovers() == []
    assert workshop.command(command).exit_code == 0
    assert workshop.contents() == ends[command]
    assert workshop.wrong_objects() == []


@pytest.fixture
def proxy(s3: tuple[FaultyProxy, Callable[[str], Workshop]]) -> Iterator[FaultyProxy]:
    """The proxy of the server; what a test has it do ends with the test."""
    found = s3[0]
    before = dict(vars(found))
    yield found
    vars(found).update(before)


CONDITIONS = [
    ("if-none-match", "If-None-Match on PUT is overlooked there"),
    ("if-match", "If-Match on PUT is overlooked there"),
]


@pytest.mark.parametrize(("header", "words"), CONDITIONS)
def test_a_server_that_overlooks_a_condition_is_refused_before_the_work(
    header: str, words: str, s3: tuple[FaultyProxy, Callable[[str], Workshop]], proxy: FaultyProxy, record: Record
) -> None:
    workshop = s3[1](f"overlooks-{header}")
    before = workshop.contents()
    proxy.overlooked = frozenset({header})
    for command in ("selfplay", "merge"):
        said = workshop.command(command)
        record(f"S3 overlooks {header}", command, said)
        assert said.exit_code == ExitCode.WRONG_INPUT
        assert re.search(rf"^ringrift {command}: store {workshop.uri}: {words}", said.message), said.message
        assert len(said.message.splitlines()) == 1
        # Neither a game nor what was tried is left.
        assert workshop.contents() == before
        assert list(workshop.scratch.rglob("*")) == []


@pytest.mark.parametrize("header", ["if-none-match", "if-match"])
def test_of_promotions_at_once_none_is_told_that_it_won_where_one_would_be_lost(
    header: str, s3: tuple[FaultyProxy, Callable[[str], Workshop]], proxy: FaultyProxy
) -> None:
    workshop = s3[1](f"promotes-{header}")
    proxy.overlooked = frozenset({header})
    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(lambda number: workshop.promote(0, f"at-once-{number}"), range(3)))
    assert [end.exit_code for end in ends] == [ExitCode.WRONG_INPUT] * 3, ends
    proxy.overlooked = frozenset()
    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(lambda number: workshop.promote(0, f"at-once-{number}"), range(3)))
    assert sorted(end.exit_code for end in ends) == [0, ExitCode.WRONG_INPUT, ExitCode.WRONG_INPUT], ends


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("weak ETags", lambda etag: f'W/{etag.removesuffix(QUOTE)}-gzip"', "with the version that was just read"),
        ("no ETags", lambda _etag: None, "the server gives no ETag"),
    ],
)
def test_a_proxy_that_changes_etags_is_refused_before_the_work(
    name: str,
    change: Callable[[str], str | None],
    words: str,
    s3: tuple[FaultyProxy, Callable[[str], Workshop]],
    proxy: FaultyProxy,
    record: Record,
) -> None:
    workshop = s3[1](name.lower().replace(" ", "-"))
    before = workshop.contents()

    def changed(headers: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in headers.items() if name.lower() != "etag"}
        etag = change(headers.get("ETag", QUOTE * 2))
        return kept if etag is None else kept | {"ETag": etag}

    proxy.changed = changed
    said = workshop.command("selfplay")
    record(f"S3 with {name}", "selfplay", said)
    assert said.exit_code == ExitCode.WRONG_INPUT
    assert re.search(rf"^ringrift selfplay: store {workshop.uri}.*{words}", said.message), said.message
    proxy.changed = lambda headers: headers
    assert workshop.contents() == before


def test_a_server_without_conditional_writes_is_refused_and_not_asked_again(
    s3: tuple[FaultyProxy, Callable[[str], Workshop]], proxy: FaultyProxy, record: Record
) -> None:
    """It answers 501, which of the server's errors is the one that does not pass."""
    workshop = s3[1]("not-implemented")
    proxy.fault = lambda method, path: 501 if method == "PUT" and "/probe-" in path else None
    said = workshop.command("selfplay")
    record("S3 answers 501 to PUT", "selfplay", said)
    assert said.exit_code == ExitCode.WRONG_INPUT
    assert re.search(r"implies functionality that is not implemented\. \(NotImplemented\)$", said.message), said.message


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("uploads in parts", lambda method, path: 403 if method == "POST" and "?uploads" in path else None, "Access"),
        ("listing", lambda method, path: 403 if method == "GET" and "list-type" in path else None, "Access"),
        (
            "buckets of this region",
            lambda method, _path: 301 if method == "PUT" else None,
            "a bucket of another region; set AWS_REGION",
        ),
    ],
)
def test_a_server_that_refuses_what_comes_later_is_refused_before_the_work(
    name: str,
    fault: Callable[[str, str], int | None],
    words: str,
    s3: tuple[FaultyProxy, Callable[[str], Workshop]],
    proxy: FaultyProxy,
    record: Record,
) -> None:
    workshop = s3[1](f"refuses-{name.replace(' ', '-')}")
    before = workshop.contents()
    proxy.fault = fault
    said = workshop.command("selfplay")
    proxy.fault = lambda _method, _path: None
    record(f"S3 refuses {name}", "selfplay", said)
    assert said.exit_code == ExitCode.WRONG_INPUT
    assert re.search(words, said.message), said.message
    assert workshop.contents() == before
    assert list(workshop.scratch.rglob("*")) == []


@pytest.mark.parametrize("status", [403, 405])
def test_a_server_that_lets_nobody_delete_is_used(
    status: int, s3: tuple[FaultyProxy, Callable[[str], Workshop]], proxy: FaultyProxy, ends: Ends, record: Record
) -> None:
    workshop = s3[1](f"no-deleting-{status}")
    proxy.fault = lambda method, path: status if method == "DELETE" or "?delete" in path else None
    for command in ("selfplay", "merge", "selfplay"):
        said = workshop.command(command)
        record(f"S3 answers {status} to DELETE", command, said)
        assert said.exit_code == 0, said
    assert proxy.refused > 0
    assert {key for key in workshop.contents() if "probe" in key} == {"square8-2p/probe"}
    found = workshop.contents()
    assert {key: found[key] for key in ends["merge"]} == ends["merge"]


def test_a_write_that_met_another_is_tried_again(
    s3: tuple[FaultyProxy, Callable[[str], Workshop]], proxy: FaultyProxy, ends: Ends, record: Record
) -> None:
    """S3 says 409 when requests meet, whether or not a key is there: none is taken for one that somebody else wrote."""
    workshop = s3[1]("conflicts")
    store = open_store(workshop.uri)
    met: set[str] = set()

    def first_of_each(method: str, path: str) -> int | None:
        key = path.partition("?")[0]
        if method not in ("PUT", "POST") or "?delete" in path or key in met:
            return None
        met.add(key)
        return 409

    proxy.fault = first_of_each
    assert store.create("square8-2p/new", b"x"), "nobody else wrote it"
    assert not store.create("square8-2p/new", b"y")
    store.delete("square8-2p/new")
    said = workshop.command("merge")
    record("S3 answers 409 to the first write of each key", "merge", said)
    assert said.exit_code == 0, said
    assert workshop.contents() == ends["merge"]
    proxy.fault = lambda method, _path: 409 if method in ("PUT", "POST") else None
    with pytest.raises(StoreAwayError, match=r"Try again\. \(ConditionalRequestConflict\)"):
        store.create("square8-2p/never", b"x")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_ACCESS_KEY_ID", "ringrift\n", "AWS_ACCESS_KEY_ID ends with a newline; write it without"),
        ("AWS_SESSION_TOKEN", "token\r\n", "AWS_SESSION_TOKEN ends with a newline; write it without"),
        ("AWS_REGION", "us-east-1 ", "AWS_REGION ends with a blank; write it without"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:99999", "AWS_ENDPOINT_URL is 'http://127.0.0.1:99999', expected"),
        ("AWS_CA_BUNDLE", "/nowhere", "AWS_CA_BUNDLE: /nowhere: No such file or directory"),
    ],
)
@pytest.mark.usefixtures("s3")
def test_a_variable_that_cannot_be_is_named(name: str, value: str, words: str, tmp_path: Path, record: Record) -> None:
    workshop = Workshop("s3://nobody/run", tmp_path / "scratch", {name: value})
    for command in ("selfplay", "replay verify"):
        said = workshop.command(command)
        record(f"{name}={value!r}", command, said)
        assert said.exit_code == ExitCode.WRONG_INPUT
        assert re.search(rf"^ringrift {command}: store s3://nobody\S*: {re.escape(words)}", said.message), said.message
        assert len(said.message.splitlines()) == 1


def test_verify_without_room_for_a_copy_is_not_now(
    s3: tuple[FaultyProxy, Callable[[str], Workshop]], ends: Ends, disk: Path, record: Record
) -> None:
    _, prepare = s3
    workshop = prepare("no-room")
    workshop.scratch = disk
    filler = disk / "filler"
    filler.write_bytes(b"x" * (free_bytes(disk) - 8192))
    said = workshop.command("replay verify")
    record("full scratch disk", "replay verify", said)
    assert said.exit_code == ExitCode.NOT_NOW
    assert re.search(r"^ringrift replay verify: /\S+: No space left on device$", said.message), said.message
    assert workshop.leftovers() == [str(filler)]
    filler.unlink()
    assert workshop.command("replay verify").exit_code == 0
    assert workshop.contents() == ends["replay verify"]
