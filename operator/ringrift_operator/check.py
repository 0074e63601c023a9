"""`ringrift-operator check`: whether this cluster has what the operator needs; `helm test` runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import typer

from ringrift_operator.api.base import SCHEMA_VERSION
from ringrift_operator.kube.client import EXPECTED, Client, LoginError, words_of
from ringrift_operator.kube.connection import login
from ringrift_operator.kube.rights import refused
from ringrift_operator.kube.schemas import unfit_schemas


def check(namespaces: tuple[str, ...]) -> int:
    """Prints a line for the CRDs and one for the rights; the exit status, 1 when something is missing."""
    try:
        crds, missing = asyncio.run(_asked(namespaces or ("",)))
    except (*EXPECTED, LoginError) as error:
        typer.echo(f"ringrift-operator check: {words_of(error)}", err=True)
        return 1
    places = ", ".join(namespaces) or "all namespaces"
    _tell("CRDs", f"there, of schema {SCHEMA_VERSION} or a later minor one", [crds] if crds else [])
    _tell("rights", f"all there in {places}", [f"may not {each}" for each in missing])
    return 1 if crds or missing else 0


async def _asked(namespaces: tuple[str, ...]) -> tuple[str, list[str]]:
    async with Client(login) as client:
        return await unfit_schemas(client), await refused(client, namespaces)


def _tell(what: str, good: str, faults: Iterable[str]) -> None:
    typer.echo(f"{what}: {'; '.join(faults) or good}")
