"""The command line `ringrift-runner`."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ringrift_core import streams
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.runner.settings import HOME, Settings

app = typer.Typer(
    name="ringrift-runner",
    help="Runs stages of a cluster's training pipelines on this machine, which is not in the cluster.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)

POOL = "WorkerPool of type Runner whose tasks this machine takes."
Pool = Annotated[str, typer.Option(help=POOL)]
Folder = Annotated[
    Path | None, typer.Option(help=f"Where this runner keeps its files; omitted: {HOME}/POOL.", show_default=False)
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        help="What `ringrift-operator runner-credentials POOL` has written; omitted: kubeconfig in the folder.",
        show_default=False,
    ),
]


def main() -> None:
    """Runs the command line of this process, and ends it."""
    streams.run("ringrift-runner", app)


def settings_of(pool: str, folder: Path | None, kubeconfig: Path | None) -> Settings:
    place = (folder or HOME / pool).expanduser().absolute()
    return Settings(pool, place, (kubeconfig or place / "kubeconfig").expanduser().absolute())


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"ringrift-runner {version('ringrift-operator')}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog="SIGTERM or Ctrl-C: takes nothing more, lets its stages save, and gives the pool back; a second one waits "
    "for nobody. Exit status: 0 stopped so; 1 it could not begin; 2 wrong input.",
)
def run(
    context: typer.Context,
    pool: Annotated[str | None, typer.Option(help=POOL)] = None,
    folder: Folder = None,
    kubeconfig: Kubeconfig = None,
    cache: Annotated[
        str, typer.Option(help="How much of what was fetched from a bucket is kept, for no object to be fetched twice.")
    ] = "50Gi",
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take tasks of a pool until told to stop."""
    if context.invoked_subcommand is not None:
        return
    if pool is None:
        raise typer.BadParameter("which pool? `kubectl get workerpools` lists them", param_hint="--pool")
    from ringrift_operator.log_format import configure_logging
    from ringrift_operator.runner.service import serve

    try:
        cache_bytes = int(quantity_value(cache))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--cache") from None
    streams.go_on_unheard()
    configure_logging(logging.INFO)
    raise typer.Exit(serve(replace(settings_of(pool, folder, kubeconfig), cache_bytes=cache_bytes)))


@app.command("doctor", epilog="Exit status: 0 all is well, 1 something is not.")
def doctor(
    pool: Pool,
    folder: Folder = None,
    kubeconfig: Kubeconfig = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="Store of a pipeline, to be tried as its stages would; omitted: the pool's artifactsPath.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Look whether this machine can be the runner of a pool, and say what to do where it cannot."""
    from ringrift_operator.runner.doctor import examine

    settings = settings_of(pool, folder, kubeconfig)
    settings.read_environment()
    is_well = examine(settings, store, lambda examined: typer.echo(str(examined)))
    raise typer.Exit(0 if is_well else 1)


@app.command("install")
def install(pool: Pool, folder: Folder = None, kubeconfig: Kubeconfig = None) -> None:
    """Make the runner a service of this user (launchd on macOS, systemd elsewhere), and say how to start it."""
    from ringrift_operator.runner.install import install as write

    settings = settings_of(pool, folder, kubeconfig)
    try:
        service = write(settings)
    except OSError as error:
        typer.echo(f"ringrift-runner install: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{service.path} is written. Variables for the store (AWS_ACCESS_KEY_ID=...) go, a line each, into")
    typer.echo(f"{settings.variables}, which nobody else should be able to read. Then:\n")
    for command in service.commands:
        typer.echo(f"    {command}")
