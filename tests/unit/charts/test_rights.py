"""The chart gives the operator what it needs, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringrift_operator.kube.lease import RELEASED_0_1_0
from ringrift_operator.kube.rights import IN_A_NAMESPACE, IN_THE_CLUSTER, Right
from tests.unit.charts.test_charts import Manifest, of_kind, render
from tests.unit.charts.test_charts import helm as helm


def given(roles: list[Manifest]) -> set[tuple[str, str, str, str]]:
    """Group, resource, verb and name of each right in some roles."""
    rules: list[Any] = [rule for role in roles for rule in role["rules"]]
    return {
        (group, resource, verb, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def needed(rights: tuple[Right, ...]) -> set[tuple[str, str, str, str]]:
    found = set()
    for right in rights:
        group = right.resource.api_version.rpartition("/")[0]
        place = "/".join(part for part in (right.resource.plural, right.subresource) if part)
        found |= {(group, place, verb, right.name) for verb in right.verbs}
    return found


@pytest.mark.parametrize(("kind", "rights"), [("Role", IN_A_NAMESPACE), ("ClusterRole", IN_THE_CLUSTER)])
def test_the_chart_gives_what_is_asked_for(kind: str, rights: tuple[Right, ...], helm: Path) -> None:
    roles = of_kind(render(helm), kind)
    of_an_older_release = {right for right in given(roles) if right[3] == RELEASED_0_1_0}
    assert given(roles) - of_an_older_release == needed(rights)
