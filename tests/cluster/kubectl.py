"""kubectl as the tests say it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any


class KubectlError(Exception):
    """kubectl failed; the message is what it printed on standard error."""


class Kubectl:
    """Runs kubectl against one cluster, in one namespace when given."""

    def __init__(self, program: Path, kubeconfig: Path, namespace: str | None = None) -> None:
        self.program = program
        self.kubeconfig = kubeconfig
        self.namespace = namespace

    def within(self, namespace: str) -> Kubectl:
        """The same cluster, every call in `namespace`."""
        return Kubectl(self.program, self.kubeconfig, namespace)

    def command(self, *arguments: str) -> list[str]:
        """The full command line, for a caller that runs it itself."""
        place = ["--namespace", self.namespace] if self.namespace else []
        return [str(self.program), "--kubeconfig", str(self.kubeconfig), *place, *arguments]

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Standard output of `kubectl <arguments>`; KubectlError when it fails."""
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """`kubectl get <arguments> -o json`, parsed."""
        return json.loads(self("get", *arguments, "-o", "json"))

    def wait_for_definitions(self, seconds: float = 120) -> None:
        """Until every CRD is established. `kubectl wait` fails on one that the API server has not looked at yet."""
        deadline = time.monotonic() + seconds
        while waiting := [each["metadata"]["name"] for each in self.get("crd")["items"] if not _is_established(each)]:
            if time.monotonic() > deadline:
                raise KubectlError(f"not established after {seconds:.0f} s: {', '.join(waiting)}")
            time.sleep(0.1)

    def apply(self, manifest: dict[str, Any] | str | Path, *arguments: str) -> str:
        """`kubectl apply` of an object, of YAML text, or of a file or folder."""
        if isinstance(manifest, Path):
            return self("apply", *arguments, "-f", str(manifest))
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        return self("apply", *arguments, "-f", "-", stdin=text)


def _is_established(definition: dict[str, Any]) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
