"""Which cluster this is: stores are claimed in its name."""

from __future__ import annotations

import logging

from ringrift_operator.kube.client import ApiError, Client
from ringrift_operator.kube.resource import NAMESPACES, uid_of

logger = logging.getLogger(__name__)

KUBE_SYSTEM = "kube-system"
"""A namespace that every cluster has, with a UID of its own, for as long as it lives."""


async def cluster_uid(client: Client) -> str:
    """The UID of kube-system; empty, and said, where it may not be read or is not there: stores stay unclaimed."""
    try:
        namespace = await client.get(NAMESPACES, ("", KUBE_SYSTEM))
        why = "there is none"
    except ApiError as error:
        if error.status != 403:
            raise
        namespace, why = None, error.message
    if namespace is None:
        logger.warning("namespace %s cannot be read, so no store is claimed for this cluster: %s", KUBE_SYSTEM, why)
        return ""
    return uid_of(namespace)
