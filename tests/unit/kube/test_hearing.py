"""Machines outside the cluster as the operator hears of them: minutes pass here by being said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringrift_core.contract import CONTRACT_VERSION
from ringrift_operator.api.remotetask import RemoteTaskStatus, TaskPhase
from ringrift_operator.builders.lease import pool_lease, task_lease
from ringrift_operator.domain.handshake import unfit
from ringrift_operator.domain.reasons import PoolReason
from ringrift_operator.domain.silence import Moment
from ringrift_operator.kube.hearing import DEAF_SECONDS, Ears, Hearing, Presence
from ringrift_operator.kube.resource import Object, uid_of
from ringrift_operator.kube.world import World

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
API = "ringrift.ai/v1alpha1"
SLOT = {"name": "games", "stages": ["selfplay"], "resources": {"memory": "1Gi"}}


class Scene:
    """A pool `mac`, a task `task` of it, and their Leases, as the mirrors have them."""

    def __init__(self) -> None:
        self.touched: list[tuple[str, str]] = []
        self.world = World(self.touched.append)
        self._version = 0
        self.hearing = Hearing(self.world)
        self.seconds = 0.0
        self.pool: Object = {
            "apiVersion": API,
            "kind": "WorkerPool",
            "metadata": self._metadata("mac"),
            "spec": {"type": "Runner", "slots": [SLOT]},
        }
        self.task: Object = {
            "apiVersion": API,
            "kind": "RemoteTask",
            "metadata": {**self._metadata("task"), "labels": {"ringrift.ai/pool": "mac"}},
            "spec": {"pool": "mac", "slot": "games"},
        }
        self.leases = {
            "pool": pool_lease(self.pool["metadata"]),
            "task": task_lease(self.task["metadata"], "mac"),
        }
        self.put(self.world.pools, self.pool)
        for name, lease in self.leases.items():
            lease["metadata"] = {**lease["metadata"], "uid": f"{name}-lease"}
            self.put(self.world.leases, lease)
        self.put(self.world.pipelines, self._pipeline())

    def _metadata(self, name: str) -> dict[str, Any]:
        moment = "2026-01-31T12:00:00Z"
        return {"namespace": "home", "name": name, "uid": f"{name}-uid", "creationTimestamp": moment}

    def _pipeline(self) -> Object:
        return {"metadata": self._metadata("tp"), "spec": {"artifacts": {"uri": "s3://a/b"}}}

    def put(self, mirror: Any, obj: Object) -> None:
        self._version += 1
        mirror.put({**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}})

    def renew(
        self, *names: str, holder: str = "studio", contract: str = CONTRACT_VERSION, clock_off: float = 0
    ) -> None:
        """The runner renews the Leases of its pool, its task, or both: by its own clock."""
        for name in names:
            lease = self.leases[name]
            told = (START + timedelta(seconds=self.seconds + clock_off)).isoformat()
            spec = {**lease["spec"], "holderIdentity": holder, "renewTime": told}
            annotations = {"ringrift.ai/contract": contract, "ringrift.ai/runner-version": "0.1.0"}
            self.put(
                self.world.leases,
                {**lease, "metadata": {**lease["metadata"], "annotations": annotations}, "spec": spec},
            )

    def says(self, phase: str, **status: Any) -> None:
        """The task's status is this."""
        self.put(self.world.remote_tasks, {**self.task, "status": {"phase": phase, "holder": "studio", **status}})

    def hear(self) -> list[str]:
        """Listens at the second it is; why tasks are lost."""
        return [why for _, why in self.hearing.hear(self.now)]

    @property
    def now(self) -> Moment:
        return Moment(self.seconds, START + timedelta(seconds=self.seconds))

    def at(self, seconds: float) -> list[str]:
        """Listens each second until then; why tasks are lost by the end."""
        lost: list[str] = []
        while self.seconds < seconds:
            self.seconds += 1
            lost = self.hear()
        return lost

    @property
    def presence(self) -> Presence:
        return self.hearing.presence(self.pool)


def begun(phase: str, **status: Any) -> Scene:
    """A runner that has been heard of at second 1, with a task in this phase."""
    made = Scene()
    made.at(1)
    made.renew("pool", "task")
    made.says(phase, **status)
    made.hear()
    return made


@pytest.fixture
def scene() -> Scene:
    """A runner that was heard of at second 1, with a claimed task that runs."""
    return begun("Running")


@pytest.fixture
def unclaimed() -> Scene:
    """The same, and it has not claimed its task yet."""
    return begun("Pending", holder="")


def test_a_pool_that_nobody_took_is_offline_and_nobody_knows_since_when() -> None:
    scene = Scene()
    scene.at(300)
    assert scene.presence.reason == PoolReason.RUNNER_OFFLINE
    assert scene.presence.offline_since is None


def test_silent_for_half_a_minute_nothing_is_lost(scene: Scene) -> None:
    assert scene.presence.is_online
    assert scene.at(31) == []
    assert scene.presence.is_online
    scene.renew("pool", "task")
    assert scene.at(90) == []
    assert scene.presence.is_online


def test_silent_for_more_than_a_minute_its_task_is_lost_and_its_pool_offline_since_it_was_heard(scene: Scene) -> None:
    assert scene.at(61) == []
    assert scene.at(62) == ["studio has been silent for more than 60 s"]
    assert not scene.presence.is_online
    assert scene.presence.offline_since == START + timedelta(seconds=1)
    assert scene.presence.message == "studio has been silent since 12:00:01 UTC"
    scene.says("Lost")
    assert scene.at(150) == []
    scene.renew("pool")
    scene.at(151)
    assert scene.presence.is_online
    assert scene.presence.offline_since is None


def test_pipelines_are_looked_at_again_when_a_pool_comes_and_when_it_goes(scene: Scene) -> None:
    assert ("home", "tp") in scene.touched
    scene.touched.clear()
    scene.at(61)
    assert scene.touched == []
    scene.at(62)
    assert scene.touched == [("home", "tp")]


@pytest.mark.parametrize("clock_off", [-3600.0, 3600.0, 1e6])
def test_what_time_it_is_there_matters_to_nobody(scene: Scene, clock_off: float) -> None:
    for second in range(10, 301, 10):
        scene.renew("pool", "task", clock_off=clock_off)
        assert scene.at(second) == []
        assert scene.presence.is_online
    assert scene.at(351) == []
    assert scene.at(352) != []


def test_a_clock_that_stands_still_is_no_sign_of_life(scene: Scene) -> None:
    for second in range(10, 61, 10):
        scene.renew("pool", "task", clock_off=-scene.seconds)
        scene.at(second)
    assert scene.at(75) != []


def test_a_live_runner_that_no_longer_works_on_a_task_has_lost_it(scene: Scene) -> None:
    for second in range(10, 71, 10):
        scene.renew("pool")
        lost = scene.at(second)
    assert lost == ["studio has been silent for more than 60 s"]
    assert scene.presence.is_online


def test_what_nobody_claims_waits_while_the_runner_lives_and_a_minute_longer(unclaimed: Scene) -> None:
    for second in range(10, 301, 10):
        unclaimed.renew("pool")
        assert unclaimed.at(second) == []
    assert unclaimed.at(351) == []
    assert unclaimed.at(352) == ["the runner of pool mac has been silent for more than 60 s"]


def test_a_runner_that_stops_in_order_is_offline_at_once_and_may_come_back_within_a_minute(unclaimed: Scene) -> None:
    unclaimed.at(10)
    unclaimed.renew("pool", holder="")
    assert unclaimed.at(11) == []
    assert unclaimed.presence.offline_since == START + timedelta(seconds=11)
    assert "has stopped" in unclaimed.presence.message
    assert unclaimed.at(71) == []
    assert unclaimed.at(72) != []


def test_tasks_of_a_pool_that_is_gone_are_lost(unclaimed: Scene) -> None:
    unclaimed.world.pools.drop(unclaimed.pool)
    assert unclaimed.at(60) == []
    assert unclaimed.at(63) == ["there is no Runner pool mac any more"]


def test_an_older_task_of_that_name_does_not_renew_for_this_one(scene: Scene) -> None:
    scene.leases["task"]["metadata"]["ownerReferences"][0]["uid"] = "another"
    for second in range(10, 71, 10):
        scene.renew("pool", "task")
        lost = scene.at(second)
    assert lost != []


@pytest.mark.parametrize(
    ("contract", "reason"),
    [
        ("0.9", PoolReason.RUNNER_TOO_OLD),
        ("", PoolReason.RUNNER_TOO_OLD),
        (CONTRACT_VERSION, PoolReason.RUNNER_ONLINE),
        ("1.99", PoolReason.RUNNER_ONLINE),
        ("2.0", PoolReason.RUNNER_TOO_NEW),
    ],
)
def test_a_runner_of_another_contract_is_given_nothing(scene: Scene, contract: str, reason: PoolReason) -> None:
    scene.renew("pool", contract=contract)
    scene.at(2)
    assert scene.presence.reason == reason


@pytest.mark.parametrize(("contract", "fits"), [("1.1", False), ("1.2", True), ("1.10", True), ("2.2", False)])
def test_a_minor_version_of_the_contract_counts_too(contract: str, fits: bool) -> None:
    assert (unfit(contract, "0.1.0", own="1.2") is None) == fits


def test_while_the_api_server_is_away_nobody_is_silent() -> None:
    clock, silence = [0.0], [0.0]
    ears = Ears(lambda: silence[0], lambda: clock[0])
    for _ in range(600):
        clock[0] += 1
        silence[0] += 1
        ears.now()
    assert DEAF_SECONDS - 1 <= ears.now().listened <= DEAF_SECONDS
    clock[0] += 10
    silence[0] = 0
    assert ears.now().listened <= DEAF_SECONDS + 10


@pytest.mark.parametrize("was_online", [True, False])
def test_an_operator_that_was_restarted_gives_time_to_whom_it_knew_to_be_there(was_online: bool) -> None:
    scene = Scene()
    went = "2026-01-30T08:00:00Z"
    ready = {"type": "Ready", "status": str(was_online), "reason": "R", "message": "", "lastTransitionTime": went}
    scene.put(scene.world.pools, {**scene.pool, "status": {"online": was_online, "conditions": [ready]}})
    scene.renew("pool", "task")
    scene.says("Running")
    scene.hear()
    assert scene.presence.is_online == was_online
    if not was_online:
        assert scene.presence.offline_since == datetime(2026, 1, 30, 8, tzinfo=UTC)
    # The task has its minute either way: nobody knows how long it has been silent.
    assert scene.at(60) == []
    assert scene.at(61) != []
    assert not scene.presence.is_online


def test_when_a_task_began_and_was_heard_of_is_told_by_our_own_clock(scene: Scene) -> None:
    task = uid_of(scene.task)
    began = scene.hearing.seen(task, RemoteTaskStatus(phase=TaskPhase.RUNNING))
    assert (began.is_claimed, began.since.clock) == (True, START + timedelta(seconds=1))
    scene.at(20)
    scene.says("Running", progress=0.5)
    scene.at(40)
    seen = scene.hearing.seen(task, RemoteTaskStatus(phase=TaskPhase.RUNNING, progress=0.5))
    assert seen.since == began.since
    assert seen.told.at.clock == START + timedelta(seconds=21)


def test_what_a_task_has_just_told_is_no_silence_before_it_is_heard(scene: Scene) -> None:
    """A pass over its pipeline comes between two looks at the machines, and none may follow."""
    scene.at(40)
    told = scene.hearing.seen(uid_of(scene.task), RemoteTaskStatus(phase=TaskPhase.RUNNING, progress=0.5))
    assert told.told.at.clock == START + timedelta(seconds=40)
    fresh = scene.hearing.seen("another", RemoteTaskStatus(phase=TaskPhase.RUNNING))
    assert (fresh.is_claimed, fresh.told.at.clock) == (True, START + timedelta(seconds=40))
