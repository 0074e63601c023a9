"""`ringrift-runner doctor` over a real API server: what is well, and what it says of what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringrift_operator.runner.doctor import Examined, examine
from ringrift_operator.runner.settings import Settings
from tests.apiserver.machine import POOL, Machine
from tests.apiserver.machine import a_machine as a_machine
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.cluster.control_plane import ControlPlane


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture
def settings(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a runner that has been set up, and does not run; its pool has got its Lease."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    folder = machine.runner().folder
    eventually(lambda: machine.kubectl("get", "leases", "-o", "name"))
    return Settings(POOL, folder, folder / "kubeconfig")


def found(settings: Settings, store: str | None = None) -> dict[str, Examined]:
    findings: list[Examined] = []
    is_well = examine(settings, store, findings.append)
    assert is_well == all(each.is_well for each in findings)
    return {each.what: each for each in findings}


def bad(findings: dict[str, Examined]) -> dict[str, str]:
    return {what: each.said for what, each in findings.items() if not each.is_well}


def test_a_machine_that_is_set_up_is_well(settings: Settings, tmp_path: Path) -> None:
    findings = found(settings, f"file://{tmp_path}/store")
    assert bad(findings) == {}
    everything = ["folder", "stages", "token", "pool", "rights", "lease", "memory", "store"]
    assert list(findings) == everything
    assert findings["lease"].said == "free"
    assert "written, read, changed and cleared" in findings["store"].said


def test_it_says_who_has_the_pool(settings: Settings, machine: Machine) -> None:
    with machine.runner():
        eventually(machine.is_online)
        findings = found(replace(settings, folder=machine.folder / "another"))
        holder = (machine.folder / "runner" / "identity").read_text()
        assert findings["lease"].said == f"held by {holder}"
        assert "a runner (process " in found(settings)["folder"].said


def test_it_says_what_the_slots_promise_and_the_machine_lacks(settings: Settings, machine: Machine) -> None:
    slot = {"name": "train", "stages": ["train"], "device": "cuda", "resources": {"memory": "100Ti"}, "count": 2}
    machine.has_pool(slots=[slot])
    faults = bad(found(settings))
    assert faults.keys() == {"memory", "device"}
    assert faults["memory"].startswith("the slots promise 204800Gi, this machine has ")
    assert faults["device"] == "slot train wants cuda, this machine has cpu"


def test_a_store_that_cannot_be_written_is_told_by_its_own_sentence(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (fault,) = bad(found(settings, f"file://{tmp_path}/file/store")).items()
    assert fault[0] == "store"
    assert f"{tmp_path}/file" in fault[1]


def test_credentials_of_another_pool_and_none_at_all(settings: Settings) -> None:
    faults = bad(found(replace(settings, pool="mini")))
    assert faults["token"] == f"it is for the runner of pool {POOL}, not mini"
    assert faults["pool"].startswith("403 Forbidden")
    faults = bad(found(replace(settings, kubeconfig=settings.folder / "nowhere")))
    assert faults.keys() == {"kubeconfig"}
    assert "runner-credentials" in faults["kubeconfig"]


def test_a_pool_of_the_cluster_is_none_for_a_runner(settings: Settings, machine: Machine) -> None:
    machine.kubectl("patch", "wp", POOL, "--type=merge", "-p", '{"spec": {"type": "Cluster"}}')
    assert bad(found(settings))["pool"] == "it is of type Cluster: its tasks are Jobs"
