"""Curves as whoever shows them reads them: they are read back by the programs that they are for."""

from __future__ import annotations

import getpass
import json
import re
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2

from ringrift_core.contract import Artifact, Board, Decision, GateKind, Track, TrainParameters, WandbMode
from ringrift_core.errors import NotNowError, WrongInputError
from ringrift_core.store import open_store
from ringrift_core.tracking import open_curve, tracked
from tests.unit.core.desk import Desk

NOTHING = Artifact(uri="objects/none.json", sha256="0" * 64, bytes=1)
BLOCK, FULL, LAST = 1 << 15, 1, 4
EVERYBODY: dict[str, Any] = {"tensorboard": True, "wandb_project": "games", "wandb_mode": WandbMode.OFFLINE}


def tell(desk: Desk, after: int, points: dict[int, float]) -> None:
    """A process that tells a run's loss at some steps."""
    parameters = TrainParameters(**desk.here, iteration=3, dataset=NOTHING, **EVERYBODY)
    with open_curve(parameters, desk.archive, "i0003-train", after=after, iteration=3) as curve:
        for step, loss in points.items():
            curve.tell(step, {"loss/value": loss, "learning_rate": 1e-3})


def folder_of(desk: Desk, run: str) -> Path:
    return Path(desk.archive.store.uri.removeprefix("file://")) / desk.archive.key(f"tracking/{run}")


def lines(desk: Desk, run: str, name: str) -> dict[int, float]:
    told = [json.loads(line) for line in (folder_of(desk, run) / "scalars.jsonl").read_text().splitlines()]
    assert [point["step"] for point in told] == sorted({point["step"] for point in told})
    return {point["step"]: point[name] for point in told if name in point}


def shown_by_tensorboard(desk: Desk, run: str, name: str) -> dict[int, float]:
    reader = EventAccumulator(str(folder_of(desk, run)))
    reader.Reload()
    return {point.step: point.value for point in reader.Scalars(name)}


def records(path: Path) -> list[Any]:
    """Those of a file of an offline run: LevelDB's log format, behind seven bytes of its own."""
    content, found, whole, at = path.read_bytes(), [], b"", 7
    while at + 7 <= len(content):
        if (left := BLOCK - at % BLOCK) < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (FULL, LAST):
            found.append(wandb_internal_pb2.Record.FromString(whole))  # type: ignore[attr-defined]
            whole = b""
    return found


def kept_for_wandb(desk: Desk, run: str, name: str) -> tuple[dict[int, float], dict[str, Any], set[str]]:
    """Points, configuration and names of the runs in all files."""
    points: dict[int, float] = {}
    configuration: dict[str, Any] = {}
    names: set[str] = set()
    for path in sorted(folder_of(desk, run).glob("run.wandb.*")):
        for record in records(path):
            if record.HasField("run"):
                names.add(record.run.run_id)
                configuration |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
            if record.HasField("history"):
                items = {(item.key or item.nested_key[0]): json.loads(item.value_json) for item in record.history.item}
                if name in items:
                    points[record.history.step.num or items["_step"]] = items[name]
    return points, configuration, names


def test_a_curve_that_goes_on_from_a_checkpoint_is_one_curve(desk: Desk) -> None:
    """What the first process told after the checkpoint, at step 20, is taken back."""
    tell(desk, 0, {10: 4.0, 20: 3.0, 30: 9.0})
    tell(desk, 20, {30: 2.5, 40: 2.0})
    wanted = {10: 4.0, 20: 3.0, 30: 2.5, 40: 2.0}
    assert lines(desk, "i0003-train", "loss/value") == wanted
    assert shown_by_tensorboard(desk, "i0003-train", "loss/value") == wanted
    points, configuration, names = kept_for_wandb(desk, "i0003-train", "loss/value")
    assert points == wanted
    assert names == {"square8-2p-i0003-train"}
    assert {name: configuration[name] for name in ("board", "players", "iteration")} == {
        "board": "square8",
        "players": 2,
        "iteration": 3,
    }


def test_nothing_that_is_kept_knows_the_machine(desk: Desk) -> None:
    tell(desk, 0, {10: 4.0})
    for path in folder_of(desk, "i0003-train").iterdir():
        assert socket.gethostname() not in path.name
        content = path.read_bytes()
        for told in (str(desk.run.folder), str(Path.cwd()), str(Path.home())):
            assert told.encode() not in content, (path.name, told)
        for told in {socket.gethostname(), getpass.getuser()} - {"root"}:
            assert re.search(as_a_word(told), content) is None, (path.name, told)


def as_a_word(name: str) -> bytes:
    """A pattern: the name by itself, or as a string of its length, as protobuf has it, whatever follows. Random ids of
    runs have short names in them now and then."""
    word = re.escape(name.encode())
    return rb"(?<![0-9A-Za-z])" + word + rb"(?![0-9A-Za-z])|" + re.escape(bytes([len(name)])) + word


def test_nobody_else_is_told_unless_asked_for(desk: Desk) -> None:
    parameters = TrainParameters(**desk.here, iteration=1, dataset=NOTHING)
    with open_curve(parameters, desk.archive, "i0001-train", after=0, iteration=1) as curve:
        curve.tell(1, {"loss": 1.0})
    assert [path.name for path in folder_of(desk, "i0001-train").iterdir()] == ["scalars.jsonl"]


@pytest.mark.parametrize(
    ("package", "asked"), [("tensorboard", {"tensorboard": True}), ("wandb", {"wandb_project": "games"})]
)
def test_who_is_not_installed_is_missed_before_the_work(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, package: str, asked: dict[str, Any]
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(WrongInputError, match=rf"{package} is not installed: pip install 'ringrift\[tracking\]'"):
        tracked(TrainParameters(**desk.here, iteration=1, dataset=NOTHING, **asked))


def test_a_training_tells_losses_by_head_and_one_that_was_stopped_tells_the_same(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    for one in (desk, other):
        one.selfplay(games=30)
        one.merge()
    asked: dict[str, Any] = {"seed": 1, "epochs": 3, "batch_size": 16, **EVERYBODY}
    other.train(dataset=other.export().outputs["dataset"], **asked)
    desk.stop_when(lambda done: done > 0.4)
    with pytest.raises(NotNowError):
        desk.train(dataset=desk.export().outputs["dataset"], **asked)
    desk.go_on()
    desk.train(dataset=desk.export().outputs["dataset"], **asked, attempt=2)
    for name in ("loss/value", "loss/policy", "loss/owners", "learning_rate", "gradient_norm"):
        told = lines(desk, "i0001-train", name)
        assert told == lines(other, "i0001-train", name)
        assert len(told) > 5
        assert shown_by_tensorboard(desk, "i0001-train", name) == pytest.approx(told)
        assert kept_for_wandb(desk, "i0001-train", name)[0] == pytest.approx(told)
    by_head = [f"held_out/{head}_loss" for head in ("value", "policy", "ends", "owners", "reason", "turns")]
    for name in ("held_out/loss", "held_out/value_accuracy", "held_out/policy_accuracy", *by_head):
        assert len(lines(desk, "i0001-train", name)) == 3
        assert lines(desk, "i0001-train", name) == lines(other, "i0001-train", name)


def test_a_gate_tells_rate_and_elo_by_iteration(desk: Desk) -> None:
    rates = {}
    for iteration in (1, 2):
        candidate = desk.cmaes(iteration, seed=iteration, generations=1, population_size=4, games_per_evaluation=2)
        result = desk.evaluate(
            iteration,
            track=Track.WEIGHTS,
            candidate=candidate.outputs["candidate"],
            gate=GateKind.FIXED,
            games=4,
            **EVERYBODY,
        )
        assert result.verdict is not None
        assert result.verdict.decision in (Decision.PROMOTE, Decision.REJECT)
        rates[iteration] = result.verdict.win_rate
        again = desk.evaluate(
            iteration,
            track=Track.WEIGHTS,
            candidate=candidate.outputs["candidate"],
            gate=GateKind.FIXED,
            games=4,
            **EVERYBODY,
        )
        assert again.verdict == result.verdict
    run = "evaluate-weights"
    assert lines(desk, run, f"{run}/win_rate") == rates
    assert shown_by_tensorboard(desk, run, f"{run}/win_rate") == pytest.approx(rates)
    assert kept_for_wandb(desk, run, f"{run}/win_rate")[0] == pytest.approx(rates)
    for iteration, elo in lines(desk, run, f"{run}/elo").items():
        assert (elo > 0) == (rates[iteration] > 0.5) or rates[iteration] == 0.5
    assert Board.SQUARE8.value in desk.archive.configuration
