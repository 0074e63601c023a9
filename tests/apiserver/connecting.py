"""Connections of the tests' own process to the control plane."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

import kopf

from tests import patience
from tests.cluster.control_plane import ControlPlane


def login_to(kubeconfig: Path, port: int | None = None) -> Callable[[], kopf.ConnectionInfo]:
    """The operator's `login` for this kubeconfig, by another local port when given."""
    with patch.dict(os.environ, {"KUBECONFIG": str(kubeconfig)}):
        info = kopf.login_with_kubeconfig(settings=kopf.OperatorSettings())
    assert info is not None
    if port is not None:
        info = dataclasses.replace(info, server=f"https://127.0.0.1:{port}")
    return lambda: info


def port_of(control_plane: ControlPlane) -> int:
    port = urlsplit(control_plane.server).port
    assert port is not None
    return port


async def eventually(condition: Callable[[], object]) -> None:
    """Returns when the condition holds; fails when patience is at its end."""
    async with asyncio.timeout(patience.SECONDS):
        while not condition():
            await asyncio.sleep(0.02)
