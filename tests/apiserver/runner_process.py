"""A runner as its machine runs it: `ringrift-runner` in a process of its own, at five times its pace."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ringrift_core.contract import CONTRACT_VERSION
from ringrift_operator.kube.client import Client
from ringrift_operator.runner.credentials import Access
from ringrift_operator.runner_credentials import granted
from tests import patience
from tests.apiserver.connecting import login_to
from tests.cluster.control_plane import ControlPlane

FASTER = 5
"""How much faster than in earnest everything that is told in seconds goes, here and in SILENCE."""

SILENCE = f"""
from ringrift_operator.domain import silence
silence.LOST_SECONDS /= {FASTER}
"""
"""Before the operator's entry: it takes a runner for lost after twelve seconds."""

ENTRY = f"""
import json, logging, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ringrift_operator.log_format import configure_logging
from ringrift_operator.runner import presence
from ringrift_operator.runner.service import serve
from ringrift_operator.runner.settings import Pace, Settings

presence.SECONDS //= {FASTER}
asked = json.loads(sys.argv[1])
presence.CONTRACT_VERSION = asked["contract"]
configure_logging(logging.DEBUG)
sys.exit(serve(Settings(
    asked["pool"],
    Path(asked["folder"]),
    Path(asked["kubeconfig"]),
    program=asked["program"],
    pace=Pace(**asked["pace"]),
    clock=lambda: datetime.now(UTC) + timedelta(seconds=asked["clock_off"]),
)))
"""

PACE = {"heartbeat": 2.0, "progress": 0.5, "retries": [0.1, 0.2, 0.5], "grace": 20.0, "farewell": 10.0}


def access_for(control_plane: ControlPlane, namespace: str, pool: str) -> Access:
    """As `ringrift-operator runner-credentials` grants it."""

    async def grant() -> str:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            return await granted(client, (namespace, pool))

    authority = control_plane.authority.certificate.read_text()
    return Access(control_plane.server, authority, asyncio.run(grant()), namespace, trust_env=False)


class RunnerProcess:
    """Starts, stops and kills one runner."""

    def __init__(
        self,
        access: Access,
        folder: Path,
        pool: str,
        program: Sequence[str],
        *,
        server: str = "",
        clock_off: float = 0,
        contract: str = CONTRACT_VERSION,
        **pace: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.log = folder, folder / "runner.log"
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(replace(access, server=server or access.server).to_kubeconfig())
        self._asked = {
            "pool": pool,
            "folder": str(folder),
            "kubeconfig": str(kubeconfig),
            "program": list(program),
            "pace": {**PACE, **pace},
            "clock_off": clock_off,
            "contract": contract,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self.stop()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running, "one at a time: the earlier would be left behind"
        # It dies with the tests, however those end.
        bound = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*bound, sys.executable, "-P", "-c", ENTRY, json.dumps(self._asked)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    def ask_to_stop(self) -> None:
        """SIGTERM, as launchd and systemd send it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        self.ask_to_stop()
        return self.wait()

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(patience.SECONDS)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def said(self) -> str:
        return self.log.read_text()
