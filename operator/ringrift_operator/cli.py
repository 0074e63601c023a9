"""The command line `ringrift-operator`."""

from __future__ import annotations

import enum
import logging
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ringrift_core import streams
from ringrift_operator.local.invocation import DATA_FOLDER


class LogLevel(enum.StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


app = typer.Typer(
    name="ringrift-operator",
    help="Trains RingRift players without rest: in a Kubernetes cluster (run), or on this machine (local).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # In rich's columns names and words are cut where there is little room, and text in brackets is taken for markup.
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)


EXIT_STATUSES = (
    "Exit status: 0 complete or suspended; 1 at a standstill, or a track failed in the last iteration, "
    "the last lines say why; "
    "2 wrong input, nothing was run; 130 stopped by Ctrl-C, SIGTERM or the end of its terminal, the same command "
    "continues."
)


def main() -> None:
    """Runs the command line of this process, and ends it."""
    streams.run("ringrift-operator", app)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"ringrift-operator {version('ringrift-operator')}")
        raise typer.Exit


def _needs_a_cluster(command: str) -> None:
    """Ends the command with a sentence where what talks to a cluster is not installed: `local` needs none of it."""
    try:
        import kopf  # noqa: F401
    except ImportError:
        said = "it talks to a cluster: pip install 'ringrift-operator[cluster,kubeconfig]'"
        typer.echo(f"ringrift-operator {command}: {said}", err=True)
        raise typer.Exit(2) from None


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program as a whole."""


@app.command(epilog=EXIT_STATUSES)
def local(
    file: Annotated[
        list[Path],
        typer.Option(
            "--file",
            "-f",
            metavar="PATH",
            help="YAML or JSON with a TrainingPipeline, and WorkerPools if any; a folder of such files; - is standard "
            "input. Several times for several.",
        ),
    ],
    data: Annotated[Path, typer.Option(help="Folder for claims' artifacts and the state.")] = DATA_FOLDER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of the live view.")] = False,
) -> None:
    """Run a pipeline on this machine, its stages as processes. Ctrl-C stops it; the same command continues."""
    from ringrift_operator.local.command import local as run_local

    streams.go_on_unheard()
    raise typer.Exit(run_local(file, data, dry_run=dry_run, plain=plain))


@app.command()
def run(
    release: Annotated[
        Path | None, typer.Option(help="The release's settings (images, light stages); omitted: the defaults.")
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="Namespace to look after, several times for several; omitted: all.")
    ] = None,
    lease_namespace: Annotated[
        str | None,
        typer.Option(help="Where the Lease lies of an operator for all namespaces; omitted: beside the operator."),
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="Name that holds the Lease; omitted: the Pod's, or host and process.")
    ] = None,
    release_name: Annotated[
        str, typer.Option(help="Namespace and name of the Helm release, which its Leases tell other releases.")
    ] = "",
    address: Annotated[str, typer.Option(help="Where /healthz, /readyz and /metrics listen.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(help="Their port; 0 takes a free one.")] = 8080,
    log_level: Annotated[LogLevel, typer.Option(help="From which level on the operator logs.")] = LogLevel.INFO,
) -> None:
    """Run the operator against the cluster of the kubeconfig, or of the Pod it runs in."""
    _needs_a_cluster("run")
    from ringrift_operator.builders.release import Release
    from ringrift_operator.log_format import configure_logging
    from ringrift_operator.run import Options
    from ringrift_operator.run import run as run_operator

    try:
        settings = Release.read(release) if release is not None else Release()
    except ValueError as error:
        typer.echo(f"ringrift-operator run: {error}", err=True)
        raise typer.Exit(2) from None
    configure_logging(logging.getLevelNamesMapping()[log_level.upper()])
    options = Options(settings, tuple(namespace or ()), lease_namespace, identity, address, port, release_name)
    raise typer.Exit(run_operator(options))


@app.command()
def check(
    namespace: Annotated[
        list[str] | None, typer.Option(help="Namespace looked after, several times for several; omitted: all.")
    ] = None,
) -> None:
    """Ask the cluster whether CRDs and rights are what the operator needs; exit status 1 when something is missing."""
    _needs_a_cluster("check")
    from ringrift_operator.check import check as check_cluster

    raise typer.Exit(check_cluster(tuple(namespace or ())))


@app.command("runner-credentials")
def runner_credentials(
    pool: Annotated[str, typer.Argument(help="WorkerPool of type Runner.")],
    namespace: Annotated[str, typer.Option(help="Where the pool is.")] = "ringrift",
    output: Annotated[
        Path | None, typer.Option(help="File to write; omitted: POOL.kubeconfig.", show_default=False)
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="Where that machine reaches the API server; omitted: as we do.", show_default=False),
    ] = None,
) -> None:
    """Write a kubeconfig by which a machine outside the cluster can be a pool's runner (ringrift-runner)."""
    _needs_a_cluster("runner-credentials")
    from ringrift_operator.runner_credentials import runner_credentials as write_credentials

    raise typer.Exit(write_credentials(pool, namespace, output, server))
