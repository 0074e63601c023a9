"""Label selectors mean what they mean in Kubernetes."""

from __future__ import annotations

from typing import Any

import pytest

from ringrift_operator.api.selector import LabelSelector

LABELS = {"tier": "cpu", "site": "home"}


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ({}, True),
        ({"matchLabels": {"tier": "cpu"}}, True),
        ({"matchLabels": {"tier": "gpu"}}, False),
        ({"matchLabels": {"rack": "1"}}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["gpu", "cpu"]}]}, True),
        ({"matchExpressions": [{"key": "rack", "operator": "In", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["cpu"]}]}, False),
        ({"matchExpressions": [{"key": "rack", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "site", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "site", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"tier": "cpu"}, "matchExpressions": [{"key": "rack", "operator": "Exists"}]}, False),
    ],
)
def test_selector(selector: dict[str, Any], chosen: bool) -> None:
    assert LabelSelector.model_validate(selector).matches(LABELS) is chosen
