"""Kueue over a control plane: all of its own chart but the Deployment, whose program runs as a plain process."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.binaries import KUEUE, KUEUE_CHART, find
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.cluster.process import Program, free_ports

NAMESPACE = "kueue-system"
WEBHOOKS = "kueue-webhook-service"
CERTIFICATE = "kueue-webhook-server-cert"
INSTALLED = ("CustomResourceDefinition", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Secret")
"""What of the chart is needed where the controller is no Pod and has its administrator's rights."""

Manifest = dict[str, Any]


@contextmanager
def running_kueue(plane: ControlPlane, directory: Path, *, inside: tuple[str, ...] = ()) -> Iterator[Program]:
    """Installs Kueue and runs its controller beside the API server; on leaving it stops, what it installed stays.

    `inside` is a command prefix, such as a sandbox's: controller and API server must share a loopback address.
    """
    program = find((KUEUE,)) / KUEUE.name
    webhooks, health = free_ports(2)
    kubectl = plane.kubectl
    kubectl("create", "namespace", NAMESPACE)
    kubectl.within(NAMESPACE).apply(_service())
    rendered = _rendered(plane)
    for manifest in rendered:
        _send_webhooks_to(manifest, webhooks)
    certificates = directory / "certificates"
    certificates.mkdir(parents=True)
    configuration = directory / "kueue.json"
    configuration.write_text(json.dumps(_configuration(webhooks, health, certificates)))
    definitions = [each for each in rendered if each["kind"] == "CustomResourceDefinition"]
    _apply(kubectl, definitions)
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
    _apply(kubectl, [each for each in rendered if each["kind"] == "Secret"])
    _apply(kubectl, [each for each in rendered if each["kind"].endswith("WebhookConfiguration")])
    arguments = [f"--config={configuration}", f"--kubeconfig={plane.kubeconfig}", "--zap-log-level=2"]
    controller = Program(KUEUE.name, [*inside, program, *arguments], directory / "log")
    try:
        controller.wait_until(lambda: _mounted(kubectl.within(NAMESPACE), certificates))
        controller.wait_until(lambda: _is_ready(inside, health))
        yield controller
    finally:
        controller.stop()


def _service() -> Manifest:
    """By which the API server finds the webhooks, on its own machine."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": WEBHOOKS},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }


def _rendered(plane: ControlPlane) -> list[Manifest]:
    chart = plane.binaries / KUEUE_CHART
    command = [str(plane.binaries / "helm"), "template", "kueue", str(chart), f"--namespace={NAMESPACE}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wanted = "\n---\n".join(
        each for each in text.split("\n---\n") if any(f"\nkind: {kind}\n" in each for kind in INSTALLED)
    )
    # Without a parser of YAML in the standard library kubectl is one.
    dry = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-")
    return list(_objects(plane.kubectl(*dry, stdin=wanted)))


def _objects(text: str) -> Iterator[Manifest]:
    """The objects of JSON documents that follow each other."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        found, end = decoder.raw_decode(text)
        yield found
        text = text[end:]


def _send_webhooks_to(manifest: Manifest, port: int) -> None:
    """Notes the port of our controller wherever the manifest names its Service."""
    for name, value in manifest.items():
        if name == "service" and isinstance(value, dict) and value.get("name") == WEBHOOKS:
            value["port"] = port
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                _send_webhooks_to(each, port)


def _apply(kubectl: Kubectl, manifests: list[Manifest]) -> None:
    kubectl.apply({"apiVersion": "v1", "kind": "List", "items": manifests}, "--server-side")


def _configuration(webhooks: int, health: int, certificates: Path) -> Manifest:
    """The chart's own, but for addresses, and for Jobs alone."""
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "namespace": NAMESPACE,
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": "127.0.0.1", "port": webhooks, "certDir": str(certificates)},
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"qps": 50, "burst": 100},
        "internalCertManagement": {
            "enable": True,
            "webhookServiceName": WEBHOOKS,
            "webhookSecretName": CERTIFICATE,
        },
        "integrations": {"frameworks": ["batch/job"]},
        "featureGates": {"VisibilityOnDemand": False},
    }


def _mounted(kubectl: Kubectl, certificates: Path) -> bool:
    """Lays the Secret that the controller fills where it looks for it, as a kubelet does."""
    data = kubectl.get("secret", CERTIFICATE).get("data") or {}
    if "tls.crt" not in data:
        return False
    for name, content in data.items():
        (certificates / name).write_bytes(base64.b64decode(content))
    return True


def _is_ready(inside: tuple[str, ...], port: int) -> bool:
    url = f"http://127.0.0.1:{port}/readyz"
    if inside:
        return subprocess.run([*inside, "curl", "-sf", "-o", "/dev/null", url], check=False).returncode == 0
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
