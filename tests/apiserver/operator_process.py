"""The operator as users run it: `ringrift-operator run` in a process of its own, outside of the cluster."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests import patience

RELEASE = {
    "workerImage": "ringrift-worker:test",
    "trainerImage": "ringrift-trainer:test",
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecrets": [],
    "lightStages": {"image": "ringrift-worker:test", "resources": {"cpu": "1", "memory": "1Gi"}, "podTemplate": {}},
}


class OperatorProcess:
    """Starts, stops and kills one operator; its log is a file of JSON lines."""

    def __init__(
        self, kubeconfig: Path, directory: Path, *arguments: str, before: str = "", service_account: str = "default"
    ) -> None:
        """`before` is run in its process before everything else; `service_account` is of the Jobs' Pods."""
        self._kubeconfig, self._directory, self._arguments = kubeconfig, directory, arguments
        self._before = before
        directory.mkdir(parents=True, exist_ok=True)
        self._release = directory / "release.yaml"
        self._release.write_text(yaml.safe_dump({**RELEASE, "serviceAccount": service_account}))
        self.log = directory / "operator.log"
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

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def records(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def fetch(self, path: str) -> str:
        """What its HTTP endpoint answers: /metrics is what Prometheus would read."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def start(self) -> None:
        """Starts it; its name for the Lease stays the same, as a Pod's does when its container restarts."""
        assert not self.is_running, "one at a time: the earlier would be left behind"
        # It dies with the tests, however those end.
        bound = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []
        entry = f"{self._before}\nfrom ringrift_operator.cli import main; main()"
        command = [*bound, sys.executable, "-P", "-c", entry, "run", "--port=0", f"--release={self._release}"]
        if not any(each.startswith("--identity") for each in self._arguments):
            command.append("--identity=test-operator")
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._arguments],
                env={**environment, "KUBECONFIG": str(self._kubeconfig)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> int:
        """SIGTERM, as a kubelet sends it; the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(patience.SECONDS)

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        assert self._process is not None
        self._process.kill()

    def wait(self) -> int:
        """The exit status, once it has ended by itself."""
        assert self._process is not None
        return self._process.wait(patience.SECONDS)

    @property
    def port(self) -> int:
        """Of its HTTP endpoint."""
        return int(re.findall(r"on port (\d+)", self.log.read_text())[-1])


def eventually(condition: Callable[[], Any], otherwise: Callable[[], object] = lambda: "") -> Any:
    """What the condition returns once it is true; fails, with the last words of `otherwise`, at the end of patience."""
    deadline = time.monotonic() + patience.SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not true after {patience.SECONDS} s: {otherwise()}"
        time.sleep(0.05)
    return value
