"""Refusals in the words of those who refuse, as they were seen on real clusters."""

from __future__ import annotations

import pytest

from ringrift_operator.domain.remedies import with_remedy

SEEN = {
    "FailedCreate: its Pod is forbidden: exceeded quota: games, requested: pods=1": "raise the ResourceQuota",
    "FailedCreate: its Pod is forbidden: maximum memory usage per Container is 1Mi, but limit is 1Gi": "the LimitRange",
    "its Pod is forbidden: failed quota: q: must specify limits.cpu for: stage": "the slot's resources",
    'its Pod is forbidden: violates PodSecurity "restricted:latest": privileged': "the pool's podTemplate",
    'error looking up service account n/later: serviceaccount "later" not found': "name another in the chart",
    "its Pod is forbidden: no PriorityClass with name absent was found": "create it",
    'Internal error occurred: failed calling webhook "nobody.example.com"': "leave this namespace out",
    "ValidatingAdmissionPolicy 'pods' with binding 'pods' denied request: no pods today": "whoever keeps that policy",
    'admission webhook "policy.example.com" denied the request: not here': "whoever keeps that policy",
    '403 Forbidden: jobs.batch is forbidden: User "operator" cannot create resource "jobs"': "the rights of its chart",
    'ImagePullBackOff: Back-off pulling image "ringrift-worker:test"': "imagePullSecrets",
    "ErrImageNeverPull: Container image is not present with pull policy of Never": "imagePullSecrets",
    "InvalidImageName: couldn't parse image name": "imagePullSecrets",
    "Unschedulable: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector": "nodeSelector",
    "Unschedulable: 0/2 nodes are available: 2 node(s) had untolerated taint {gpu: yes}": "tolerations",
    "Unschedulable: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu.": "make the slot smaller",
}


@pytest.mark.parametrize("said", SEEN)
def test_what_is_refused_says_what_to_do(said: str) -> None:
    advised = with_remedy(said)
    assert advised.startswith(f"{said}: ")
    assert SEEN[said] in advised.removeprefix(said)


def test_words_that_nobody_knows_are_left_as_they_are() -> None:
    assert with_remedy("exit code 1: the store is damaged") == "exit code 1: the store is damaged"
