"""`ringrift-operator`: the operator in a cluster (`run`)."""

from __future__ import annotations

import enum
import logging
from pathlib import Path
from typing import Annotated

import typer

from ringrift_operator.builders.release import Release
from ringrift_operator.log_format import configure_logging

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


class LogLevel(enum.StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@app.callback()
def ringrift_operator() -> None:
    """Trains RingRift players without rest."""


@app.command()
def run(
    namespace: Annotated[
        list[str] | None, typer.Option(help="Namespace to look after, repeated for several; omitted: all.")
    ] = None,
    release: Annotated[
        Path | None, typer.Option(help="YAML file with images and what light stages get; omitted: defaults.")
    ] = None,
    lease_namespace: Annotated[
        str | None, typer.Option(help="Where the operator's Lease lies; omitted: its own namespace.")
    ] = None,
    identity: Annotated[str | None, typer.Option(help="Name that holds the Lease; omitted: the Pod's name.")] = None,
    port: Annotated[int, typer.Option(help="Of /healthz, /readyz and /metrics; 0 takes a free one.")] = 8080,
    log_level: Annotated[LogLevel, typer.Option(help="What is logged.")] = LogLevel.INFO,
) -> None:
    """Run the operator: in a Pod by its service account, elsewhere by the kubeconfig."""
    from ringrift_operator.run import Options, run  # kopf and kubernetes take a second to import: only here

    try:
        settings = Release.read(release) if release else Release()
    except ValueError as error:
        typer.echo(f"ringrift-operator: {error}", err=True)
        raise typer.Exit(2) from error
    configure_logging(getattr(logging, log_level.value.upper()))
    options = Options(settings, tuple(namespace or ()), lease_namespace, identity, port=port)
    raise typer.Exit(run(options))


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
