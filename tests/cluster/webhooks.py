"""Controllers with webhooks over a control plane: their own charts, whose programs run as plain processes."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl

INSTALLED = ("CustomResourceDefinition", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Secret")
"""Kinds of a chart that are needed where the controller is no Pod."""

Manifest = dict[str, Any]


def install(plane: ControlPlane, manifests: list[Manifest], namespace: str, webhooks: str, port: int) -> None:
    """Lays a controller's CRDs, webhooks and Secret into the cluster, with its own port for that of its Service."""
    kubectl = plane.kubectl
    kubectl("create", "namespace", namespace)
    kubectl.within(namespace).apply(service(webhooks))
    for manifest in manifests:
        send_webhooks_to(manifest, webhooks, port)
    apply(kubectl, [each for each in manifests if each["kind"] == "CustomResourceDefinition"])
    kubectl.wait_for_definitions()
    apply(kubectl, [each for each in manifests if each["kind"] == "Secret"])
    apply(kubectl, [each for each in manifests if each["kind"].endswith("WebhookConfiguration")])


def service(name: str) -> Manifest:
    """By which the API server finds the webhooks, on its own machine."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }


def rendered(plane: ControlPlane, name: str, chart: Path, namespace: str) -> list[Manifest]:
    """What of a chart is needed where the controller is no Pod and has its administrator's rights."""
    command = [str(plane.binaries / "helm"), "template", name, str(chart), f"--namespace={namespace}", "--include-crds"]
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


def send_webhooks_to(manifest: Manifest, service_name: str, port: int) -> None:
    """Notes the port of our controller wherever the manifest names its Service."""
    for name, value in manifest.items():
        if name == "service" and isinstance(value, dict) and value.get("name") == service_name:
            value["port"] = port
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                send_webhooks_to(each, service_name, port)


def apply(kubectl: Kubectl, manifests: list[Manifest]) -> None:
    """All of them, in one go."""
    kubectl.apply({"apiVersion": "v1", "kind": "List", "items": manifests}, "--server-side")


def mounted(kubectl: Kubectl, secret: str, certificates: Path) -> bool:
    """Lays the Secret that the controller fills where it looks for it, as a kubelet does."""
    data = kubectl.get("secret", secret).get("data") or {}
    if not data.get("tls.crt"):  # A chart may have made it with empty values.
        return False
    for name, content in data.items():
        (certificates / name).write_bytes(base64.b64decode(content))
    return True


def is_ready(inside: tuple[str, ...], port: int) -> bool:
    """Whether a controller says so at /readyz."""
    url = f"http://127.0.0.1:{port}/readyz"
    if inside:
        return subprocess.run([*inside, "curl", "-sf", "-o", "/dev/null", url], check=False).returncode == 0
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
