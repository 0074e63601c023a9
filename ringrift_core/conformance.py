"""`ringrift conform`: replays recorded games and hand-made positions, and compares everything at every step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ringrift_core import _engine
from ringrift_core.contract import ExitCode, Profile

SUFFIXES = (".jsonl", ".jsonl.gz")


def conform(
    paths: Annotated[list[Path], typer.Argument(help="Trace files (.jsonl, .jsonl.gz), position files, or folders.")],
    profile: Annotated[Profile, typer.Option(help="Which reading of the rules the traces follow.")] = Profile.CANONICAL,
) -> None:
    """Replay traces: at every step the legal list, the mover, the phase and the whole state must be equal.

    Ends with one JSON line of counts. Exit status 1 when anything differs, 2 when the input cannot be read.
    """
    try:
        report = _engine.conform([str(file) for file in trace_files(paths)], profile.value)
    except (_engine.RulesError, FileNotFoundError) as error:
        typer.echo(f"ringrift conform: {error}", err=True)
        raise typer.Exit(ExitCode.WRONG_INPUT) from None
    if report.first_mismatch is not None:
        typer.echo(report.first_mismatch)
    counts = {name: getattr(report, name) for name in ("games", "steps", "positions", "mismatches")}
    typer.echo(json.dumps(counts, separators=(",", ":")))
    if report.mismatches:
        raise typer.Exit(1)


def trace_files(paths: Sequence[Path]) -> list[Path]:
    """Every trace file named or lying in a named folder, at any depth, in order; FileNotFoundError says what is missing."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.name.endswith(SUFFIXES))
            if not found:
                raise FileNotFoundError(f"{path}: no {' or '.join(SUFFIXES)} file in this folder")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(f"{path}: no such file or folder")
    return files
