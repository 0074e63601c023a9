"""Pods that are listened to and that try to reach one another, and what becomes of each attempt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from images.build import reference_of
from images.contents import WORKER
from tests.cluster.kubectl import Kubectl
from tests.cluster.process import Program

REACHED, TIMED_OUT = "reached", "timed out"
"""Of a place that somebody listens at; where nobody does, a connection is refused at once."""

LISTEN = """
import socket, sys, threading
places = (place.rpartition(":") for place in sys.argv[1:])
servers = [socket.create_server((host, int(port))) for host, _, port in places]
threading.Event().wait()
"""
TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def tried(place):
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as refused:
        return str(refused)
    return "reached"

places = sys.argv[1:]
with ThreadPoolExecutor(len(places)) as together:
    print(json.dumps(list(together.map(tried, places))))
"""


class Phase(IntEnum):
    """What is enforced, less first."""

    NOTHING = 0
    DEFAULTS = 1
    STORE_ALONE = 2


@dataclass(frozen=True)
class Attempt:
    """One Pod tries to reach a place; `until`: the last phase in which it may."""

    pod: str
    whom: str
    place: str
    until: Phase

    def expected(self, phase: Phase) -> str:
        return REACHED if phase <= self.until else TIMED_OUT


def outcomes(kubectl: Kubectl, attempts: Iterable[Attempt]) -> dict[Attempt, str]:
    """What became of each; a Pod makes all of its attempts at once."""
    of_pod: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        of_pod.setdefault(attempt.pod, []).append(attempt)
    return {
        attempt: outcome
        for pod, its in of_pod.items()
        for attempt, outcome in zip(its, tried(kubectl, pod, [each.place for each in its]), strict=True)
    }


def tried(kubectl: Kubectl, pod: str, places: Sequence[str]) -> list[str]:
    """What became of a Pod's attempts to reach these places."""
    found: list[str] = json.loads(kubectl("exec", pod, "--", "python3", "-c", TRY, *places))
    return found


def table(attempts: Sequence[Attempt], seen: Mapping[Phase, Mapping[Attempt, str]], headings: Sequence[str]) -> str:
    """The outcomes as Markdown, a column for each phase."""
    rows = [("From", "To", *headings), ("---",) * (2 + len(headings))]
    rows += [(each.pod, each.whom, *(seen[phase][each] for phase in Phase)) for each in attempts]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def listening(ports: Sequence[int]) -> dict[str, Any]:
    """The spec of a Pod that listens on these ports."""
    command = ["python3", "-c", LISTEN, *(f":{port}" for port in ports)]
    container = {"name": "listener", "image": reference_of(WORKER), "imagePullPolicy": "Never", "command": command}
    return {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 1}


def pod(name: str, labels: dict[str, str], *ports: int) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app": name, **labels}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": listening(ports)}


def job(name: str, labels: dict[str, str], *ports: int) -> dict[str, Any]:
    """Of two Pods."""
    template = {"metadata": {"labels": {"app": name, **labels}}, "spec": listening(ports)}
    spec = {"completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimit": 0, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


@contextmanager
def listeners(directory: Path, places: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Processes of this machine that listen at `places`, by the prefix of a command that puts each where it belongs."""
    with ExitStack() as stack:
        for number, (place, inside) in enumerate(places.items()):
            program = Program(f"listener{number}", [*inside, sys.executable, "-c", LISTEN, place], directory)
            stack.callback(program.stop)
        yield
