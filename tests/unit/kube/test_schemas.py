"""Whether the CRDs that are installed fit this operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_operator.api import crd
from ringrift_operator.api.base import SCHEMA_ANNOTATION, SCHEMA_VERSION
from ringrift_operator.api.kinds import KINDS
from ringrift_operator.kube.schemas import schema_fault

RELEASED = sorted((Path(__file__).parents[2] / "upgrade").glob("released_*/crds/*.yaml"))


def definition(version: str | None) -> dict[str, Any]:
    return {"metadata": {} if version is None else {"annotations": {SCHEMA_ANNOTATION: version}}}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_crds_of_this_version_fit(kind: Any) -> None:
    assert schema_fault(kind.plural, crd.crd(kind)) == ""


def test_a_later_minor_version_fits() -> None:
    major, _, minor = SCHEMA_VERSION.partition(".")
    assert schema_fault("workerpools", definition(f"{major}.{int(minor) + 1}")) == ""


def test_a_later_major_version_does_not() -> None:
    later = f"{int(SCHEMA_VERSION.partition('.')[0]) + 1}.0"
    fault = schema_fault("workerpools", definition(later))
    assert fault.startswith(f"the CRD of workerpools is of schema {later}, and this operator writes {SCHEMA_VERSION}")
    assert fault.endswith("run the operator that came with it")


@pytest.mark.parametrize("version", [None, "0.1", "none"])
def test_an_earlier_one_does_not_and_the_sentence_says_what_to_do(version: str | None) -> None:
    fault = schema_fault("workerpools", definition(version))
    assert f"is of schema {version or '0.0'}" in fault
    assert "helm upgrade --install ringrift-crds" in fault
    assert "kubectl apply --server-side -f crds" in fault


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_a_schema_that_differs_from_a_released_one_has_another_version(path: Path) -> None:
    """Whoever changes a model after a release raises SCHEMA_VERSION."""
    released = yaml.safe_load(path.read_text(encoding="utf-8"))
    now = yaml.safe_load(crd.files()[path.name])
    if now["spec"] != released["spec"]:
        assert released["metadata"]["annotations"].get(SCHEMA_ANNOTATION, "0.0") != SCHEMA_VERSION, path
