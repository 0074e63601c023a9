"""What describes an S3 server: the environment's usual variables, checked before the client library sees them.

The library panics at values that it cannot take, and reads variables of its own accord; docs/store.md lists those that
count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ringrift_core.errors import StoreRefusedError

__all__ = ["Server", "read_environment"]


@dataclass(frozen=True)
class Server:
    """An S3 server and who asks it; no keys where a platform lends them, no endpoint for Amazon's."""

    region: str
    endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    certificates: bytes | None = field(default=None, repr=False)
    """PEM of authorities to trust beside the system's."""


_ADDRESSES = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
)

_LENT_CREDENTIALS = {
    "AWS_WEB_IDENTITY_TOKEN_FILE": "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": None,
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}
"""Variables by which a platform lends a Pod or container the credentials of a role, and what each needs beside it."""


def read_environment(uri: str, environment: Mapping[str, str]) -> Server:
    """The server that the environment describes; StoreRefusedError names the store at `uri` and the variable at fault.

    Without credentials it is refused too: the library would ask the instance metadata service, and report its silence.
    """
    for name, value in sorted(environment.items()):
        if name.startswith("AWS_") and (fault := _fault(value)):
            raise StoreRefusedError(
                f"store {uri}: {name} {fault}; write it without (kubectl create secret --from-file keeps the newline "
                "at a file's end, --from-literal has none)"
            )
    for name in _ADDRESSES:
        if (address := environment.get(name)) is not None:
            _check_address(uri, name, address)
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    if not re.fullmatch(r"[A-Za-z0-9._-]+", region):
        raise StoreRefusedError(f"store {uri}: region {region!r} (AWS_REGION) is not letters, digits, . _ and -")
    _check_credentials(uri, environment)
    return Server(
        region=region,
        endpoint=environment.get("AWS_ENDPOINT_URL_S3", environment.get("AWS_ENDPOINT_URL")),
        access_key_id=environment.get("AWS_ACCESS_KEY_ID") or None,
        secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY") or None,
        session_token=environment.get("AWS_SESSION_TOKEN") or None,
        certificates=_certificates(uri, environment.get("AWS_CA_BUNDLE")),
    )


def _fault(value: str) -> str | None:
    """What no value of these variables has, without telling a secret."""
    if value != value.lstrip():
        return f"begins with {_named(value[0])}"
    if value != value.rstrip():
        return f"ends with {_named(value[-1])}"
    odd = next((at for at, letter in enumerate(value) if not letter.isprintable()), None)
    return None if odd is None else f"has {_named(value[odd])} at character {odd + 1}"


def _named(letter: str) -> str:
    names = {"\n": "a newline", "\r": "a carriage return", "\t": "a tab", " ": "a blank"}
    return names.get(letter, f"the character {letter!r}, which cannot be printed")


def _check_address(uri: str, name: str, address: str) -> None:
    """StoreRefusedError unless `address` is one that a request can be sent to."""
    try:
        parts = urlsplit(address)
        port_is_good = parts.port != 0
        host = parts.hostname or ""
    except ValueError:
        port_is_good, host = False, ""
    is_plain = re.fullmatch(r"https?://[\x21-\x7e]+", address) and not re.search(r"[@?#\"<>\\^`{|}]", address)
    if not (is_plain and port_is_good and re.fullmatch(r"[A-Za-z0-9._:-]+", host)):
        # Before an @ there may be a password.
        shown = re.sub(r"//[^/]*@", "//...@", address)
        raise StoreRefusedError(f"store {uri}: {name} is {shown!r}, expected http(s)://host[:port]")


def _check_credentials(uri: str, environment: Mapping[str, str]) -> None:
    relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if relative and not re.fullmatch(r"/[\x21-\x7e]*", relative):
        raise StoreRefusedError(
            f"store {uri}: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is {relative!r}, expected a path that begins with /"
        )
    for lent, beside in _LENT_CREDENTIALS.items():
        if environment.get(lent):
            if beside and not environment.get(beside):
                raise StoreRefusedError(f"store {uri}: {lent} is set, and {beside}, which it needs, is not")
            for name in (lent, beside):
                if name and name.endswith("_TOKEN_FILE"):
                    _check_token(uri, name, Path(environment[name]))
            return
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not environment.get(name)]
    wants_instance_role = environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "false"
    if missing and not (wants_instance_role and len(missing) == 2):
        are_missing = "is not set" if len(missing) == 1 else "are not set"
        profile = "; AWS_PROFILE is not read" if environment.get("AWS_PROFILE") else ""
        raise StoreRefusedError(f"store {uri}: {' and '.join(missing)} {are_missing}{profile}")


def _check_token(uri: str, name: str, path: Path) -> None:
    try:
        fault = _fault(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        fault = "is no text"
    except OSError as error:
        raise StoreRefusedError(f"store {uri}: {name}: {path}: {error.strerror}") from error
    if fault:
        raise StoreRefusedError(f"store {uri}: {name}: {path} {fault}; a token has none")


def _certificates(uri: str, bundle: str | None) -> bytes | None:
    if not bundle:
        return None
    try:
        content = Path(bundle).read_bytes()
    except OSError as error:
        raise StoreRefusedError(f"store {uri}: AWS_CA_BUNDLE: {bundle}: {error.strerror}") from error
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise StoreRefusedError(f"store {uri}: AWS_CA_BUNDLE: {bundle} has no certificate in PEM form in it")
    return content
