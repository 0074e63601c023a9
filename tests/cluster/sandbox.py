"""A machine within the machine: Linux namespaces that a whole cluster runs in, and that vanish with it.

Processes, mounts, network devices and iptables rules made inside belong to the namespaces, so ending the first process
ends and undoes all of them, even when the test run is killed. Only cgroups are shared with the machine; they lie
under one folder of the sandbox's own.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.process import DidNotStartError, Program

CGROUPS = Path("/sys/fs/cgroup")
LINKS = "10.245.{}.{}"
"""Addresses of the cable between the machine and a sandbox: third octet the sandbox's number, then 1 and 2."""


@dataclass(frozen=True)
class Sandbox:
    """Running namespaces. `address` is the sandbox's own, reachable from the machine outside."""

    number: int
    first_process: int
    address: str

    @property
    def enter(self) -> tuple[str, ...]:
        """Prefix of a command that is to run inside."""
        return ("nsenter", f"--target={self.first_process}", "--mount", "--pid", "--net", "--uts", "--")

    @property
    def cgroup(self) -> str:
        """Where the Pods' cgroups lie, below the root of every hierarchy."""
        return f"/ringrift-{self.number}"

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Runs a command inside and returns its output."""
        done = subprocess.run([*self.enter, *command], input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def running_sandbox(first_program: Path, log_directory: Path) -> Iterator[Sandbox]:
    """Makes the namespaces, with `first_program` (see pause/) as their process 1, and a cable to the machine."""
    unshare = ("unshare", "--mount", "--pid", "--net", "--uts", "--fork", "--mount-proc", "--kill-child")
    # SIGKILL, since unshare does not pass SIGTERM on; its end kills process 1, and with it everything inside.
    program = Program("sandbox", ["setpriv", "--pdeathsig", "KILL", *unshare, first_program], log_directory)
    children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children")
    try:
        program.wait_until(lambda: children.exists() and bool(children.read_text().split()), seconds=10)
        first_process = int(children.read_text().split()[0])
        _wait_for_own_network(first_process)
        number = _plug_in(first_process)
        sandbox = Sandbox(number, first_process, LINKS.format(number, 2))
        _connect(sandbox)
        _make_cgroups(sandbox.cgroup)
        try:
            yield sandbox
        finally:
            program.process.kill()
            program.process.wait()
            _remove_cgroups(sandbox.cgroup)
    finally:
        program.process.kill()
        program.process.wait()


def _wait_for_own_network(process: int) -> None:
    deadline = time.monotonic() + 5
    while Path(f"/proc/{process}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        if time.monotonic() > deadline:
            raise DidNotStartError("the sandbox's network namespace did not appear")
        time.sleep(0.01)


def _plug_in(first_process: int) -> int:
    """Makes the cable to the machine and returns its number; its name is what keeps two sandboxes from one number."""
    refusal = ""
    for number in range(1, 255):
        command = ("ip", "link", "add", f"ringrift{number}", "type", "veth", "peer", "name", "eth0")
        done = subprocess.run([*command, "netns", str(first_process)], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return number
        refusal = done.stderr.strip()
    raise DidNotStartError(f"no network cable for the sandbox: {refusal}")


def _connect(sandbox: Sandbox) -> None:
    outside, gateway = f"ringrift{sandbox.number}", LINKS.format(sandbox.number, 1)
    subprocess.run(["ip", "address", "add", f"{gateway}/30", "dev", outside], check=True)
    subprocess.run(["ip", "link", "set", outside, "up"], check=True)
    sandbox.run("ip", "link", "set", "lo", "up")
    sandbox.run("ip", "address", "add", f"{sandbox.address}/30", "dev", "eth0")
    sandbox.run("ip", "link", "set", "eth0", "up")
    sandbox.run("ip", "route", "add", "default", "via", gateway)  # Service addresses need some route to be rewritten
    sandbox.run("sysctl", "-qw", "net.ipv4.ip_forward=1")


def _make_cgroups(name: str) -> None:
    _remove_cgroups(name)  # of a sandbox that was killed
    version_2 = (CGROUPS / "cgroup.controllers").exists()
    hierarchies = [CGROUPS] if version_2 else [folder for folder in CGROUPS.iterdir() if folder.is_dir()]
    for hierarchy in hierarchies:
        (hierarchy / name.lstrip("/")).mkdir()


def _remove_cgroups(name: str) -> None:
    """Removes the folders from the leaves up; a cgroup is busy until the kernel has buried its last process."""
    deadline = time.monotonic() + 10
    folder = name.lstrip("/")
    for top in [CGROUPS / folder, *CGROUPS.glob(f"*/{folder}")]:
        inner = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for path in [*inner, top]:
            while path.exists() and time.monotonic() < deadline:
                with suppress(OSError):
                    path.rmdir()
                    break
                time.sleep(0.05)
