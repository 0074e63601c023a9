"""Our images on the node: a stage is an image, a command line and an S3 store."""

from __future__ import annotations

import json

import pytest

from images.contents import OPERATOR, WORKER, Image
from ringrift_core.contract import AdoptParameters, Board, Stage, StageResult, Track, to_arguments
from tests.cluster.kubectl import Kubectl
from tests.cluster.object_store import ObjectStore
from tests.e2e.packages import found_in, listed_beside
from tests.e2e.test_node import job, run


def test_a_stage_answers_from_s3(kubectl: Kubectl, worker_image: str, object_store: ObjectStore) -> None:
    object_store.create_bucket("images")
    parameters = AdoptParameters(store="s3://images/main", board=Board.SQUARE8, players=2, tracks=(Track.WEIGHTS,))
    manifest = job(worker_image, "")
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    del container["command"]
    container["args"] = [*to_arguments(parameters), "--result", "/dev/termination-log"]
    container["env"] = [{"name": name, "value": value} for name, value in object_store.environment().items()]
    (ended,) = run(kubectl, manifest)
    result = StageResult.model_validate(json.loads(ended["message"]))
    assert result.stage == Stage.ADOPT


def test_no_module_of_an_image_needs_a_writable_file_system(kubectl: Kubectl, worker_image: str) -> None:
    program = "import cma, numpy, obstore, onnxruntime, ringrift_core._engine"
    manifest = job(worker_image, program)
    resources = manifest["spec"]["template"]["spec"]["containers"][0]["resources"]
    resources["requests"]["memory"] = resources["limits"]["memory"] = "256Mi"
    (ended,) = run(kubectl, manifest)
    assert ended["exitCode"] == 0


@pytest.mark.parametrize("image", [OPERATOR, WORKER], ids=["operator", "worker"])
def test_the_list_beside_an_image_is_what_its_own_programs_find_in_it(
    image: Image, kubectl: Kubectl, worker_image: str, operator_image: str
) -> None:
    references = {OPERATOR.name: operator_image, WORKER.name: worker_image}
    found = found_in(references[image.name], kubectl)
    assert listed_beside(image) == found
    assert len({kind for kind, _, _ in found}) == 2
