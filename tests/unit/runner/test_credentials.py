"""A runner's kubeconfig: what is written is read back, and what is none is said."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringrift_operator.kube.client import LoginError
from ringrift_operator.runner.credentials import Access, claims_of, read_kubeconfig


def token(**about: Any) -> str:
    bound = {
        "namespace": "home",
        "serviceaccount": {"name": "ringrift-runner-mac", "uid": "1"},
        "secret": {"name": "ringrift-runner-mac", "uid": "2"},
    }
    payload = {"iat": 1_800_000_000, "exp": 1_800_086_400, "kubernetes.io": {**bound, **about}}
    return f"head.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.tail"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    access = Access("https://api:6443", "-----BEGIN CERTIFICATE-----\nabc\n", "secret", "home")
    path = tmp_path / "kubeconfig"
    path.write_text(access.to_kubeconfig())
    assert read_kubeconfig(path) == access


def test_an_authority_that_this_machine_trusts_need_not_be_named(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(Access("https://api", "", "secret", "home").to_kubeconfig())
    assert read_kubeconfig(path).authority == ""


@pytest.mark.parametrize("content", [None, "", "{", "[1]", "current-context: a", "current-context: a\ncontexts: []"])
def test_what_is_none_is_said_with_what_to_do(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with pytest.raises(LoginError, match=rf"^{path}: .*: write it by `ringrift-operator runner-credentials POOL`"):
        read_kubeconfig(path)


def test_a_token_says_whose_it_is_and_when_to_renew_it() -> None:
    claims = claims_of(token())
    assert (claims.account, claims.secret_uid) == ("ringrift-runner-mac", "2")
    assert claims.renew_at == datetime.fromtimestamp(1_800_043_200, UTC)


@pytest.mark.parametrize("text", ["", "a.b.c", "opaque", token(secret=None)])
def test_another_kind_of_token_is_none_that_can_be_renewed(text: str) -> None:
    with pytest.raises(ValueError, match="not a token of `ringrift-operator runner-credentials`"):
        claims_of(text)
