"""An S3 server that answers 500 or 403."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringrift_core.contract import ExitCode
from tests.cluster.object_store import running_object_store
from tests.cluster.process import free_ports
from tests.cluster.requirement import required_binaries
from tests.faults.proxy import FaultyProxy
from tests.faults.workshop import COMMANDS, Ends, Record, Workshop, free_bytes


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultyProxy, Callable[[str], Workshop]]]:
    """A real S3 server behind a faulty proxy, and a maker of stores on it, prepared like the others."""
    found = required_binaries("versitygw")
    folder = tmp_path_factory.mktemp("s3")
    with (
        running_object_store(found, folder, port=free_ports(1)[0]) as server,
        FaultyProxy(server.url) as proxy,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in server.environment(proxy.url).items():
            environment.setenv(name, value)

        def prepared(bucket: str) -> Workshop:
            server.create_bucket(bucket)
            workshop = Workshop(f"s3://{bucket}/run", folder / f"scratch-{bucket}")
            workshop.prepare()
            return workshop

        yield proxy, prepared


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
