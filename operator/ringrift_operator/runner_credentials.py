"""`ringrift-operator runner-credentials POOL`: lets one machine outside the cluster be the runner of one pool."""

from __future__ import annotations

import asyncio
from pathlib import Path

import kopf
import typer

from ringrift_operator.api.pool import PoolType
from ringrift_operator.builders.lease import RUNNER
from ringrift_operator.builders.runner_account import runner_account
from ringrift_operator.files import replace_file
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, LoginError, words_of
from ringrift_operator.kube.connection import login
from ringrift_operator.kube.resource import (
    POOLS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Key,
    Object,
    uid_of,
)
from ringrift_operator.runner.credentials import LIFE_SECONDS, Access

_RESOURCES = {"ServiceAccount": SERVICE_ACCOUNTS, "Secret": SECRETS, "Role": ROLES, "RoleBinding": ROLE_BINDINGS}
NEXT_STEPS = """\
{path} lets one machine be the runner of pool {pool}. It holds a token of {hours} hours, which the runner renews; it
ends with the pool, and `kubectl -n {namespace} delete secret {account}` ends it at once. On that machine:

    pip install 'ringrift-operator[runner]'
    mkdir -p ~/.ringrift-runner/{pool} && mv {path} ~/.ringrift-runner/{pool}/kubeconfig
    ringrift-runner doctor --pool {pool}
    ringrift-runner install --pool {pool}"""


class RefusedError(Exception):
    """Why there are no credentials, as a sentence."""


def runner_credentials(pool: str, namespace: str, output: Path | None, server: str | None) -> int:
    """Writes a kubeconfig, and says what to do with it; the exit status."""
    path = output or Path(f"{pool}.kubeconfig")
    try:
        access = asyncio.run(_granted((namespace, pool), server))
        replace_file(path, access.to_kubeconfig(), is_secret=True)
    except (*EXPECTED, LoginError, RefusedError) as error:
        typer.echo(f"ringrift-operator runner-credentials: {words_of(error)}", err=True)
        return 1
    hours, account = LIFE_SECONDS // 3600, RUNNER + pool
    typer.echo(NEXT_STEPS.format(path=path, pool=pool, namespace=namespace, hours=hours, account=account))
    return 0


async def _granted(pool: Key, server: str | None) -> Access:
    info = login()
    async with Client(lambda: info) as client:
        token = await granted(client, pool)
    return Access(server or info.server, _authority(info), token, pool[0])


async def granted(client: Client, pool: Key) -> str:
    """A token for the runner of a pool, whose account is made where it is not there. RefusedError."""
    found = await client.get(POOLS, pool)
    if found is None:
        raise RefusedError(f"there is no WorkerPool {pool[1]} in namespace {pool[0]} (kubectl get workerpools -A)")
    if found["spec"]["type"] != PoolType.RUNNER:
        raise RefusedError(f"pool {pool[1]} is of type {found['spec']['type']}: its tasks are Jobs, and need no runner")
    made = {manifest["kind"]: await _ensured(client, manifest) for manifest in runner_account(found["metadata"])}
    name = RUNNER + pool[1]
    bound = {"apiVersion": "v1", "kind": "Secret", "name": name, "uid": uid_of(made["Secret"])}
    spec = {"expirationSeconds": LIFE_SECONDS, "boundObjectRef": bound}
    token: str = (await client.token((pool[0], name), spec))["token"]
    return token


async def _ensured(client: Client, manifest: Object) -> Object:
    """Creates an object; a Role that an earlier version has made is brought up to date."""
    resource, metadata = _RESOURCES[manifest["kind"]], manifest["metadata"]
    try:
        return await client.create(resource, manifest)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
    found = await client.get(resource, (metadata["namespace"], metadata["name"]))
    if found is None or metadata["ownerReferences"] != found["metadata"].get("ownerReferences"):
        raise RefusedError(
            f"{resource.plural}/{metadata['name']} is there and not of this pool: delete it, or wait until it has gone"
        )
    if manifest["kind"] != "Role" or found["rules"] == manifest["rules"]:
        return found
    return await client.replace(resource, {**found, "rules": manifest["rules"]})


def _authority(info: kopf.ConnectionInfo) -> str:
    """The certificate authority of the API server, as PEM."""
    if info.ca_path:
        return Path(str(info.ca_path)).read_text(encoding="ascii")
    return Access.decoded(info.ca_data) if info.ca_data else ""
