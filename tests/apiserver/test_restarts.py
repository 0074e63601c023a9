"""The operator is killed between any two steps: nothing is started twice, no outcome is lost."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from ringrift_operator.kube.lease import DEADLINE_SECONDS
from tests.apiserver.gateway import Gateway, Write
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl


def kubeconfig_by(gateway: Gateway, path: Path) -> Path:
    """A kubeconfig that leads through the gateway."""
    cluster = {"name": "gateway", "cluster": {"server": f"http://127.0.0.1:{gateway.port}"}}
    context = {"name": "gateway", "context": {"cluster": "gateway", "user": "gateway"}}
    users = [{"name": "gateway", "user": {}}]
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [cluster],
                "contexts": [context],
                "users": users,
                "current-context": "gateway",
            }
        )
    )
    return path


def came_of(person: Person) -> dict[str, Any]:
    """What must not depend on how often the operator died."""
    status = person.status()
    records = person.kubectl.get("ti")["items"]
    (configuration,) = status["configurations"]
    return {
        **{name: status.get(name) for name in ("phase", "iteration", "games", "promotions", "tasks")},
        "champions": {track["name"]: track["champion"] for track in configuration["tracks"] if "champion" in track},
        "records": [(record["metadata"]["name"], record["spec"]["games"]) for record in records],
    }


def test_killed_after_every_single_write(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    kubectl.apply(POOL)
    person = Person(kubectl)
    with Gateway(control_plane) as gateway, Worker(control_plane.kubeconfig, namespace) as worker:
        operator = OperatorProcess(
            kubeconfig_by(gateway, tmp_path / "kubeconfig"), tmp_path, f"--namespace={namespace}"
        )

        def kill(write: Write) -> None:
            if "/workerpools/" not in write.path:
                operator.kill()

        gateway.after_write = kill
        kubectl.apply(pipeline(namespace))
        lives = 0
        while person.status().get("phase") != "Completed":
            lives += 1
            assert lives < 60, person.status()
            operator.start()
            eventually(lambda: not operator.is_running or person.status().get("phase") == "Completed")
            if not operator.is_running:
                assert operator.wait() == -signal.SIGKILL, operator.log.read_text()[-2000:]
        gateway.after_write = lambda _: None
        # The last life may have outlived its last write.
        operator.kill()
        operator.wait()
        with operator:
            eventually(lambda: person.jobs() == [])
            killed = came_of(person)

    twice = {name: count for name, count in Counter(gateway.created).items() if count > 1}
    assert not twice
    assert Counter(worker.ran) == {
        "adopt": 1,
        "selfplay": 2,
        "merge": 1,
        "cmaes": 1,
        "evaluate-weights": 1,
        "promote-weights": 1,
        "roundrobin": 1,
    }
    assert killed["phase"] == "Completed"
    assert (killed["iteration"], killed["games"], killed["promotions"]) == (1, 20, 1)
    assert killed["tasks"] == {"succeeded": 7, "failed": 0}
    assert killed["champions"] == {"weights": "1"}
    assert len(killed["records"]) == 1


def written_at_rest(gateway: Gateway) -> int:
    """How much was written once everything has been: Pods begin after their Jobs, on a busy machine long after."""
    written = -1
    while written != len(gateway.writes):
        written = len(gateway.writes)
        time.sleep(5)
    return written


def test_a_second_pass_over_a_settled_pipeline_writes_nothing(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    kubectl.apply(POOL)
    person = Person(kubectl)
    with Gateway(control_plane) as gateway, Worker(control_plane.kubeconfig, namespace) as worker:
        worker.holds |= {"cmaes", "selfplay"}
        kubeconfig = kubeconfig_by(gateway, tmp_path / "kubeconfig")
        with OperatorProcess(kubeconfig, tmp_path, f"--namespace={namespace}") as operator:
            kubectl.apply(pipeline(namespace))
            eventually(lambda: len(person.jobs()) == 2)
            eventually(lambda: kubectl.get("wp", "pool")["status"].get("busy") == 3)
            before = written_at_rest(gateway)
            kubectl("annotate", "tp", "tiny", "unrelated=annotation")  # touches the pipeline: a pass
            operator.stop()
            operator.start()  # everything is looked at anew
            eventually(lambda: "found 1 pipelines" in operator.log.read_text().rsplit("serving", 1)[-1])
            kubectl("annotate", "tp", "tiny", "unrelated=again", "--overwrite")
            eventually(lambda: operator.is_running)
            assert [str(write) for write in gateway.writes[before:]] == []


def test_two_operators_work_one_at_a_time(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    kubectl.apply(POOL)
    person = Person(kubectl)
    arguments = (f"--namespace={namespace}",)
    first = OperatorProcess(control_plane.kubeconfig, tmp_path / "first", *arguments, "--identity=first")
    second = OperatorProcess(control_plane.kubeconfig, tmp_path / "second", *arguments, "--identity=second")
    with Worker(control_plane.kubeconfig, namespace), first:
        eventually(lambda: "holding Lease" in first.log.read_text())
        with second:
            eventually(lambda: "held by first" in second.log.read_text())
            kubectl.apply(pipeline(namespace))
            person.sees(phase="Completed")
            assert "holding Lease" not in second.log.read_text()
            assert first.stop() == 0
            lease = kubectl.get("lease", "ringrift-namespace")
            assert lease["spec"]["holderIdentity"] in ("", "second")  # let go, not waited out
            eventually(lambda: "holding Lease" in second.log.read_text())
            kubectl.apply(pipeline(namespace, "next"))
            Person(kubectl, "next").sees(phase="Completed")


def test_an_api_server_that_was_away(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """Longer than the Lease is valid: nothing is written meanwhile, and afterwards the same process goes on."""
    kubectl.apply(POOL)
    person = Person(kubectl)
    with Gateway(control_plane) as gateway, Worker(control_plane.kubeconfig, namespace) as worker:
        worker.holds |= {"cmaes", "selfplay"}
        kubeconfig = kubeconfig_by(gateway, tmp_path / "kubeconfig")
        with OperatorProcess(kubeconfig, tmp_path, f"--namespace={namespace}") as operator:
            kubectl.apply(pipeline(namespace))
            eventually(lambda: len(person.jobs()) == 2)
            gateway.is_down = True
            worker.holds.clear()
            time.sleep(DEADLINE_SECONDS + 2)
            gateway.is_down = False
            person.sees(phase="Completed", games=20, promotions=1)
            assert operator.is_running
    assert set(Counter(gateway.created).values()) == {1}
