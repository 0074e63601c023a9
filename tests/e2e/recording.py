"""Keeps what happens in a namespace while a pipeline runs: Jobs and their Pods are gone soon after they end."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl

MEMORY_CGROUPS = Path("/sys/fs/cgroup/memory")
SAMPLE_SECONDS = 0.1


class Recording:
    """`pods` holds the last state seen of every Pod, `limits` the kernel's memory limit of each container seen."""

    def __init__(self, kubectl: Kubectl, cgroup: str, directory: Path) -> None:
        self.pods: dict[str, dict[str, Any]] = {}
        self.limits: dict[str, int] = {}
        self._directory = directory
        self._kubectl = kubectl
        self._cgroups = MEMORY_CGROUPS / cgroup.lstrip("/")
        self._over = threading.Event()
        self._processes: list[subprocess.Popen[str]] = []
        self._threads = [threading.Thread(target=each) for each in (self._watch_pods, self._sample_limits)]

    def start(self) -> None:
        for name, wide in {"kubectl-get-tp-w": (), "kubectl-get-tp-w-o-wide": ("-o", "wide")}.items():
            command = self._kubectl.command("get", "tp", "-w", *wide)
            with (self._directory / f"{name}.txt").open("w") as output:
                self._processes.append(subprocess.Popen(command, stdout=output, text=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for process in self._processes:
            process.terminate()
            process.wait()
        for thread in self._threads:
            thread.join()

    def job_pods(self) -> list[dict[str, Any]]:
        """Every Pod of a Job that was seen, in the order of their creation."""
        owned = [pod for pod in self.pods.values() if "batch.kubernetes.io/job-name" in pod["metadata"]["labels"]]
        return sorted(owned, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def _watch_pods(self) -> None:
        path = f"/api/v1/namespaces/{self._kubectl.namespace}/pods?watch=true"
        while not self._over.is_set():  # a watch ends by itself after some minutes; the next begins with what is there
            command = self._kubectl.command("get", "--raw", path)
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                self._processes.append(process)
                for line in process.stdout or ():
                    pod = json.loads(line)["object"]
                    if pod["kind"] == "Pod":
                        self.pods[pod["metadata"]["uid"]] = pod

    def _sample_limits(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            for folder, _, _ in os.walk(self._cgroups / "kubepods"):  # passes over what vanishes under it
                cgroup = Path(folder)
                if len(cgroup.name) == 64 and cgroup.name not in self.limits:
                    with suppress(OSError):  # the container ended in between
                        if _runs_its_program(cgroup):
                            self.limits[cgroup.name] = int((cgroup / "memory.limit_in_bytes").read_text())


def _runs_its_program(cgroup: Path) -> bool:
    """Whether a container is past its making: runc writes the limits before its last child executes the program.

    By the executable, a file of the container's own: runc's children change their names ("exe", "runc:[2:INIT]"),
    and run an unlinked copy of runc.
    """
    processes = (cgroup / "cgroup.procs").read_text().split()
    return any(_executes_a_file_of_its_root(Path("/proc", each)) for each in processes)


def _executes_a_file_of_its_root(process: Path) -> bool:
    executable = (process / "exe").readlink()
    return executable.name != "runc" and Path(f"{process}/root{executable}").is_file()


@contextmanager
def recording(kubectl: Kubectl, cgroup: str, directory: Path) -> Iterator[Recording]:
    """Records the namespace of `kubectl` until the block ends."""
    kept = Recording(kubectl, cgroup, directory)
    kept.start()
    try:
        yield kept
    finally:
        kept.stop()


def container_id(pod: dict[str, Any]) -> str:
    """The runtime's name of a Pod's one container; empty when none was made."""
    statuses = pod["status"].get("containerStatuses", [])
    return str(statuses[0].get("containerID", "")).removeprefix("containerd://") if statuses else ""


def wait_for(seconds: float, what: str, condition: Any) -> Any:
    """What `condition()` returns once it is true; fails when time is up."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.5)
    return value
