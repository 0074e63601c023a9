"""Starting the cluster's programs, and stopping them whatever happens to us."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

STOP_SECONDS = 10
LINE_CHARACTERS = 400


class DidNotStartError(Exception):
    """A program ended or was not ready in time; the message ends with its log's last lines."""


class Program:
    """One running program with its log file. It gets SIGTERM when we die, so a killed test run leaves nothing."""

    def __init__(self, name: str, command: Sequence[str | Path], log_directory: Path) -> None:
        self.name = name
        self.log = log_directory / f"{name}.log"
        log_directory.mkdir(parents=True, exist_ok=True)
        bound = [setpriv, "--pdeathsig", "TERM"] if (setpriv := shutil.which("setpriv")) else []
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*bound, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches the tests, which then stop the programs in order
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float = 120) -> None:
        """Returns when `ready`; DidNotStartError when the program ends first or time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise DidNotStartError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise DidNotStartError(f"{self.name} was not ready after {seconds:.0f} s:\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self, lines: int = 20) -> str:
        written = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(line[:LINE_CHARACTERS] for line in written)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after STOP_SECONDS."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nothing listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
