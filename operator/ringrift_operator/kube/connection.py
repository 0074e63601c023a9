"""Where the API server is and who we are there: the Pod's service account, or the kubeconfig outside of a cluster."""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import os
from datetime import UTC, datetime, timedelta

import kopf

from ringrift_operator.kube.client import LoginError

logger = logging.getLogger(__name__)

TOKEN_REREAD = timedelta(minutes=10)
"""The kubelet renews a Pod's token in its file at 80 % of its life (an hour by default)."""


def login(settings: kopf.OperatorSettings | None = None) -> kopf.ConnectionInfo:
    """Credentials as they are now; called again whenever the API server says 401. LoginError if there are none."""
    settings = settings or kopf.OperatorSettings()
    if pod := kopf.login_with_service_account(settings=settings):
        # The environment names the Service by address, so that a broken cluster DNS does not stop us.
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if host:
            bracketed = f"[{host}]" if ":" in host else host
            pod = dataclasses.replace(pod, server=f"https://{bracketed}:{port}")
        return dataclasses.replace(pod, expiration=datetime.now(UTC) + TOKEN_REREAD)
    try:
        found = kopf.login_via_client(logger=logger, settings=settings)
    except kopf.LoginError:
        found = None
    if found is None:
        named = f"KUBECONFIG={os.environ['KUBECONFIG']}" if os.environ.get("KUBECONFIG") else "~/.kube/config"
        reason = f"{named} is no usable kubeconfig"
        if importlib.util.find_spec("kubernetes") is None:
            reason = f"{named} is not read: pip install 'ringrift-operator[kubeconfig]'"
        raise LoginError(f"no cluster to talk to: no service account here, and {reason}")
    return found
