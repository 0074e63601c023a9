"""`ringrift conform`: replays recorded games and hand-made positions, and compares everything at every step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ringrift_core.contract import ExitCode, Profile

__all__ = ["conform"]

_Paths = Annotated[list[Path], typer.Argument(help="Trace and position files (.jsonl, .jsonl.gz), or folders.")]
_Profile = Annotated[Profile, typer.Option(help="Which reading of the rules the files follow.")]


def conform(paths: _Paths, profile: _Profile = Profile.CANONICAL) -> None:
    """Replay traces: at every step the legal moves, the mover, the phase and the whole state must be equal.

    The last line is JSON: {"games":N,"steps":N,"positions":N,"mismatches":N}. The first difference is printed before it
    and makes the exit status 1. Paths that cannot be read are named on stderr and make it 2; the others are replayed.
    """
    from ringrift_core import _engine

    report = _engine.conform([str(path) for path in paths], profile.value)
    for sentence in report.unreadable:
        typer.echo(f"ringrift conform: {sentence}", err=True)
    if report.first_mismatch is not None:
        typer.echo(report.first_mismatch)
    counts = {name: getattr(report, name) for name in ("games", "steps", "positions", "mismatches")}
    typer.echo(json.dumps(counts, separators=(",", ":")))
    if report.unreadable:
        raise typer.Exit(ExitCode.WRONG_INPUT)
    if report.mismatches:
        raise typer.Exit(1)
