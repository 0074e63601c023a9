"""Whether the API server keeps our resources as this version of the operator writes them."""

from __future__ import annotations

import logging

from ringrift_operator.api.base import GROUP, SCHEMA_ANNOTATION, SCHEMA_VERSION
from ringrift_operator.kube.client import ApiError, Client
from ringrift_operator.kube.resource import DEFINITIONS, ITERATIONS, PIPELINES, POOLS, REMOTE_TASKS, Object

logger = logging.getLogger(__name__)

HOW = "`helm upgrade --install ringrift-crds charts/ringrift-crds`, or `kubectl apply --server-side -f crds`"


async def unfit_schemas(client: Client) -> str:
    """Why the CRDs that are installed, if they are, are none for this operator, and what to do; or nothing."""
    resources = (PIPELINES, POOLS, REMOTE_TASKS, ITERATIONS)
    if missing := [each.plural for each in resources if not await client.serves(each)]:
        return f"waiting for the CRDs of {', '.join(missing)}: {HOW}"
    try:
        found = [(each.plural, await client.get(DEFINITIONS, ("", f"{each.plural}.{GROUP}"))) for each in resources]
    except ApiError as error:
        if error.status != 403:
            raise
        logger.warning("the CRDs may not be read, so nobody knows whether they are of schema %s", SCHEMA_VERSION)
        return ""
    faults = [fault for plural, definition in found if definition and (fault := schema_fault(plural, definition))]
    return "; ".join(faults)


def schema_fault(plural: str, definition: Object) -> str:
    """What is wrong with one CRD for an operator of SCHEMA_VERSION, in a sentence; or nothing."""
    there = definition["metadata"].get("annotations", {}).get(SCHEMA_ANNOTATION, "0.0")
    (major, minor), (own_major, own_minor) = _numbers(there), _numbers(SCHEMA_VERSION)
    if major > own_major:
        return (
            f"the CRD of {plural} is of schema {there}, and this operator writes {SCHEMA_VERSION}, which it may no "
            "longer hold: run the operator that came with it"
        )
    if (major, minor) < (own_major, own_minor):
        return (
            f"the CRD of {plural} is of schema {there}, and this operator writes {SCHEMA_VERSION}, of which it would "
            f"lose a part: {HOW}"
        )
    return ""


def _numbers(version: str) -> tuple[int, int]:
    """Major and minor; what is no version counts as older than all."""
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)
