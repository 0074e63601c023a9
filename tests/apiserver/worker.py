"""Plays the node's part: runs the stages of Pods in no time, by writing what a kubelet writes when containers end.

The API server, the Jobs and the Pods are real. What the stages would have found is made up, and adds up: games are
counted once, champions move by the registry's rules.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from kubernetes import client, config

from ringrift_core.contract import (
    Artifact,
    Decision,
    ExitCode,
    PointerResult,
    Shards,
    Stage,
    StageResult,
    Track,
    Verdict,
)
from ringrift_operator.kube.pods import INDEX_ANNOTATION
from tests.background import InBackground
from tests.results import EMPTY_STORE, USUAL, merged, moved, played

SHA = "0" * 64


@dataclass(frozen=True)
class Ending:
    """How a container ends, instead of finding something."""

    exit_code: int
    reason: str = "Error"
    message: str = ""


@dataclass
class Configuration:
    """What the store holds of one configuration."""

    shards: dict[tuple[int, int], int] = field(default_factory=dict)
    """Games by iteration and shard."""
    games: int = 0
    champions: dict[str, list[int]] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)


class Worker(InBackground):
    """Ends every Pod of a namespace as soon as it appears; `script` says what happens otherwise, once per line."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        super().__init__()
        self._api = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))  # type: ignore[no-untyped-call]
        self._namespace = namespace
        self.script: dict[str, list[Ending]] = {}
        """By step: how its next Pods end before one does its work."""
        self.holds: set[str] = set()
        """Steps whose Pods run on."""
        self.cannot_start: dict[str, tuple[str, str]] = {}
        """By step: reason and message of a container that waits in vain."""
        self.decisions: dict[str, Decision] = {}
        """By step: what the gate decides; Promote unless said otherwise."""
        self.ran: list[str] = []
        """Steps in the order in which Pods ended."""
        self.store: dict[str, Configuration] = {}
        self.killed = 0.0
        """Share of the Pods that are killed before they have done anything."""
        self._chance = random.Random(1)

    def _loop(self) -> None:
        while not self._stopping.wait(0.05):
            pods: list[Any] = self._api.list_namespaced_pod(self._namespace).items
            for pod in pods:
                if pod.status.phase in ("Pending", "Running") and pod.metadata.deletion_timestamp is None:
                    self._go_on(pod)

    def _go_on(self, pod: Any) -> None:
        step = pod.metadata.labels["ringrift.ai/step"]
        if step in self.holds:
            if pod.status.phase == "Pending":
                self._write(pod, "Running", {"running": {"startedAt": datetime.now(UTC).isoformat()}}, ready=True)
            return
        if step in self.cannot_start:
            reason, message = self.cannot_start[step]
            self._write(pod, "Pending", {"waiting": {"reason": reason, "message": message}})
            return
        script = self.script.get(step)
        if script:
            ending = script.pop(0)
        elif self._chance.random() < self.killed:
            ending = Ending(128 + signal.SIGKILL)
        else:
            ending = Ending(ExitCode.DONE, "Completed", self._work(pod))
        terminated = {"exitCode": ending.exit_code, "reason": ending.reason, "message": ending.message}
        phase = "Succeeded" if ending.exit_code == ExitCode.DONE else "Failed"
        self._write(pod, phase, {"terminated": terminated})
        self.ran.append(step)

    def _write(self, pod: Any, phase: str, state: dict[str, Any], *, ready: bool = False) -> None:
        """The Pod's status, as a kubelet writes it."""
        container = pod.spec.containers[0]
        status = {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [
                {
                    "name": container.name,
                    "image": container.image,
                    "imageID": "",
                    "ready": ready,
                    "started": ready,
                    "restartCount": 0,
                    "state": state,
                }
            ],
        }
        try:
            self._api.patch_namespaced_pod_status(pod.metadata.name, self._namespace, {"status": status})
        except client.ApiException as error:
            if error.status != 404:
                raise

    def _work(self, pod: Any) -> str:
        """Does the stage's work on the made-up store; its result as JSON."""
        labels = pod.metadata.labels
        arguments = dict(_flags(pod.spec.containers[0].args))
        kept = self.store.setdefault(labels["ringrift.ai/configuration"], Configuration())
        stage, step = Stage(labels["ringrift.ai/stage"]), labels["ringrift.ai/step"]
        now = datetime.now(UTC)
        result = StageResult(
            stage=stage, attempt=int(labels["ringrift.ai/attempt"]), started_at=now, finished_at=now, message=step
        )
        changes: dict[str, Any] = {"result": USUAL[stage]}
        match stage:
            case Stage.TRAIN if (pod.metadata.annotations or {}).get(INDEX_ANNOTATION, "0") != "0":
                return ""  # it follows the first
            case Stage.ADOPT:
                changes["result"] = EMPTY_STORE.model_copy(update={"games": kept.games})
            case Stage.SELFPLAY:
                shards = Shards.parse(arguments.get("shard", "0/1"))
                index = int(pod.metadata.annotations[INDEX_ANNOTATION])
                asked, first_game = int(arguments["games"]), int(arguments.get("first-game", "0"))
                shard = shards.first + index
                games = (shard + 1) * asked // shards.total - shard * asked // shards.total
                kept.shards[int(arguments["iteration"]), first_game + shard] = games
                changes["result"] = played(games)
            case Stage.MERGE:
                kept.games = sum(kept.shards.values())
                new = sum(games for (number, _), games in kept.shards.items() if number == int(arguments["iteration"]))
                changes["result"] = merged(kept.games, new)
            case Stage.EXPORT:
                changes["outputs"] = {"dataset": _artifact("dataset")}
            case Stage.TRAIN | Stage.NNUE | Stage.DISTILL | Stage.CMAES:
                changes["outputs"] = {"candidate": _artifact("candidate")}
            case Stage.EVALUATE:
                changes["verdict"] = _verdict(Track(arguments["track"]), self.decisions.get(step, Decision.PROMOTE))
                changes["outputs"] = {"verdict": _artifact("verdict")}
            case Stage.PROMOTE | Stage.ROLLBACK:
                changes["result"] = _moved(kept, stage, arguments)
        return result.model_copy(update=changes).to_json()


def _moved(kept: Configuration, stage: Stage, arguments: dict[str, str]) -> PointerResult:
    """The registry: a request that it knows moves nothing."""
    champions = kept.champions.setdefault(arguments["track"], [0])
    if arguments["request-id"] not in kept.requests:
        if stage == Stage.PROMOTE:
            champions.append(int(arguments["iteration"]))
        elif len(champions) > 1:
            champions.pop()
        kept.requests[arguments["request-id"]] = champions[-1]
    return moved(champions)


def _flags(arguments: list[str]) -> Iterator[tuple[str, str]]:
    for name, value in pairwise(arguments):
        if name.startswith("--"):
            yield name.removeprefix("--"), value


def _artifact(name: str) -> Artifact:
    return Artifact(uri=f"s3://bucket/{name}", sha256=SHA, bytes=1)


def _verdict(track: Track, decision: Decision) -> Verdict:
    return Verdict(
        track=track,
        decision=decision,
        candidate=SHA,
        champion="0",
        games=100,
        win_rate=0.61,
        low=0.55,
        high=0.67,
        raw_share=0.61,
        reason="made up",
    )
