"""A defect of the operator itself: pipelines say that they stand still, and why, until it is mended."""

from __future__ import annotations

from pathlib import Path

from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl

PLANTED = """
from pathlib import Path
from ringrift_operator.kube import loop

sound = loop.place

def place(*arguments):
    if Path({file!r}).exists():
        raise ZeroDivisionError("slots divided by none")
    return sound(*arguments)

loop.place = place
"""


def test_an_operator_that_fails_at_every_pass_is_a_condition_until_it_is_mended(
    control_plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    person, fails = Person(kubectl), tmp_path / "fails"
    fails.touch()
    planted = PLANTED.format(file=str(fails))
    with (
        OperatorProcess(control_plane.kubeconfig, tmp_path, f"--namespace={namespace}", before=planted),
        Worker(control_plane.kubeconfig, namespace),
    ):
        kubectl.apply(POOL)
        kubectl.apply(pipeline(namespace))
        said = "the operator fails at it (ZeroDivisionError: slots divided by none): this is a defect of the operator"
        eventually(lambda: said in person.condition("Stalled").get("message", ""), person.status)
        assert person.condition("Stalled")["status"] == "True"
        assert said in kubectl("get", "tp", "tiny", "-o", "wide")
        assert [line.startswith(f"Defect: {said}") for line in person.events()].count(True) == 1
        fails.unlink()
        person.sees(phase="Completed", games=20)
        eventually(lambda: person.condition("Stalled")["status"] == "False", person.status)
