"""The command line `ringrift-operator`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="ringrift-operator",
    help="Trains RingRift players without rest: in a Kubernetes cluster (run), or on this machine (local).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """The entry point of the console script."""
    app()


@app.command()
def local(
    file: Annotated[Path, typer.Option("--file", "-f", help="YAML with a TrainingPipeline, and WorkerPools if any.")],
    data: Annotated[Path, typer.Option(help="Folder for claims' artifacts and the state.")] = Path("ringrift-data"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of the live view.")] = False,
) -> None:
    """Run a pipeline on this machine, its stages as processes. Ctrl-C stops it; the same command continues."""
    from ringrift_operator.local.command import local as run_local

    raise typer.Exit(run_local(file, data, dry_run=dry_run, plain=plain))
