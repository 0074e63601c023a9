"""What `local` says of a file, before anything is started."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ringrift_operator.api import TrainingPipeline, TrainingPipelineSpec
from ringrift_operator.api.load import Document, InvalidResources, load, load_file

MINIMAL = """\
apiVersion: ringrift.ai/v1alpha1
kind: TrainingPipeline
metadata:
  name: ringrift
spec:
  artifacts:
    uri: s3://ringrift/main
  configurations:
  - board: square8
    players: 2
"""


def refused(text: str, folder: Path) -> str:
    """What is said of a file with this text."""
    file = folder / "pipeline.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidResources) as caught:
        load_file(file)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_file_of_ten_lines_is_enough(tmp_path: Path) -> None:
    assert len(MINIMAL.splitlines()) == 10
    (tmp_path / "pipeline.yaml").write_text(MINIMAL)
    (pipeline,) = load_file(tmp_path / "pipeline.yaml")
    assert isinstance(pipeline, TrainingPipeline)
    assert pipeline.spec.iterations is None
    assert pipeline.spec.sync.interval == timedelta(hours=1)


@pytest.mark.parametrize("name", ["quickstart.yaml", "full.yaml"])
def test_examples_are_accepted(name: str) -> None:
    (pipeline,) = load_file(Path(__file__).parents[3] / "examples" / name)
    assert isinstance(pipeline, TrainingPipeline)


def test_kinds_of_others_are_left_to_kubectl() -> None:
    assert load([Document("f", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})]) == []


def test_every_problem_is_named_at_once_with_its_file(tmp_path: Path) -> None:
    text = MINIMAL.replace("players: 2", "players: 7").replace("square8", "chess") + "---\nkind: Nothing\n"
    assert refused(text, tmp_path).splitlines() == [
        'pipeline.yaml: TrainingPipeline/ringrift: spec.configurations[0].board: Unsupported value: "chess": '
        'supported values: "square8", "square19", "hex8", "hexagonal"',
        "pipeline.yaml: TrainingPipeline/ringrift: spec.configurations[0].players: Invalid value: 7: "
        "should be less than or equal to 4",
        "pipeline.yaml: is no Kubernetes object: it needs apiVersion: ringrift.ai/v1alpha1 and a kind",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1", "line 1, column 6: is not YAML"),
        ("a: 1\na: 2", "line 2, column 1: is not YAML: a is given twice: remove one"),
        ("a: \x00", "is not YAML"),
        ("- 1", "is no Kubernetes object"),
        ("? [a]\n: 1", "is not YAML"),
        (MINIMAL.replace("v1alpha1", "v1"), "apiVersion: ringrift.ai/v1 is unknown: write ringrift.ai/v1alpha1"),
        (MINIMAL.replace("TrainingPipeline", "Pipeline"), "(did you mean TrainingPipeline?)"),
        (MINIMAL.replace("  name: ringrift", "  nam: ringrift"), 'metadata.nam: unknown field "metadata.nam"'),
        (MINIMAL.replace("  name: ringrift", "  {}"), "metadata.name: Required value"),
        (MINIMAL.replace("metadata:\n  name: ringrift\n", ""), "metadata: Required value"),
        (MINIMAL.replace("players", "playerz"), "configurations[0].players: Required value"),
        (MINIMAL.replace("players", "playerz"), "(did you mean players?)"),
        (MINIMAL.replace("players: 2", 'players: "2"'), 'configurations[0].players: Invalid value: "2": should be'),
        (MINIMAL.replace("players: 2", "players: true"), "configurations[0].players: Invalid value: true"),
        (
            MINIMAL + "  tracks: [weights, later]\n",
            'spec.tracks[1]: Unsupported value: "later": supported values: "weights", "nnue", "network"',
        ),
        (MINIMAL + "  sync: {dedupe: false}\n", "spec.sync.dedupe: Unsupported value: false"),
        (MINIMAL + "  selfplay: {engineModes: [mixed, mixed]}\n", "spec.selfplay.engineModes[1]: Duplicate value"),
        (MINIMAL + "  poolSelector: &a {matchLabels: *a}\n", "is not YAML"),
        (MINIMAL + "  tracks: &a [*a]\n", "line 11, column 11: is not YAML"),
        ("[" * 5000, "is nested too deeply"),
    ],
)
def test_refused(text: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in refused(text, tmp_path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidResources, match=r"absent\.yaml: cannot be read: No such file"):
        load_file(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(InvalidResources, match=r"latin\.yaml: is not UTF-8 text: byte 3"):
        load_file(tmp_path / "latin.yaml")


def test_null_is_absent_and_a_status_is_not_the_users_to_write(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(MINIMAL + "  iterations: null\n  sync: null\nstatus: {nonsense: 1}\n")
    (pipeline,) = load_file(tmp_path / "pipeline.yaml")
    assert isinstance(pipeline, TrainingPipeline)
    assert pipeline.spec == TrainingPipelineSpec.model_validate(
        {"artifacts": {"uri": "s3://ringrift/main"}, "configurations": [{"board": "square8", "players": 2}]}
    )


def test_a_resource_that_comes_again_is_a_change(tmp_path: Path) -> None:
    again = MINIMAL.replace("players: 2", "players: 3")
    (tmp_path / "pipeline.yaml").write_text(MINIMAL + "---\n" + again)
    (pipeline,) = load_file(tmp_path / "pipeline.yaml")
    assert isinstance(pipeline, TrainingPipeline)
    assert pipeline.spec.configurations[0].players == 3


@pytest.mark.parametrize(
    ("list_", "sentence"),
    [
        ("[]", "spec.tracks: Invalid value: []: should have at least 1 items"),
        (f"[{', '.join(['weights'] * 9)}]", "spec.tracks: Invalid value: 9 items: should have at most 8 items"),
    ],
)
def test_a_list_of_the_wrong_length_says_what_was_found(tmp_path: Path, list_: str, sentence: str) -> None:
    assert sentence in refused(f"{MINIMAL}  tracks: {list_}\n", tmp_path)
