"""Configurations as people name them on a command line."""

from __future__ import annotations

import re

import typer

from ringrift_core.contract import Board


def configuration_of(text: str) -> tuple[Board, int]:
    """Board and players of a name such as square8-2p; BadParameter when it is none."""
    found = re.fullmatch(r"([a-z0-9]+)-([234])p", text)
    if found is None or found[1] not in tuple(Board):
        raise typer.BadParameter(f"{text!r}: expected a configuration such as square8-2p")
    return Board(found[1]), int(found[2])
