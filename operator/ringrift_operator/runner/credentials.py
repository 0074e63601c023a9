"""A runner's kubeconfig, as `ringrift-operator runner-credentials` writes it: a server, its authority and a token.

The token is of the pool's own account, bound to a Secret that the pool owns, so that it ends with the pool; it lives
for a day and is renewed in the file at half of its life.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from ringrift_operator.files import replace_file
from ringrift_operator.kube.client import EXPECTED, Client, LoginError, words_of

logger = logging.getLogger(__name__)

LIFE_SECONDS = 24 * 3600
RETRY_SECONDS = 60.0


@dataclass(frozen=True)
class Access:
    """Where the API server is and who we are there."""

    server: str
    authority: str
    """Its certificate authority, as PEM; empty: one that this machine trusts."""
    token: str
    namespace: str
    trust_env: bool = True

    @staticmethod
    def decoded(authority: str | bytes) -> str:
        """PEM as it stands, or in base64."""
        text = authority.decode("ascii") if isinstance(authority, bytes) else authority
        return text if not text or text.startswith("-----BEGIN ") else base64.b64decode(text).decode("ascii")

    def as_ssl_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority or None)

    def as_http_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def to_kubeconfig(self) -> str:
        """The file that `read_kubeconfig` reads; kubectl does, too."""
        cluster: dict[str, str] = {"server": self.server}
        if self.authority:
            cluster["certificate-authority-data"] = base64.b64encode(self.authority.encode()).decode()
        name = "ringrift"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"token": self.token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": self.namespace}}],
            "current-context": name,
        }
        return yaml.safe_dump(content, sort_keys=False)


@dataclass(frozen=True)
class Claims:
    """What a token says of itself; the API server alone knows whether it is true."""

    namespace: str
    account: str
    secret: str
    secret_uid: str
    issued_at: datetime
    expires_at: datetime

    @property
    def renew_at(self) -> datetime:
        return self.issued_at + (self.expires_at - self.issued_at) / 2


def read_kubeconfig(path: Path) -> Access:
    """LoginError, with a sentence, when it is no such file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = _named(content, "context", content["current-context"])
        cluster, user = _named(content, "cluster", context["cluster"]), _named(content, "user", context["user"])
        return Access(
            server=cluster["server"],
            authority=Access.decoded(cluster.get("certificate-authority-data", "")),
            token=user["token"],
            namespace=context.get("namespace", "default"),
        )
    except OSError as error:
        why = error.strerror or "cannot be read"
    except (yaml.YAMLError, KeyError, TypeError, ValueError, StopIteration):
        why = "no kubeconfig with a token"
    raise LoginError(f"{path}: {why}: write it by `ringrift-operator runner-credentials POOL`, with an admin's rights")


def claims_of(token: str) -> Claims:
    """ValueError when it is not a token of a service account that is bound to a Secret."""
    try:
        payload = token.split(".")[1]
        content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        about = content["kubernetes.io"]
        return Claims(
            namespace=about["namespace"],
            account=about["serviceaccount"]["name"],
            secret=about["secret"]["name"],
            secret_uid=about["secret"]["uid"],
            issued_at=datetime.fromtimestamp(content["iat"], UTC),
            expires_at=datetime.fromtimestamp(content["exp"], UTC),
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError("not a token of `ringrift-operator runner-credentials`") from error


async def renewed(client: Client, access: Access) -> Access:
    """The same access with a new token, bound as the one that it has. ValueError as of `claims_of`."""
    claims = claims_of(access.token)
    bound = {"apiVersion": "v1", "kind": "Secret", "name": claims.secret, "uid": claims.secret_uid}
    spec = {"expirationSeconds": LIFE_SECONDS, "boundObjectRef": bound}
    answer = await client.token((claims.namespace, claims.account), spec)
    return Access(access.server, access.authority, answer["token"], access.namespace)


async def keep_renewed(client: Client, path: Path, clock: Callable[[], datetime]) -> None:
    """Renews the token in the file at half of its life, for ever; one that is no such token is left as it is."""
    while True:
        try:
            access = read_kubeconfig(path)
            due = (claims_of(access.token).renew_at - clock()).total_seconds()
            if due <= 0:
                fresh = await renewed(client, access)
                await asyncio.to_thread(replace_file, path, fresh.to_kubeconfig(), is_secret=True)
                logger.info("the token was renewed, until %s", claims_of(fresh.token).expires_at)
                due = (claims_of(fresh.token).renew_at - clock()).total_seconds()
            # In steps: a machine that was asleep does not sleep on.
            await asyncio.sleep(min(max(due, 1.0), timedelta(minutes=10).total_seconds()))
        except ValueError as error:
            logger.warning("the token is not renewed: %s", error)
            return
        except (*EXPECTED, LoginError) as error:
            logger.warning("the token is not renewed yet: %s", words_of(error))
            await asyncio.sleep(RETRY_SECONDS)


def _named(content: Any, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each[kind] for each in content[f"{kind}s"] if each["name"] == name)
    return found
