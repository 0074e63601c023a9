"""`ringrift check-store`: whether a store can be reached, and keeps what is promised of it."""

from __future__ import annotations

from typing import Annotated

import typer

from ringrift_core.errors import StoreError
from ringrift_core.store.addresses import open_store

__all__ = ["check_store"]

FOLDER = "trial"

_Store = Annotated[str, typer.Option(help="Store such as s3://bucket/prefix; empty: says that none was tried.")]


def check_store(store: _Store = "") -> None:
    """Try a store before work is put into it: write an object, read it, change it, remove it.

    Says what is missing, and ends as a stage would: 0 all there, 2 the store refuses or overlooks something, 75 it is
    away now.
    """
    if not store:
        typer.echo("store: not tried, since none was named (--store; of the chart: test.artifacts.uri)")
        return
    try:
        open_store(store).check_writable(f"{FOLDER}/object")
    except StoreError as error:
        typer.echo(f"ringrift check-store: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    typer.echo(f"store: {store} was written, read, changed and cleared")
