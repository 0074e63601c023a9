from __future__ import annotations

import json
import re
import subprocess
import sys
import types
import typing
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner, Result

from ringrift_core import cli
from ringrift_core.contract import (
    HIGHEST_COUNT,
    HIGHEST_SEED,
    MOST_ENTRANTS,
    MOST_WORKERS,
    STAGES,
    AdoptResult,
    Artifact,
    EngineMode,
    Entrant,
    ExitCode,
    Holder,
    InitialWeights,
    SelfplayParameters,
    Stage,
    StageParameters,
    StageResult,
    Track,
    to_arguments,
)

TEXT = st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1, max_size=40)
ARTIFACTS = st.builds(
    Artifact, uri=TEXT, sha256=st.text("0123456789abcdef", min_size=64, max_size=64), bytes=st.integers(0, 2**40)
)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


@st.composite
def parameters(draw: st.DrawFn) -> StageParameters:
    """Valid parameters of any stage."""
    model = draw(st.sampled_from([facts.parameters for facts in STAGES.values()]))
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name == "shard":
            continue
        if field.is_required() or draw(st.booleans()):
            values[name] = draw(_values(name, field.annotation))
    if model is SelfplayParameters:
        total = draw(st.integers(1, values["games"]))
        first = draw(st.integers(0, total - 1))
        last = draw(st.integers(first, total - 1))
        values["shard"] = draw(st.sampled_from([f"{first}-{last}/{total}", f"{first}/{total}"]))
        if values.get("index") is not None:
            values["index"] = 0
    if "symmetries" in values:
        values["symmetries"] = min(values["symmetries"], 8 if values["board"].startswith("square") else 12)
    if values.get("kind") == "regression":
        values["champion_version"] = 3
    elif "kind" in model.model_fields:
        values["candidate"] = draw(ARTIFACTS)
    return model(**values)


def _highest(name: str) -> int:
    return {"seed": HIGHEST_SEED, "workers": MOST_WORKERS, "tree_positions": 256}.get(name, HIGHEST_COUNT)


def _values(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    named: dict[str, st.SearchStrategy[Any]] = {
        "players": st.integers(2, 4),
        "symmetries": st.integers(0, 12),
        "scored_after": st.integers(4, HIGHEST_COUNT),
        "engine_modes": st.lists(st.sampled_from(EngineMode), min_size=1).map(tuple),
        "tracks": st.lists(st.sampled_from(Track)).map(tuple),
        "kind": st.sampled_from(["candidate", "regression"]),
        "index": st.sampled_from([None, 0]),
        "entrants": st.lists(
            st.builds(Entrant, st.sampled_from(Track), st.integers(1, HIGHEST_COUNT)), max_size=MOST_ENTRANTS
        ).map(tuple),
        "start_from": st.sampled_from(["3", "square8@3", "hexagonal@12"]),
        "holder": st.sampled_from(["7f3c/games/demo", "host.example/local/a-b"]).map(Holder.parse),
    }
    if name in named:
        return named[name]
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return _values(name, typing.get_args(annotation)[0])
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.integers(2, _highest(name))
    if annotation is float:
        return st.floats(0, 1, exclude_min=True, exclude_max=True)
    if annotation is str:
        return TEXT
    if isinstance(annotation, type) and issubclass(annotation, str):
        return st.sampled_from(list(annotation))  # type: ignore[call-overload]
    return ARTIFACTS


@given(parameters())
def test_a_rendered_command_line_is_parsed_back_to_equal_parameters(wanted: StageParameters) -> None:
    seen: list[StageParameters] = []

    def body(parsed: StageParameters, *_: object, **__: object) -> int:
        seen.append(parsed)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "execute", body)
        patch.setattr(cli, "_body_of", lambda _: None)
        found = invoke(*to_arguments(wanted))
    assert found.exit_code == 0, found.output
    assert seen == [wanted]


@pytest.mark.parametrize("stage", list(Stage))
def test_help_describes_every_option_and_shows_a_command_that_works(stage: Stage) -> None:
    text = re.sub(r"\s+", " ", invoke(stage, "--help").output)
    for name, field in STAGES[stage].parameters.model_fields.items():
        assert f"--{name.replace('_', '-')}" in text
        assert field.description
        assert field.description[:40] in text
    assert f"ringrift-{stage}-* in the system's temporary folder" in text
    ending = text[text.rindex("Exit status:") :]
    assert ending.startswith("Exit status: 0 done, 2 the input is wrong")
    assert "Example: ringrift " + stage.value in ending


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--players", "7"], "--players: Input should be less than or equal to 4, found 7"),
        (["--shard", "9/2"], "--shard 9/2: 2 shards are numbered 0 to 1"),
        (["--shard", "0/0"], "--shard 0/0: 100 games make 1 to 100 shards, not 0"),
        (["--shard", "0/101"], "--shard 0/101: 100 games make 1 to 100 shards, not 101"),
        (["--shard", "3"], "--shard: expected I/N or FIRST-LAST/N, as 3/20, found '3'"),
        (["--shard", "-1/3"], "--shard: expected I/N or FIRST-LAST/N, as 3/20, found '-1/3'"),
        (["--index", "3"], "--index 3: the last shard of --shard 0/1 has index 0"),
        (["--seed", "9" * 23], "--seed: Input should be less than or equal to 9007199254740992, found 999"),
        (["--max-moves", "9" * 11], "--max-moves: Input should be less than or equal to 4294967295, found 999"),
        (["--shard", "1-0/2"], "--shard 1-0/2: the first shard is after the last"),
        (["--engine-modes", "heuristic-only,chess"], "found 'chess'"),
        (["--engine-modes", ""], "--engine-modes"),
        (["--games", "many"], "Invalid value for '--games'"),
        (["--board", "square9"], "'square9' is not one of"),
    ],
)
def test_wrong_values_are_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    good = ["--store", "file:///tmp/x", "--board", "square8", "--players", "2", "--iteration", "1", "--seed", "1"]
    found = invoke("selfplay", *good, "--games", "100", *arguments)
    assert found.exit_code == ExitCode.WRONG_INPUT
    assert sentence in re.sub(r"[\s│]+", " ", found.output)
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--candidate: missing, and --kind candidate needs one"),
        (["--kind", "regression"], "--champion-version: 0, and --kind regression needs a champion"),
    ],
)
def test_what_a_kind_of_evaluation_needs_is_named_by_its_flag(arguments: list[str], sentence: str) -> None:
    good = ["--store", "file:///tmp/x", "--board", "square8", "--players", "2", "--iteration", "1"]
    found = invoke("evaluate", *good, "--track", "weights", *arguments)
    assert (found.exit_code, found.output) == (ExitCode.WRONG_INPUT, f"ringrift evaluate: {sentence}\n")


def test_an_unknown_name_in_a_list_is_one_mistake() -> None:
    good = ["--store", "file:///tmp/x", "--board", "square8", "--players", "2", "--iteration", "1", "--seed", "1"]
    found = invoke("selfplay", *good, "--games", "1", "--engine-modes", "chess")
    assert found.output.count("--engine-modes") == 1
    assert "found 'chess'" in found.output


@pytest.mark.parametrize("flag", ["--seed", "--max-moves"])
def test_the_largest_numbers_that_are_accepted_play(tmp_path: Path, flag: str) -> None:
    largest = str(_highest(flag.removeprefix("--")))
    good = ["--store", tmp_path.as_uri(), "--board", "square8", "--players", "2", "--iteration", "1", "--seed", "1"]
    assert invoke("selfplay", *good, "--games", "1", flag, largest).exit_code == ExitCode.DONE


@pytest.mark.parametrize("stage", list(Stage))
def test_every_number_has_a_largest_value(stage: Stage) -> None:
    """A number that no machine can count to is a mistake to be told, not an OverflowError."""
    good = to_arguments(STAGES[stage].example_parameters())
    numbers = [
        name for name, field in STAGES[stage].parameters.model_fields.items() if field.annotation in (int, int | None)
    ]
    assert numbers
    for name in numbers:
        flag = f"--{name.replace('_', '-')}"
        found = invoke(*good, flag, "9" * 23)
        assert found.exit_code == ExitCode.WRONG_INPUT
        assert f"{flag}: Input should be less than or equal to" in found.output


def test_the_version_is_the_packages() -> None:
    assert invoke("--version").output == f"ringrift {version('ringrift')}\n"


def test_the_result_goes_to_the_file_that_was_named(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "result.json"
    store = (tmp_path / "store").as_uri()
    found = invoke("adopt", "--store", store, "--board", "hex8", "--players", "3", "--result", str(path))
    assert found.exit_code == 0
    result = StageResult.model_validate_json(path.read_text())
    assert result.stage is Stage.ADOPT
    assert result.answer(AdoptResult).games == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["result.json"]
    assert json.loads(found.stdout.splitlines()[-1])["kind"] == "result"


def test_heavy_libraries_are_imported_only_where_they_are_used() -> None:
    program = "import sys, ringrift_core.cli; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "onnxruntime", "onnx", "obstore", "numpy", "cma", "safetensors"} & set(modules)


def test_every_stage_but_train_works_where_torch_is_not_installed() -> None:
    """The worker image has ONNX Runtime and no torch."""
    program = (
        "import sys; sys.modules.update(torch=None, safetensors=None, onnx=None)\n"
        "from importlib import import_module\n"
        "from ringrift_core.contract import STAGES\n"
        "for facts in STAGES.values():\n"
        "    if not facts.needs_torch: import_module(facts.body.partition(':')[0])\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True)


def test_train_says_what_to_install_where_torch_is_not(tmp_path: Path) -> None:
    program = "import sys; sys.modules.update(torch=None); from ringrift_core.cli import main; main()"
    arguments = to_arguments(STAGES[Stage.TRAIN].example_parameters().model_copy(update={"store": tmp_path.as_uri()}))
    found = subprocess.run([sys.executable, "-P", "-c", program, *arguments], capture_output=True, text=True)
    assert found.returncode == ExitCode.WRONG_INPUT
    assert found.stderr == "ringrift train: torch is not installed: pip install 'ringrift[train]'\n"


def test_initial_weights_are_called_by_their_names() -> None:
    with pytest.raises(ValidationError, match="baseline"):
        SelfplayParameters.model_validate(
            {"store": "x", "board": "hex8", "players": 2, "iteration": 1, "seed": 1, "games": 1, "initialWeights": "x"}
        )
    assert InitialWeights("material") is InitialWeights.MATERIAL
