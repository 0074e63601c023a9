"""What describes an S3 server: every value is used, or named in a sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringrift_core.errors import StoreError, StoreRefusedError
from ringrift_core.store import open_store
from ringrift_core.store.environment import read_environment
from tests.cluster.object_store import ObjectStore, running_object_store
from tests.cluster.process import free_ports
from tests.cluster.requirement import required_binaries

KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "testing-only"}
CREDENTIALS = (*KEYS, "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")
ADDRESSES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_METADATA_ENDPOINT")


@pytest.fixture(autouse=True)
def _no_other_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SSL_"))]:
        monkeypatch.delenv(name)


def asked(**variables: str) -> None:
    """Asks a server that is not there: it is away, unless the environment is refused before."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", **variables}.items():
            environment.setenv(name, value)
        open_store("s3://games/main").read("a")


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("{}\n", "ends with a newline"),
        ("{}\r\n", "ends with a newline"),
        ("{} ", "ends with a blank"),
        ("\t{}", "begins with a tab"),
        ("\n{}", "begins with a newline"),
        ("a\n{}", "has a newline at character 2"),
        ("{}\x7f", r"has the character '\\x7f', which cannot be printed at character \d+"),
    ],
)
def test_what_kubectl_leaves_at_a_value_is_named_without_the_value(name: str, change: str, words: str) -> None:
    with pytest.raises(
        StoreRefusedError, match=rf"^store s3://games/main: {name} {words}; write it without"
    ) as refusal:
        asked(**{name: change.format("hidden")})
    assert "hidden" not in str(refusal.value)


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "address",
    [
        "http://host:99999",
        "http://host:port",
        "http://[::1",
        "http://a b",
        "http://é.example",
        "http://host?x=1",
        "http://host#f",
        "http://user:hidden@host",
        "host:9000",
        "",
    ],
)
def test_an_address_that_no_request_can_go_to_is_named(name: str, address: str) -> None:
    with pytest.raises(StoreRefusedError, match=rf"^store s3://games/main: {name} is '.*', expected http") as refusal:
        asked(**{name: address})
    assert "hidden" not in str(refusal.value)


@given(
    name=st.sampled_from([*CREDENTIALS, *ADDRESSES]), value=st.text(st.characters(exclude_characters="\0"), max_size=9)
)
@example("AWS_REGION", "us-east-1\u2028")
@example("AWS_ENDPOINT_URL", "http://host:0")
@example("AWS_ENDPOINT_URL", "http://[v1.x]")
@example("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/x{}")
def test_any_value_is_used_or_refused_and_never_a_panic(name: str, value: str) -> None:
    try:
        server = read_environment("s3://games/main", {**KEYS, name: value})
    except StoreRefusedError:
        return
    values = (server.access_key_id, server.secret_access_key, server.session_token, server.region, server.endpoint)
    assert all(one is None or (one.isprintable() and one == one.strip()) for one in values)
    with pytest.raises(StoreError):
        asked(**{"AWS_EC2_METADATA_DISABLED": "true", name: value})


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_SKIP_SIGNATURE": "perhaps"}, r'failed to parse "perhaps" as boolean'),
        ({"AWS_REGION": "us east"}, r"region 'us east' \(AWS_REGION\)"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, "AWS_ROLE_ARN, which it needs, is not"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "arn:x"}, "TOKEN_FILE: /nowhere: No such file"),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "a b"}, "expected a path that begins with /"),
        ({"AWS_CA_BUNDLE": "/nowhere"}, "AWS_CA_BUNDLE: /nowhere: No such file"),
        ({"AWS_CA_BUNDLE": "/etc/hostname"}, "has no certificate in PEM form"),
        ({"SSL_CERT_DIR": "/nowhere"}, "no certificates of authorities here"),
    ],
    ids=str,
)
def test_what_the_client_cannot_take_is_a_sentence(variables: dict[str, str], words: str) -> None:
    with pytest.raises(StoreRefusedError, match=rf"^store s3://games/main.*{words}"):
        asked(**variables)


def test_a_token_that_ends_with_a_newline_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hidden\n")
    with pytest.raises(StoreRefusedError, match=r"TOKEN_FILE: \S+/token ends with a newline"):
        asked(
            AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:9/x",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token"),
        )


def test_the_usual_variables_describe_the_server() -> None:
    environment = {**KEYS, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "http://all"}
    assert read_environment("s3://games", environment).region == "eu-central-1"
    assert read_environment("s3://games", environment).endpoint == "http://all"
    environment |= {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_S3": "http://s3"}
    assert read_environment("s3://games", environment).region == "eu-west-1"
    assert read_environment("s3://games", environment).endpoint == "http://s3"
    assert read_environment("s3://games", KEYS).region == "us-east-1"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("file:///data\n", "no newline or tab in it"),
        ("s3://games/a\tb", "no newline or tab in it"),
        ("s3://games/main ", "no blank at its ends"),
        ("s3://[games", "expected file:///absolute/path or s3://bucket/prefix"),
        ("s3://games/a//b", "a prefix has no empty parts"),
        ("s3://games/../b", "none that is . or .."),
        ("file:///data/%00", "no file's name has %00"),
    ],
)
def test_an_address_of_a_store_is_used_as_it_stands_or_refused(uri: str, words: str) -> None:
    with pytest.raises(StoreRefusedError, match=words):
        open_store(uri)


def test_a_folder_whose_name_is_no_text_is_that_folder(tmp_path: Path) -> None:
    open_store(f"{tmp_path.as_uri()}/%FF").put("a", b"-")
    assert os.listdir(os.fsencode(tmp_path)) == [b"\xff"]  # noqa: PTH208


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ObjectStore, Path]]:
    """A server whose certificate an authority of its own has signed, and that authority's."""
    found, folder = required_binaries("versitygw"), tmp_path_factory.mktemp("private")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=private authority")
    openssl("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *signing, "-out", "server.pem")
    with running_object_store(found, folder, port=free_ports(1)[0], certificate=folder / "server.pem") as server:
        server.create_bucket("games")
        yield server, folder / "ca.pem"


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_authority_is_trusted_where_it_is_named(
    variable: str, private: tuple[ObjectStore, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, authority = private
    for name, value in {**server.environment(), variable: str(authority)}.items():
        monkeypatch.setenv(name, value)
    store = open_store("s3://games/main")
    store.check_writable("square8-2p/tasks/i0001/train.json")
    assert list(store.keys("")) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, r"the server's certificate is refused \(UnknownIssuer\); name the file of the authority's"),
        ({"host": "localhost"}, r"the server's certificate is refused \(NotValidForName"),
    ],
    ids=str,
)
def test_a_refused_certificate_is_named_and_not_asked_again(
    changes: dict[str, str], words: str, private: tuple[ObjectStore, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, authority = private
    url = f"https://{changes.get('host', '127.0.0.1')}:{server.port}"
    trusted: dict[str, Any] = {"AWS_CA_BUNDLE": str(authority)} if changes else {}
    for name, value in {**server.environment(url), **trusted}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreRefusedError, match=rf"^store s3://games/main, a: {words}"):
        open_store("s3://games/main").read("a")


def test_a_server_without_tls_is_named(s3_server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_server.environment(f"https://127.0.0.1:{s3_server.port}").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreRefusedError, match="what answers there speaks no TLS"):
        open_store("s3://games/main").read("a")
