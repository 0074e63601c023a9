"""The forms in which people write a resource: what kubectl and the API server take, `local` takes, and means the same.

Each file is applied for show (`--dry-run=server`) and loaded; both refuse it, or both find the same resources in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringrift_operator.api import TrainingPipeline, WorkerPool
from ringrift_operator.api.base import GROUP, Resource
from ringrift_operator.api.kinds import KINDS
from ringrift_operator.api.load import InvalidResources, load, read_all
from tests.cluster.kubectl import Kubectl, KubectlError

PIPELINE = """\
apiVersion: ringrift.ai/v1alpha1
kind: TrainingPipeline
metadata: {name: ringrift}
spec:
  artifacts: {uri: "s3://ringrift/main"}
  configurations: [{board: square8, players: 2}]
"""
POOL = """\
apiVersion: ringrift.ai/v1alpha1
kind: WorkerPool
metadata: {name: nodes}
spec: {type: Cluster, slots: [{name: a, stages: [train], resources: {cpu: 1, memory: 1Gi}}]}
"""


def pipeline(line: str) -> str:
    """With another line in its spec."""
    return f"{PIPELINE}  {line}\n"


def with_players(text: str) -> str:
    return PIPELINE.replace("players: 2", f"players: {text}")


def with_metadata(text: str) -> str:
    return PIPELINE.replace("{name: ringrift}", text)


def with_cpu(text: str) -> str:
    return POOL.replace("cpu: 1", f"cpu: {text}")


def with_memory(text: str) -> str:
    return POOL.replace("1Gi", text)


def in_a_list(kind: str, version: str, *items: str) -> str:
    parts = ("- " + item.replace("\n", "\n  ").rstrip() for item in items)
    return f"apiVersion: {version}\nkind: {kind}\nitems:\n" + "\n".join(parts) + "\n"


AS_JSON = """{
\t"apiVersion": "ringrift.ai/v1alpha1", "kind": "TrainingPipeline", "metadata": {"name": "NAME"},
\t"spec": {"artifacts": {"uri": "s3://ringrift/main"}, "configurations": [{"board": "square8", "players": 2.0}]}
}
"""

FORMS: dict[str, str] = {
    "a number with a point": with_players("2.0"),
    "an exponent": pipeline("iterations: 1e3"),
    "an exponent with a sign": pipeline("iterations: 1E+3"),
    "a point and nothing": with_players("2."),
    "a part of a number": with_players("2.5"),
    "a sign": with_players("+2"),
    "octal": with_players("03"),
    "octal of later YAML": with_players("0o3"),
    "no octal": pipeline("iterations: 08"),
    "hexadecimal": with_players("0x3"),
    "binary": with_players("0b11"),
    "underscores": pipeline("iterations: 1_000"),
    "sixties": pipeline("sync: {interval: 1:30}"),
    "a quoted number": with_players('"2"'),
    "a tagged number": with_players('!!int "2"'),
    "a tagged text": with_players("!!str 2"),
    "a rate as a whole number": pipeline("evaluation: {promotionThreshold: 1}"),
    "a rate without a zero": pipeline("evaluation: {promotionThreshold: .6}"),
    "a number of 20 digits": pipeline("selfplay: {seed: 99999999999999999999}"),
    "yes": pipeline("suspend: yes"),
    "Off": pipeline("suspend: Off"),
    "y": pipeline("suspend: y"),
    "N": pipeline("suspend: N"),
    "TRUE": pipeline("suspend: TRUE"),
    "a quoted truth": pipeline('suspend: "true"'),
    "null": pipeline("suspend: ~"),
    "nothing": pipeline("suspend:"),
    "a duration": pipeline("sync: {interval: 90m}"),
    "a duration as a number": pipeline("sync: {interval: 90}"),
    "a duration in days": pipeline("sync: {interval: 1d}"),
    "a duration with a point": pipeline("sync: {interval: 1.5h}"),
    "a duration of zero": pipeline("selfplay: {cooldown: 0}"),
    "half a core": with_cpu("0.5"),
    "half a core in quotes": with_cpu('"0.5"'),
    "half a core in thousandths": with_cpu("500m"),
    "two cores with a point": with_cpu("2.0"),
    "bytes": with_memory("1073741824"),
    "bytes with an exponent": with_memory("1e9"),
    "bytes with an exponent in quotes": with_memory('"1e9"'),
    "gigabytes": with_memory('"1.5G"'),
    "gibibytes without quotes": with_memory("1.5Gi"),
    "exabytes": with_memory("1E"),
    "less than a byte": with_memory("500m"),
    "a sign in a quantity": with_memory('"+1Gi"'),
    "less than nothing": with_memory("-1"),
    "less than nothing in text": with_memory('"-1Gi"'),
    "gigabytes as people say": with_memory("1GB"),
    "no quantity": with_memory("yes"),
    "a label that is a number": with_metadata("{name: ringrift, labels: {tier: 1}}"),
    "a key that is a truth": pipeline("poolSelector: {matchLabels: {on: here}}"),
    "a key that is a number": pipeline('poolSelector: {matchLabels: {1: "2"}}'),
    "a date": with_metadata("{name: ringrift, annotations: {since: 2026-01-31}}"),
    "a generated name": with_metadata("{generateName: ringrift-}"),
    "no name": with_metadata("{}"),
    "two files in one": f"{PIPELINE}---\n{POOL}",
    "empty documents": f"---\n---\n# nothing\n---\n{PIPELINE}---\n",
    "a marked end": f"{PIPELINE}...\n",
    "a directive": f"%YAML 1.1\n---\n{PIPELINE}",
    "Windows lines": f"{PIPELINE}---\n{POOL}".replace("\n", "\r\n"),
    "a byte order mark": f"\ufeff{PIPELINE}",
    "anchors": PIPELINE.replace(
        "[{board: square8, players: 2}]", "[&a {board: square8, players: 2}, {<<: *a, players: 3}]"
    ),
    "merged twice": PIPELINE.replace(
        "[{board: square8, players: 2}]",
        "[&a {board: hex8, players: 2}, &b {board: square8, players: 3}, {<<: [*b, *a], players: 4}]",
    ),
    "an anchor that nobody made": pipeline("tracks: *a"),
    "a key twice in JSON": AS_JSON.replace('"spec"', '"kind": "TrainingPipeline", "spec"'),
    "tabs": PIPELINE.replace("  configurations", "\tconfigurations"),
    "JSON": AS_JSON,
    "JSON after JSON": AS_JSON.replace("NAME", "one") + AS_JSON.replace("NAME", "two"),
    "JSON and YAML": f"{AS_JSON}---\n{POOL}",
    "JSON that is cut": AS_JSON[:-10],
    "a list": in_a_list("List", "v1", PIPELINE, POOL),
    "a list of one kind": in_a_list("TrainingPipelineList", "ringrift.ai/v1alpha1", PIPELINE),
    "a list of others' kinds": in_a_list(
        "List", "v1", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n", PIPELINE
    ),
    "a list with something else": in_a_list("List", "v1", PIPELINE, "text"),
    "an empty list": "apiVersion: v1\nkind: List\nitems: []\n",
    "an unknown field": pipeline("iteration: 3"),
    "an unknown field deep down": PIPELINE.replace("players: 2", "players: 2, network: {epoch: 3}"),
    "an unknown field of metadata": with_metadata("{name: ringrift, label: {}}"),
    "a status": PIPELINE + "status: {phase: Nonsense}\n",
    "an unknown kind": PIPELINE.replace("TrainingPipeline", "TrainingPipelines"),
    "no kind": PIPELINE.replace("kind: TrainingPipeline\n", ""),
    "a name with capitals": with_metadata("{name: RingRift}"),
    "a name that is a number": with_metadata("{name: 1}"),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_both_take_it_or_neither_does(text: str, kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_bytes(text.replace("NAME", "ringrift").encode())
    assert_alike(kubectl, file)


def test_a_key_twice_is_refused_here_where_kubectl_takes_the_last(kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_text(pipeline("suspend: true\n  suspend: false"))
    kubectl("apply", "--dry-run=server", "-f", str(file))
    with pytest.raises(InvalidResources, match="line 8, column 3: is not YAML: suspend is given twice: remove one"):
        load(read_all([file]))


def test_a_list_in_a_list_is_taken_here_alone(kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_text(in_a_list("List", "v1", in_a_list("List", "v1", PIPELINE), POOL))
    with pytest.raises(KubectlError, match="is not a list"):
        kubectl("apply", "--dry-run=server", "-f", str(file))
    assert [resource.kind for resource in load(read_all([file]))] == ["TrainingPipeline", "WorkerPool"]


def test_utf_16_as_a_shell_of_windows_redirects_it(kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "given.yaml"
    file.write_bytes(PIPELINE.encode("utf-16"))
    assert_alike(kubectl, file)


def test_a_folder(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(POOL)
    (tmp_path / "a.json").write_text(AS_JSON.replace("NAME", "ringrift"))
    (tmp_path / "notes.txt").write_text("not for kubectl")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.yaml").write_text("not for kubectl either: [")
    assert [resource.kind for resource in assert_alike(kubectl, tmp_path)] == ["TrainingPipeline", "WorkerPool"]


def test_several_files(kubectl: Kubectl, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(POOL)
    second.write_text(PIPELINE)
    assert len(assert_alike(kubectl, first, second)) == 2


def assert_alike(kubectl: Kubectl, *paths: Path) -> list[Resource]:
    """That the API server's view of files is `local`'s, which is returned."""
    loaded: list[Resource] | None
    given = [word for path in paths for word in ("-f", str(path))]
    try:
        served = _ours(kubectl("apply", "--dry-run=server", "-o", "json", *given))
        refusal = ""
    except KubectlError as error:
        served, refusal = None, str(error)
    if "no objects passed to apply" in refusal:
        served = []
    try:
        loaded, refusal_here = load(read_all(paths)), ""
    except InvalidResources as error:
        loaded, refusal_here = None, str(error)
    if served is None or loaded is None:
        assert served is None, f"local alone refuses it: {refusal_here}"
        assert loaded is None, f"the API server alone refuses it: {refusal}"
        return []
    assert [_spec(resource) for resource in loaded] == [_spec(resource) for resource in served]
    return loaded


def _ours(said: str) -> list[Resource]:
    """The resources of our group in what kubectl printed: an object, or a list of them."""
    if not said.strip():
        return []
    content: dict[str, Any] = json.loads(said)
    objects = content["items"] if content["kind"] == "List" else [content]
    return [KINDS[each["kind"]].model_validate(each) for each in objects if each["apiVersion"].startswith(GROUP)]


def _spec(resource: Resource) -> tuple[str, str, object]:
    assert isinstance(resource, TrainingPipeline | WorkerPool)
    return resource.kind, resource.metadata.name, resource.spec
