"""What keeps the operator from working on a pipeline at all, as conditions: nothing else of its status is touched."""

from __future__ import annotations

from datetime import datetime

from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.domain.conditions import MESSAGE_LENGTH
from ringrift_operator.domain.reasons import FindingReason
from ringrift_operator.kube.resource import Object

_SAYS = (
    (ConditionType.STALLED, ConditionStatus.TRUE, FindingReason.CHANGE_NEEDED),
    (ConditionType.READY, ConditionStatus.FALSE, FindingReason.STALLED),
)


def standstill(pipeline: Object, sentence: str, now: datetime) -> list[Object]:
    """Stalled and not Ready, as an object's own conditions; times change only when a condition does.

    `pipeline` is as the API server has it: that its spec or its status cannot be read may be what is wrong.
    """
    found = pipeline.get("status", {}).get("conditions", ())
    before = {each.get("type"): each for each in found}
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def since(kind: ConditionType, value: ConditionStatus) -> str:
        known = before.get(kind, {})
        is_as_before = known.get("status") == value and "lastTransitionTime" in known
        return str(known["lastTransitionTime"]) if is_as_before else moment

    return [
        {
            "type": kind.value,
            "status": value.value,
            "reason": reason.value,
            "message": sentence[:MESSAGE_LENGTH],
            "observedGeneration": pipeline["metadata"].get("generation", 0),
            "lastTransitionTime": since(kind, value),
        }
        for kind, value, reason in _SAYS
    ]
