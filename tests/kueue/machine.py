"""Runs the Pods of some namespaces as processes of this machine, as a kubelet runs containers.

The stages are real, in the environment of the tests. A Pod that is deleted gets SIGTERM, keeps its name until its
process has ended, and is told of with the exit code that the process had.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kubernetes import client, config

from ringrift_operator.builders.pod import GRACE_SECONDS, RESULT_PATH
from tests.background import InBackground

NODE = "machine"
INDEX = "batch.kubernetes.io/job-completion-index"
MESSAGE_BYTES = 4096
HEARTBEAT_SECONDS = 10.0


@dataclass
class Run:
    """One Pod's process."""

    namespace: str
    pod: str
    uid: str
    labels: Mapping[str, str]
    process: subprocess.Popen[bytes]
    result: Path
    log: Path
    began: datetime
    told_to_end: float | None = None
    exit_code: int | None = None

    @property
    def name(self) -> str:
        return f"{self.namespace}/{self.labels['ringrift.ai/step']}"

    @property
    def was_interrupted(self) -> bool:
        return self.told_to_end is not None

    def says(self, words: str) -> bool:
        return words in self.log.read_text(errors="replace")


class Machine(InBackground):
    """A node of the cluster, for as long as the block runs; `runs` are all Pods it ever ran."""

    def __init__(
        self, kubeconfig: Path, namespaces: Sequence[str], directory: Path, environment: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._api = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))  # type: ignore[no-untyped-call]
        self._namespaces, self._directory = namespaces, directory
        self._environment = {**os.environ, **environment}
        self.runs: dict[str, Run] = {}
        """By the Pod's UID."""
        self.most_at_once: dict[str, int] = {}
        """Pods of each namespace that ran at once, at most."""

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._api.create_node(client.V1Node(metadata=client.V1ObjectMeta(name=NODE)))
        self._heartbeat()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            for run in self.runs.values():
                if run.exit_code is None:
                    run.process.kill()
                    run.process.wait()
            self._api.delete_node(NODE)

    def of(self, namespace: str, step: str) -> list[Run]:
        """The runs of a namespace's step, in their order."""
        return [each for each in list(self.runs.values()) if each.name == f"{namespace}/{step}"]

    def _loop(self) -> None:
        beaten = time.monotonic()
        while not self._stopping.wait(0.1):
            if time.monotonic() - beaten > HEARTBEAT_SECONDS:
                self._heartbeat()
                beaten = time.monotonic()
            for namespace in self._namespaces:
                pods: list[Any] = self._api.list_namespaced_pod(namespace).items
                for pod in pods:
                    self._go_on(pod)
                running = sum(run.namespace == namespace and run.exit_code is None for run in self.runs.values())
                self.most_at_once[namespace] = max(running, self.most_at_once.get(namespace, 0))

    def _go_on(self, pod: Any) -> None:
        run = self.runs.get(pod.metadata.uid)
        is_going = pod.metadata.deletion_timestamp is not None
        if run is None:
            if pod.spec.node_name is None:
                if not is_going:
                    self._bind(pod)
            elif is_going:
                self._remove(pod)
            elif pod.status.phase == "Pending":
                self._start(pod)
            return
        if is_going and run.told_to_end is None and run.exit_code is None:
            run.told_to_end = time.monotonic()
            run.process.send_signal(signal.SIGTERM)
        if run.told_to_end is not None and time.monotonic() - run.told_to_end > GRACE_SECONDS:
            run.process.kill()
        code = run.process.poll()
        if code is not None and run.exit_code is None:
            run.exit_code = code if code >= 0 else 128 - code
            self._tell_end(pod, run)
        if is_going and run.exit_code is not None:
            self._remove(pod)

    def _bind(self, pod: Any) -> None:
        target = client.V1ObjectReference(api_version="v1", kind="Node", name=NODE)
        body = client.V1Binding(metadata=client.V1ObjectMeta(name=pod.metadata.name), target=target)
        self._unless_gone(
            # The client does not understand the answer.
            lambda: self._api.create_namespaced_binding(pod.metadata.namespace, body, _preload_content=False)
        )

    def _start(self, pod: Any) -> None:
        container, name = pod.spec.containers[0], pod.metadata.name
        index = (pod.metadata.annotations or {}).get(INDEX, "")
        result, log = (self._directory / f"{pod.metadata.uid}.{kind}" for kind in ("result", "log"))
        values = {RESULT_PATH: str(result), "$(JOB_COMPLETION_INDEX)": index}
        arguments = [values.get(each, each) for each in container.args]
        scratch = self._directory / f"{pod.metadata.uid}.tmp"
        scratch.mkdir()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [Path(sys.executable).parent / container.command[0], *arguments],
                env={**self._environment, "TMPDIR": str(scratch)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        run = Run(
            pod.metadata.namespace,
            name,
            pod.metadata.uid,
            dict(pod.metadata.labels),
            process,
            result,
            log,
            datetime.now(UTC),
        )
        self.runs[run.uid] = run
        self._write(pod, "Running", {"running": {"startedAt": run.began.isoformat()}}, is_ready=True)

    def _tell_end(self, pod: Any, run: Run) -> None:
        said = run.result.read_bytes() if run.result.exists() else run.log.read_bytes()
        state = {
            "exitCode": run.exit_code,
            "reason": "Completed" if run.exit_code == 0 else "Error",
            "message": said[-MESSAGE_BYTES:].decode(errors="replace"),
            "startedAt": run.began.isoformat(),
            "finishedAt": datetime.now(UTC).isoformat(),
        }
        self._write(pod, "Failed" if run.exit_code else "Succeeded", {"terminated": state}, is_ready=False)

    def _write(self, pod: Any, phase: str, state: Mapping[str, Any], *, is_ready: bool) -> None:
        container = pod.spec.containers[0]
        told = {
            "name": container.name,
            "image": container.image,
            "imageID": "",
            "ready": is_ready,
            "started": is_ready,
            "restartCount": 0,
            "state": state,
        }
        conditions = [{"type": "Ready", "status": str(is_ready)}]
        status = {"phase": phase, "conditions": conditions, "containerStatuses": [told]}
        self._unless_gone(
            lambda: self._api.patch_namespaced_pod_status(
                pod.metadata.name, pod.metadata.namespace, {"metadata": {"uid": pod.metadata.uid}, "status": status}
            )
        )

    def _remove(self, pod: Any) -> None:
        this = client.V1Preconditions(uid=pod.metadata.uid)
        body = client.V1DeleteOptions(grace_period_seconds=0, preconditions=this)
        self._unless_gone(lambda: self._api.delete_namespaced_pod(pod.metadata.name, pod.metadata.namespace, body=body))

    def _heartbeat(self) -> None:
        now = datetime.now(UTC).isoformat()
        ready = {"type": "Ready", "status": "True", "reason": "Works", "message": "", "lastHeartbeatTime": now}
        self._api.patch_node_status(NODE, {"status": {"conditions": [ready]}})

    @staticmethod
    def _unless_gone(request: Any) -> None:
        try:
            request()
        except client.ApiException as error:
            if error.status not in (404, 409):
                raise
