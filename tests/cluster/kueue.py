"""Kueue over a control plane: all of its own chart but the Deployment, whose program runs as a plain process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.binaries import KUEUE, find
from tests.cluster.control_plane import ControlPlane
from tests.cluster.process import Program, free_ports
from tests.cluster.webhooks import Manifest, install, is_ready, mounted, rendered

NAMESPACE = "kueue-system"
WEBHOOKS = "kueue-webhook-service"
CERTIFICATE = "kueue-webhook-server-cert"


@contextmanager
def running_kueue(plane: ControlPlane, directory: Path, *, inside: tuple[str, ...] = ()) -> Iterator[Program]:
    """Installs Kueue and runs its controller beside the API server; on leaving it stops, what it installed stays.

    `inside` is a command prefix, such as a sandbox's: controller and API server must share a loopback address.
    """
    program = find((KUEUE,)) / KUEUE.name
    webhooks, health = free_ports(2)
    certificates = directory / "certificates"
    certificates.mkdir(parents=True)
    configuration = directory / "kueue.json"
    configuration.write_text(json.dumps(_configuration(webhooks, health, certificates)))
    install(plane, rendered(plane, "kueue", plane.binaries / KUEUE.chart, NAMESPACE), NAMESPACE, WEBHOOKS, webhooks)
    arguments = [f"--config={configuration}", f"--kubeconfig={plane.kubeconfig}", "--zap-log-level=2"]
    controller = Program(KUEUE.name, [*inside, program, *arguments], directory / "log")
    try:
        controller.wait_until(lambda: mounted(plane.kubectl.within(NAMESPACE), CERTIFICATE, certificates))
        controller.wait_until(lambda: is_ready(inside, health))
        yield controller
    finally:
        controller.stop()


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
