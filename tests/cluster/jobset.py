"""JobSet over a control plane: all of its own chart but the Deployment, whose program runs as a plain process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.binaries import JOBSET, find
from tests.cluster.control_plane import ControlPlane
from tests.cluster.process import Program, free_ports
from tests.cluster.webhooks import Manifest, install, is_ready, mounted, rendered

NAMESPACE = "jobset-system"
WEBHOOKS = "jobset-webhook-service"
CERTIFICATE = "jobset-webhook-server-cert"
CERTIFICATES = Path("/tmp/k8s-webhook-server/serving-certs")
"""Where it waits for its certificate, whatever its configuration says (pkg/util/cert): one of it on a machine."""


@contextmanager
def running_jobset(plane: ControlPlane, directory: Path, *, inside: tuple[str, ...] = ()) -> Iterator[Program]:
    """Installs JobSet and runs its controller beside the API server; on leaving it stops, what it installed stays.

    `inside` is a command prefix, such as a sandbox's: controller and API server must share a loopback address.
    """
    program = find((JOBSET,)) / JOBSET.name
    webhooks, health = free_ports(2)
    directory.mkdir(parents=True)
    CERTIFICATES.mkdir(parents=True, exist_ok=True)
    configuration = directory / "jobset.json"
    configuration.write_text(json.dumps(_configuration(webhooks, health)))
    install(plane, rendered(plane, "jobset", plane.binaries / JOBSET.chart, NAMESPACE), NAMESPACE, WEBHOOKS, webhooks)
    arguments = [f"--config={configuration}", f"--kubeconfig={plane.kubeconfig}"]
    controller = Program(JOBSET.name, [*inside, program, *arguments], directory / "log")
    try:
        controller.wait_until(lambda: mounted(plane.kubectl.within(NAMESPACE), CERTIFICATE, CERTIFICATES))
        controller.wait_until(lambda: is_ready(inside, health))
        yield controller
    finally:
        controller.stop()


def _configuration(webhooks: int, health: int) -> Manifest:
    """The chart's own, but for addresses."""
    return {
        "apiVersion": "config.jobset.x-k8s.io/v1alpha1",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": "127.0.0.1", "port": webhooks, "certDir": str(CERTIFICATES)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {
            "enable": True,
            "webhookServiceName": WEBHOOKS,
            "webhookSecretName": CERTIFICATE,
        },
    }
