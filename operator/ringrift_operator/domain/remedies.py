"""What to do about a refusal, by the words of who refused: the API server, admission, a scheduler, a kubelet."""

from __future__ import annotations

import re

_REMEDIES = (
    (r"exceeded quota", "raise the ResourceQuota, or make do with fewer or smaller slots"),
    (r"(maximum|minimum) \w+ usage per|must be less than or equal to \w+ limit", "change the slot, or the LimitRange"),
    (r"must specify (limits|requests)", "name them in the slot's resources"),
    (r"violates PodSecurity", "mend the pool's podTemplate, or raise the level of the namespace"),
    (r"serviceaccount \S+ not found", "create it, or name another in the chart's values"),
    (r"no PriorityClass with name", "create it, or name another in the pool's podTemplate"),
    (r"failed calling webhook", "whoever keeps that webhook has to mend it, or to leave this namespace out"),
    (r"denied (the )?request", "ask whoever keeps that policy, or mend what it names"),
    (r"cannot \w+ resource", "give the operator the rights of its chart (helm upgrade)"),
    (r"Image(Pull|NeverPull|Name|InspectError)", "look at the image's name, its registry and imagePullSecrets"),
    (r"didn't match Pod's node affinity", "label a node so, or change the pool's nodeSelector"),
    (r"had untolerated taint", "let the pool's tolerations name it"),
    (r"Insufficient \S+|Too many pods", "add such a node, make the slot smaller, or wait until one has room"),
    (r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim \S+ not found", "see kubectl describe pvc"),
)
"""Patterns, the most telling first, and what mends what they stand for."""


def with_remedy(sentence: str) -> str:
    """The sentence, and what to do where its words are known; as it is where they are not."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, sentence):
            return f"{sentence}: {remedy}"
    return sentence
