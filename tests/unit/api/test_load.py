"""What `local` says of a file, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringrift_operator.api import TrainingPipeline, TrainingPipelineSpec
from ringrift_operator.api.load import Document, InvalidResources, left_to_kubectl, load, load_file, read, read_all

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
    assert pipeline.spec.sync is None


@pytest.mark.parametrize("name", ["quickstart.yaml", "full.yaml", "gpu.yaml"])
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
        ("a: !!int b", "is not YAML"),
        ("a: " + "9" * 5000, "is not YAML"),
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
        (MINIMAL.replace("players: 2", "players: 2.5"), "configurations[0].players: Invalid value: 2.5: should be"),
        (MINIMAL.replace("players: 2", 'players: "2"'), "should be a valid integer: no quotes"),
        (MINIMAL + '  suspend: "true"\n', 'spec.suspend: Invalid value: "true": should be a valid boolean: no quotes'),
        (MINIMAL + "  sync: {interval: 1:30}\n", "spec.sync.interval: write a duration in hours, minutes and seconds"),
        (MINIMAL + "  sync: {interval: 90}\n", "spec.sync.interval: write a duration in hours, minutes and seconds"),
        (MINIMAL.replace("name: ring", "generateName: ring"), "metadata.name: Required value: generateName is for"),
        ("kind: List\napiVersion: v1\nitems: [{kind: 1}, 2]\n", "pipeline.yaml, items[1]: is no Kubernetes object"),
        ('{"a": 1} {"a"', "is not YAML"),
    ],
)
def test_refused(text: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in refused(text, tmp_path)


POOL = """\
apiVersion: ringrift.ai/v1alpha1
kind: WorkerPool
metadata: {name: nodes}
spec: {type: Cluster, slots: [{name: a, stages: [train], resources: {cpu: CPU, memory: MEMORY}}]}
"""


@pytest.mark.parametrize(
    ("cpu", "memory", "sentence"),
    [
        ("0.5", "1Gi", 'resources.cpu: Invalid value: 0.5: should be a whole number or text: write "0.5", in quotes'),
        ("1", "1.5", 'resources.memory: Invalid value: 1.5: should be a whole number or text: write "1.5", in quotes'),
        ("1", "-1", "resources.memory: Invalid value: -1: should match"),
        ("1", "1 Gi", 'resources.memory: Invalid value: "1 Gi": should match'),
        ("yes", "1Gi", "resources.cpu: Invalid value: true: should be a valid string"),
    ],
)
def test_a_quantity_that_is_refused_is_told_how_to_write_it(
    cpu: str, memory: str, sentence: str, tmp_path: Path
) -> None:
    assert sentence in refused(POOL.replace("CPU", cpu).replace("MEMORY", memory), tmp_path)


def test_aliases_that_stand_for_billions_are_refused_at_once(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
    assert "holds more than a million values once its aliases are written out" in refused(bomb, tmp_path)


def test_folders_and_several_files_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.json", "c.yml", "notes.txt"):
        (tmp_path / name).write_text(f'{{"apiVersion": "v1", "kind": "Secret", "metadata": {{"name": "{name}"}}}}')
    (tmp_path / "deeper.yaml").mkdir()
    (tmp_path / "deeper.yaml" / "d.yaml").write_text("a: 1")
    found = read_all([tmp_path, tmp_path / "notes.txt"])
    assert left_to_kubectl(found) == ["Secret/a.json", "Secret/b.yaml", "Secret/c.yml", "Secret/notes.txt"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidResources, match=r"empty: holds no file that ends in \.json, \.yaml, \.yml"):
        read_all([tmp_path / "empty"])


def test_an_address_is_to_be_fetched_first() -> None:
    with pytest.raises(InvalidResources, match="is an address: fetch it and give it to -f -, standard input"):
        read_all([Path("https://example.org/pipeline.yaml")])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_other_systems_write_is_read(encoding: str, newline: str, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(f"# é\n{MINIMAL}---\n{MINIMAL}".replace("\n", newline).encode(encoding))
    (pipeline,) = load_file(file)
    assert pipeline.metadata.name == "ringrift"


def test_lists_within_lists_are_taken_apart(tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    secret = "{apiVersion: v1, kind: Secret, metadata: {name: keys}}"
    inner = "{apiVersion: ringrift.ai/v1alpha1, kind: TrainingPipelineList, items: []}"
    file.write_text(
        f"apiVersion: v1\nkind: List\nitems: [{secret}, {{apiVersion: v1, kind: List, items: [{secret}]}}, {inner}]"
    )
    assert [document.file.rpartition("/")[2] for document in read(file)] == [
        "list.yaml, items[0]",
        "list.yaml, items[1], items[0]",
    ]


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
