"""`ringrift models list`, `show`, `verify` and `export` as people type them."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import Result

from ringrift_core import _engine
from ringrift_core.contract import (
    STAGE_PROGRAM,
    Board,
    Decision,
    ExitCode,
    Track,
)
from ringrift_core.nn.inference import onnx_network
from ringrift_core.nn.network import RingRiftNetwork
from ringrift_core.nn.quantised import VALUE_TOLERANCE
from ringrift_core.nn.random_positions import random_positions
from ringrift_core.players.cards import ModelCard, NnueCard
from ringrift_core.players.specification import Judge, JudgeKind
from ringrift_core.seating import Judges
from tests.unit.core.desk import Desk
from tests.unit.core.models.typed import (
    BECAUSE,
    CONFIGURATION,
    models,
    network_card,
    object_file,
    registry,
    root,
)


class TestList:
    def test_each_champion_is_a_line_with_its_gate_and_rating(self, desk: Desk) -> None:
        found = models("list", root(desk))
        assert found.exit_code == 0, found.output
        lines = [line.split() for line in found.stdout.splitlines() if CONFIGURATION in line]
        assert [(line[1], line[2], line[-1]) for line in lines] == [
            ("weights", "2", "1"), ("nnue", "2", "1"), ("network", "1", "MB")
        ]  # fmt: skip
        (first, *_) = (line for line in found.stdout.splitlines() if CONFIGURATION in line)
        verdict = desk.archive.record(2, "evaluate-weights")
        assert verdict is not None
        assert verdict.result.verdict is not None
        assert f"{verdict.result.verdict.win_rate:.3f} (" in first
        assert f"{verdict.result.finished_at:%Y-%m-%d %H:%M}" in first
        assert " to " in first, "its rating's interval"

    def test_programs_get_a_line_of_json_each(self, desk: Desk) -> None:
        found = [json.loads(line) for line in models("list", root(desk), "--json").stdout.splitlines()]
        assert [(each["track"], each["version"], each["standing"]) for each in found] == [
            ("weights", 2, "champion"), ("nnue", 2, "champion"), ("network", 1, "champion")
        ]  # fmt: skip
        assert found[0]["evidence"]["verdict"]["decision"] == Decision.PROMOTE
        assert found[0]["rated"]["rating"]["player"] == "weights@2"
        assert found[2]["kind"] == "network 2x16"
        card = network_card(desk)
        assert found[2]["size"] == found[2]["artifact"]["bytes"] + card.weights.bytes + card.onnx.bytes

    @pytest.mark.parametrize(
        ("options", "tracks"),
        [
            (["--board", "hex8"], []),
            (["--players", "3"], []),
            (["--board", "square8", "--players", "2", "--track", "nnue"], ["nnue"]),
        ],
    )
    def test_board_players_and_track_choose(self, desk: Desk, options: list[str], tracks: list[str]) -> None:
        found = models("list", root(desk), "--json", *options)
        assert [json.loads(line)["track"] for line in found.stdout.splitlines()] == tracks

    def test_a_store_without_champions_is_no_error(self, tmp_path: Path) -> None:
        found = models("list", tmp_path)
        assert (found.exit_code, found.stdout) == (0, f"no champions yet in {tmp_path}\n")

    def test_a_champion_that_cannot_be_read_hides_no_other(self, desk: Desk) -> None:
        champion = registry(desk).champion
        assert champion is not None
        object_file(desk, champion.artifact).unlink()
        found = models("list", root(desk))
        assert found.exit_code == 0
        assert "unreadable" in found.stdout
        assert "network 2x16" in found.stdout


class TestShow:
    def test_a_version_is_told_in_full(self, desk: Desk) -> None:
        found = json.loads(models("show", root(desk), CONFIGURATION, "weights", "1", "--json").stdout)
        assert found["model"]["standing"] == "backup"
        assert found["training"]["stage"] == "cmaes"
        assert found["training"]["parameters"]["generations"] == 1
        assert found["evaluation"]["cutShare"] == 0
        assert [(move["kind"], move["version"], move["replaced"]) for move in found["moves"]] == [
            ("promote", 1, 0), ("promote", 2, 1)
        ]  # fmt: skip
        assert [each["iteration"] for each in found["ratings"]] == [2]
        assert len(found["card"]["weights"]) == len(_engine.HEURISTIC_FEATURES)

    def test_people_read_what_it_rests_on_and_was_trained_on(self, desk: Desk) -> None:
        found = models("show", root(desk), CONFIGURATION, "network")
        assert found.exit_code == 0, found.output
        card = network_card(desk)
        assert f"objects/{card.onnx.uri.rpartition('/')[2]}" in found.stdout
        assert "trained by     train" in found.stdout
        assert card.dataset in found.stdout
        gated = models("show", root(desk), CONFIGURATION, "weights", "2").stdout
        assert "gate           Promote: " in gated
        assert "rated          Elo " in gated

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["square8-2p", "weights", "7"], "weights version 7: never a champion of square8-2p in "),
            (["hex8-2p", "weights"], "track weights: no champion yet of hex8-2p"),
            (["hex8", "weights"], "CONFIGURATION: found 'hex8'; there are square8-2p, "),
            (["hex8-2p", "policy"], "TRACK: found 'policy'; there are weights, nnue, network"),
        ],
    )
    def test_what_is_not_there_is_a_sentence(self, desk: Desk, arguments: list[str], sentence: str) -> None:
        found = models("show", root(desk), *arguments)
        assert (found.exit_code, found.stdout) == (ExitCode.WRONG_INPUT, "")
        assert found.stderr.startswith("ringrift models show: ")
        assert found.stderr.count("\n") == 1
        assert sentence in found.stderr


class TestVerify:
    def counts(self, result: Result) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return found

    def test_a_store_of_the_stages_is_whole(self, desk: Desk) -> None:
        found = models("verify", root(desk))
        assert (found.exit_code, self.counts(found)) == (0, {"models": 5, "verified": 5, "faults": 0})

    @pytest.mark.parametrize("damage", ["flipped", "gone"])
    @pytest.mark.parametrize("which", ["weights", "verdict", "network", "onnx", "safetensors", "nnue", "parameters"])
    def test_every_object_that_the_registry_names_is_read(self, desk: Desk, which: str, damage: str) -> None:
        """Of earlier champions too."""
        nnue_card = NnueCard.load(desk.archive, registry(desk, Track.NNUE).log[0].artifact)
        first = registry(desk).log[0]
        assert first.verdict is not None
        artifact, name = {
            "weights": (first.artifact, "weights@1"),
            "verdict": (first.verdict, "weights@1"),
            "network": (registry(desk, Track.NETWORK).log[0].artifact, "network@1"),
            "onnx": (network_card(desk).onnx, "network@1"),
            "safetensors": (network_card(desk).weights, "network@1"),
            "nnue": (nnue_card.network, "nnue@1"),
            "parameters": (nnue_card.parameters, "nnue@1"),
        }[which]
        path = object_file(desk, artifact)
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
        found = models("verify", root(desk))
        lines = found.stdout.splitlines()
        assert found.exit_code == 1
        assert [line.startswith(f"square8-2p {name}: ") for line in lines[:-1]] == [True]
        assert ("is not in store" if damage == "gone" else "is damaged") in lines[0]
        assert self.counts(found) == {"models": 5, "verified": 4, "faults": 1}

    def test_whole_objects_that_play_nothing_are_found(self, desk: Desk) -> None:
        """Their SHA-256 says only that they are as they were stored."""
        card = network_card(desk)
        broken = card.model_copy(update={"onnx": desk.archive.put_bytes(b"no network", "onnx")}).save(desk.archive)
        desk.promote(track=Track.NETWORK, iteration=2, expected_version=1, candidate=broken)
        found = models("verify", root(desk), "--track", "network")
        assert found.exit_code == 1
        assert "square8-2p network@2: " in found.stdout
        assert "no network that ONNX Runtime reads" in found.stdout

    def test_a_registry_that_is_none_is_a_fault_and_the_others_are_read(self, desk: Desk) -> None:
        key = desk.archive.key("registry/weights.json")
        desk.archive.store.put(key, b"{}")
        found = models("verify", root(desk))
        assert found.exit_code == 1
        assert "square8-2p weights: " in found.stdout
        assert self.counts(found) == {"models": 3, "verified": 3, "faults": 1}


class TestExport:
    @pytest.mark.parametrize(
        ("track", "played"), [("weights", "weights.json"), ("nnue", "nnue.safetensors"), ("network", "network.onnx")]
    )
    def test_a_folder_holds_all_of_it_and_a_card(self, desk: Desk, tmp_path: Path, track: str, played: str) -> None:
        to = tmp_path / "mine"
        found = models("export", root(desk), CONFIGURATION, track, "--to", to)
        assert found.exit_code == 0, found.output
        assert sorted(found.stdout.split()) == sorted(str(path) for path in to.iterdir())
        card = json.loads((to / "model.json").read_text())
        assert (card["configuration"], card["track"]) == (CONFIGURATION, track)
        assert card["evidence"]["request"]
        assert set(card["files"]) == {path.name for path in to.iterdir()} - {"model.json"}
        for name, file in card["files"].items():
            assert (to / name).stat().st_size == file["bytes"]
        Judges(Board.SQUARE8, 2, None, tmp_path).of(Judge(JudgeKind(track), file=to / played))

    def test_no_place_of_this_machine_stands_in_it(self, desk: Desk, tmp_path: Path) -> None:
        models("export", root(desk), CONFIGURATION, "network", "--to", tmp_path / "mine")
        for path in (tmp_path / "mine").iterdir():
            assert str(tmp_path).encode() not in path.read_bytes()

    def test_a_file_is_what_plays_with_its_card_beside(self, desk: Desk, tmp_path: Path) -> None:
        to = tmp_path / "champion.onnx"
        assert models("export", root(desk), CONFIGURATION, "network", "1", "--to", to).exit_code == 0
        assert to.read_bytes() == object_file(desk, network_card(desk).onnx).read_bytes()
        card = json.loads((tmp_path / "champion.onnx.model.json").read_text())
        assert list(card["files"]) == ["champion.onnx"]
        assert card["files"]["champion.onnx"]["sha256"] == network_card(desk).onnx.sha256

    @pytest.mark.parametrize("to", ["there", "there.onnx", "nowhere/mine", "nowhere/mine.onnx"])
    def test_nothing_is_written_over_and_no_folder_made_up(self, desk: Desk, tmp_path: Path, to: str) -> None:
        (tmp_path / "there").mkdir()
        (tmp_path / "there.onnx").write_bytes(b"mine")
        before = sorted(tmp_path.rglob("*"))
        found = models("export", root(desk), CONFIGURATION, "network", "--to", tmp_path / to)
        assert (found.exit_code, found.stdout) == (ExitCode.WRONG_INPUT, "")
        assert str(tmp_path / to) in found.stderr
        assert sorted(tmp_path.rglob("*")) == before
        assert (tmp_path / "there.onnx").read_bytes() == b"mine"

    @pytest.mark.parametrize("to", ["mine", "mine.onnx"])
    @pytest.mark.parametrize("damage", ["flipped", "gone"])
    def test_of_a_damaged_model_nothing_is_written(self, desk: Desk, tmp_path: Path, to: str, damage: str) -> None:
        path = object_file(desk, network_card(desk).weights)
        path.unlink() if damage == "gone" else path.write_bytes(b"x")
        before = sorted(tmp_path.iterdir())
        found = models("export", root(desk), CONFIGURATION, "network", "--to", tmp_path / to)
        assert found.exit_code == ExitCode.WRONG_INPUT
        assert sorted(tmp_path.iterdir()) == before

    def test_where_a_file_cannot_be_written_whole_nothing_is_left(self, desk: Desk, tmp_path: Path) -> None:
        """A limit on the size of files, which the second of three does not fit."""
        command = [
            *STAGE_PROGRAM, "models", "export", root(desk), CONFIGURATION, "nnue", "--to", str(tmp_path / "mine")
        ]  # fmt: skip
        before = sorted(tmp_path.iterdir())
        done = subprocess.run(
            command, capture_output=True, text=True, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        )  # fmt: skip
        assert done.returncode == ExitCode.WRONG_INPUT, done.stderr
        assert "File too large" in done.stderr
        assert sorted(tmp_path.iterdir()) == before


class TestExportForAnotherBoard:
    def test_what_square8_has_learnt_becomes_champion_of_square19(self, desk: Desk, tmp_path: Path) -> None:
        to = tmp_path / "large"
        found = models("export", root(desk), CONFIGURATION, "network", "--board", "square19", "--to", to)
        assert found.exit_code == 0, found.output
        written = json.loads((to / "model.json").read_text())
        assert (written["configuration"], written["learntOn"]) == ("square19-2p", "square8@1")
        card = ModelCard.read((to / "card.json").read_bytes(), "card.json", "square19-2p")
        assert (card.started_from, card.parent) == ("square8@1", 0)
        before = network_card(desk)
        assert card.weights.sha256 == before.weights.sha256
        assert card.onnx.sha256 != before.onnx.sha256
        promoted = models("promote", root(desk), "square19-2p", "network", to, *BECAUSE)
        assert promoted.exit_code == 0, promoted.output
        assert models("verify", root(desk), "--board", "square19").stdout == '{"models":1,"verified":1,"faults":0}\n'
        network = RingRiftNetwork.of_card(before, object_file(desk, before.weights)).for_board(Board.SQUARE19)
        planes, features = random_positions(Board.SQUARE19, 2, 64)
        with torch.no_grad():
            values, _ = network(torch.from_numpy(planes), torch.from_numpy(features))
        said, _ = onnx_network(to / "network.onnx").values_and_policy(planes, features)
        assert np.abs(said - torch.softmax(values, 1).numpy()).mean() < VALUE_TOLERANCE

    def test_it_is_the_same_each_time(self, desk: Desk, tmp_path: Path) -> None:
        for name in ("one", "two"):
            options = ("--board", "square19", "--to", tmp_path / name)
            assert models("export", root(desk), CONFIGURATION, "network", *options).exit_code == 0
        one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
        assert one == two

    @pytest.mark.parametrize(
        ("track", "board", "sentence"),
        [
            ("nnue", "square19", "--board: of a network alone, nnue know the cells of one board"),
            ("network", "square8", "--board square8: is the board of square8-2p; leave it out"),
            ("network", "hexagonal", "--board hexagonal: what square8 has learnt does not fit hexagonal"),
        ],
    )
    def test_what_cannot_be_is_a_sentence_and_no_folder(
        self, desk: Desk, tmp_path: Path, track: str, board: str, sentence: str
    ) -> None:
        found = models("export", root(desk), CONFIGURATION, track, "--board", board, "--to", tmp_path / "mine")
        assert (found.exit_code, found.stdout) == (ExitCode.WRONG_INPUT, "")
        assert sentence in found.stderr
        assert not (tmp_path / "mine").exists()
