from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ringrift_core.errors import StoreAwayError, StoreError, StoreRefusedError
from ringrift_core.store import LocalStore, Store, open_store


def test_what_is_put_is_read_back(store: Store) -> None:
    store.put("a/b.json", b"one")
    store.put("a/b.json", b"two")
    found = store.read("a/b.json")
    assert found is not None
    assert found.content == b"two"


def test_an_absent_key_reads_as_none(store: Store, tmp_path: Path) -> None:
    assert store.read("a/b.json") is None
    assert store.download("a/b.json", tmp_path / "copy") is None
    assert list(store.keys("")) == []


def test_large_files_go_up_and_come_down_whole(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(12_000_000))
    store.upload("objects/large.npz", source)
    digest = store.download("objects/large.npz", tmp_path / "copy")
    assert digest == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


def test_create_leaves_what_was_there(store: Store) -> None:
    assert store.create("tasks/merge.json", b"first")
    assert not store.create("tasks/merge.json", b"second")
    found = store.read("tasks/merge.json")
    assert found is not None
    assert found.content == b"first"


def test_swap_writes_only_over_the_version_that_was_read(store: Store) -> None:
    assert store.swap("registry.json", b"1", None)
    assert not store.swap("registry.json", b"1b", None)
    read = store.read("registry.json")
    assert read is not None
    assert store.swap("registry.json", b"2", read.version)
    assert not store.swap("registry.json", b"3", read.version)
    now = store.read("registry.json")
    assert now is not None
    assert now.content == b"2"


def test_of_many_writers_at_once_each_swap_counts(store: Store) -> None:
    """Every writer adds one to a counter until it succeeded five times: no addition may be lost."""
    store.put("counter", b"0")
    barrier = threading.Barrier(4)

    def add_five() -> None:
        barrier.wait()
        done = 0
        while done < 5:
            read = store.read("counter")
            assert read is not None
            done += store.swap("counter", str(int(read.content) + 1).encode(), read.version)

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(add_five) for _ in range(4)]:
            future.result()
    found = store.read("counter")
    assert found is not None
    assert found.content == b"20"


def test_keys_are_listed_in_order_below_a_prefix(store: Store) -> None:
    for key in ("t/i0002/merge.json", "t/i0001/train.json", "t/i0001/merge.json", "other/x.json"):
        store.put(key, b"-")
    assert list(store.keys("t/")) == ["t/i0001/merge.json", "t/i0001/train.json", "t/i0002/merge.json"]
    assert list(store.keys("t/i0001/m")) == ["t/i0001/merge.json"]
    assert list(store.keys("")) == ["other/x.json", "t/i0001/merge.json", "t/i0001/train.json", "t/i0002/merge.json"]
    assert list(store.keys("t/i00")) == ["t/i0001/merge.json", "t/i0001/train.json", "t/i0002/merge.json"]


def test_folders_are_listed_without_what_lies_in_them(store: Store) -> None:
    assert store.folders("t/") == []
    for key in ("t/i0002/a/b.json", "t/i0001/train.json", "t/i0001/merge.json", "t/loose.json", "other/x.json"):
        store.put(key, b"-")
    assert store.folders("t/") == ["i0001", "i0002"]
    assert store.folders("t/i0001/") == []


def test_deleting_is_repeatable(store: Store) -> None:
    store.put("a", b"-")
    store.delete("a")
    store.delete("a")
    assert store.read("a") is None


@pytest.mark.parametrize("uri", ["", "data", "/data", "http://host/x", "s3://", "file://host/data", "file:data"])
def test_an_unknown_address_is_refused(uri: str) -> None:
    with pytest.raises(StoreRefusedError, match="expected file:///absolute/path or s3://bucket/prefix"):
        open_store(uri)


@pytest.mark.parametrize("uri", ["s3://key:hidden@games/main", "s3://key:hid/den@games", "https://key@host/hidden"])
def test_credentials_in_an_address_are_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(
        StoreRefusedError, match=r"^store '(s3|https)://\.\.\.': an address has no credentials"
    ) as refusal:
        open_store(uri)
    assert not {"hid", "key", "den", "games"} & set(re.findall(r"\w+", str(refusal.value)))


def test_an_at_sign_in_a_folders_name_is_none() -> None:
    open_store("file:///home/someone@work/a:b")


@pytest.mark.parametrize(
    "uri", ["file:///data/run#1", "file:///data/run?1", "s3://ringrift/run#1", "file:///data/run#"]
)
def test_an_address_that_would_be_cut_short_is_refused(uri: str) -> None:
    with pytest.raises(StoreRefusedError, match=r"\? and # end an address"):
        open_store(uri)


def test_a_folder_may_have_any_name_in_its_encoded_form(tmp_path: Path) -> None:
    open_store((tmp_path / "run#1?").as_uri()).put("a", b"-")
    assert (tmp_path / "run#1?" / "a").exists()


@pytest.mark.parametrize("bucket", ["UPPER", "ab", "-x-", "under_score", "x" * 64])
def test_a_name_that_no_bucket_can_have_is_refused(bucket: str) -> None:
    with pytest.raises(StoreRefusedError, match=f"bucket '{bucket}' is not 3 to 63 lower-case"):
        open_store(f"s3://{bucket}/main")


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "testing-only"}


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def metadata_service(no_credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:  # noqa: ARG001
    """Requests to an instance metadata service that knows no role."""
    asked: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_GET(self) -> None:
            self.do_PUT()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever).start()
        yield asked
        server.shutdown()


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize("endpoint", ["garbage", "", "localhost:9000", "ftp://host", "http://"])
def test_an_endpoint_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        StoreRefusedError, match=f"store s3://ringrift/main: AWS_ENDPOINT_URL is '{endpoint}', expected"
    ):
        open_store("s3://ringrift/main").read("a")


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
        ({"AWS_ACCESS_KEY_ID": "x"}, "AWS_SECRET_ACCESS_KEY is not set"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "x"}, "AWS_ACCESS_KEY_ID is not set"),
        ({"AWS_ACCESS_KEY_ID": "x", "AWS_EC2_METADATA_DISABLED": "false"}, "AWS_SECRET_ACCESS_KEY is not set"),
        ({"AWS_EC2_METADATA_DISABLED": "true"}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
    ],
)
def test_missing_credentials_are_named_and_nobody_is_asked_for_them(
    monkeypatch: pytest.MonkeyPatch, metadata_service: list[str], given: dict[str, str], said: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreRefusedError, match=f"store s3://ringrift/main: {said}"):
        open_store("s3://ringrift/main").read("a")
    assert metadata_service == []


@pytest.mark.usefixtures("no_credentials")
def test_an_instance_role_is_used_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, metadata_service: list[str]
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    with pytest.raises(StoreError, match="s3://ringrift/main"):
        open_store("s3://ringrift/main").read("a")
    assert metadata_service


@pytest.mark.parametrize("key", ["../x", "a//b", ".hidden", "a/.locks/b", "/etc/passwd"])
def test_a_key_cannot_leave_its_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(StoreRefusedError, match="dotted parts"):
        LocalStore(tmp_path).put(key, b"-")


def test_an_interrupted_write_leaves_nothing_that_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)
    store.put("objects/a", b"before")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreAwayError, match="No space left on device"):
        store.put("objects/a", b"after")
    found = store.read("objects/a")
    assert found is not None
    assert found.content == b"before"
    assert list(store.keys("")) == ["objects/a"]
    assert list((tmp_path / ".partial").iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(StoreRefusedError, match="Not a directory"):
        LocalStore(tmp_path / "store").put("a/b", b"-")


def test_asking_whether_a_store_can_be_written_leaves_nothing(store: Store) -> None:
    store.check_writable("tasks/i0001/train.json")
    store.put("tasks/i0001/train.json", b"-")
    store.check_writable("tasks/i0001/train.json")
    found = store.read("tasks/i0001/train.json")
    assert found is not None
    assert found.content == b"-"
    assert list(store.keys("")) == ["tasks/i0001/train.json"]


@pytest.mark.parametrize(("folder", "said"), [("/proc/nobody/store", "No such file"), ("/dev/null/store", "Not a dir")])
def test_a_folder_that_cannot_be_made_is_refused(folder: str, said: str) -> None:
    store = open_store(f"file://{folder}")
    for write in (store.check_writable, lambda key: store.put(key, b"-")):
        with pytest.raises(StoreRefusedError, match=said):
            write("tasks/i0001/train.json")


def test_a_server_that_does_not_answer_is_away(s3_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreAwayError, match=s3_uri):
        open_store(s3_uri).read("a")


@pytest.mark.usefixtures("s3_server")
def test_a_missing_bucket_is_refused_not_read_as_empty() -> None:
    store = open_store("s3://no-such-bucket/main")
    with pytest.raises(StoreRefusedError, match="NoSuchBucket"):
        store.read("a")
    with pytest.raises(StoreRefusedError, match="NoSuchBucket"):
        store.put("a", b"-")
    with pytest.raises(StoreRefusedError, match="NoSuchBucket"):
        list(store.keys("a/"))


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "nobody", "No user exists|InvalidAccessKeyId"),
    ],
)
def test_wrong_credentials_are_refused(
    s3_uri: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(StoreRefusedError, match=said):
        open_store(s3_uri).read("a")


@pytest.fixture
def bare_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Answers as AWS does: conditional writes where no value lies by 404, not 412; DeleteObjects by 200 and a code.

    The code is the last that is put in the list.
    """
    codes: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>said so</Message></Error>")

        def do_POST(self) -> None:
            error = f"<Error><Key>main/a</Key><Code>{codes[-1]}</Code><Message>said so</Message></Error>"
            self._answer(200, f"<DeleteResult>{error}</DeleteResult>".encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        threading.Thread(target=server.serve_forever).start()
        yield codes
        server.shutdown()


@pytest.mark.usefixtures("bare_aws")
def test_a_version_of_a_value_that_is_gone_is_another_version() -> None:
    store = open_store("s3://ringrift/main")
    assert not store.swap("registry.json", b"1", '"old"')


@pytest.mark.parametrize(("code", "gone"), [("NoSuchKey", True), ("AccessDenied", False), ("MethodNotAllowed", False)])
def test_a_key_that_is_not_deleted_is_told_from_one_that_another_deleted(
    bare_aws: list[str], code: str, gone: bool
) -> None:
    bare_aws.append(code)
    assert open_store("s3://ringrift/main").delete("a") == gone


def test_a_server_that_cannot_delete_now_is_asked_again_later(bare_aws: list[str]) -> None:
    bare_aws.append("InternalError")
    with pytest.raises(StoreAwayError, match="said so"):
        open_store("s3://ringrift/main").delete("a")
