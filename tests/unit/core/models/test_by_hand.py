"""`ringrift models promote` and `rollback`: what moves, what is refused, and who may not be fought over."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringrift_core.archive import Archive
from ringrift_core.contract import (
    STAGE_PROGRAM,
    Board,
    Decision,
    ExitCode,
    GateKind,
    InitialWeights,
    Track,
)
from ringrift_core.errors import HeldError, WrongInputError
from ringrift_core.models.by_hand import ByHand, Hand
from ringrift_core.players.specification import Judge, JudgeKind
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.registry.records import read_registry
from ringrift_core.seating import Judges
from ringrift_core.store import open_store
from tests import patience
from tests.unit.core.desk import Desk
from tests.unit.core.models.typed import (
    BECAUSE,
    CONFIGURATION,
    everything,
    held,
    models,
    object_file,
    registry,
    root,
    weights_file,
    weights_of,
)
from tests.unit.core.nnue.reference import random_file
from tests.unit.core.seating.constant_network import write_constant_network


class TestPromote:
    def test_weights_of_a_file_become_champion_by_hand(self, desk: Desk, tmp_path: Path) -> None:
        file = weights_file(tmp_path / "mine.json")
        found = models("promote", root(desk), CONFIGURATION, "weights", file, *BECAUSE)
        assert (found.exit_code, found.stdout) == (0, "weights version 3 is champion\n"), found.output
        told = json.loads(models("list", root(desk), "--track", "weights", "--json").stdout)
        assert told["evidence"]["because"] == "it won by hand"
        assert told["evidence"]["by"] == ByHand.now().who
        assert abs(datetime.now(UTC) - datetime.fromisoformat(told["evidence"]["at"])) < timedelta(minutes=5)
        assert "verdict" not in told["evidence"]
        assert told["backups"] == [2, 1]
        judges = Judges(Board.SQUARE8, 2, desk.archive, tmp_path)
        assert judges.weights(Judge(JudgeKind.WEIGHTS)) == judges.weights(Judge(JudgeKind.WEIGHTS, file=file))

    def test_an_earlier_version_becomes_champion_under_a_new_number(self, desk: Desk) -> None:
        before = registry(desk)
        assert models("promote", root(desk), CONFIGURATION, "weights", "1", *BECAUSE).exit_code == 0
        after = registry(desk)
        assert (after.version, after.artifact(3)) == (3, before.artifact(1))
        assert [champion.version for champion in after.earlier] == [2, 1]

    def test_by_hand_no_backup_is_dropped(self, desk: Desk, tmp_path: Path) -> None:
        for factor in (2.0, 3.0, 4.0):
            file = weights_file(tmp_path / "mine.json", factor)
            assert models("promote", root(desk), CONFIGURATION, "weights", file, *BECAUSE).exit_code == 0
        assert [champion.version for champion in registry(desk).earlier] == [4, 3, 2, 1]

    def test_a_network_goes_from_store_to_store(self, desk: Desk, tmp_path: Path) -> None:
        exported, other = tmp_path / "exported", tmp_path / "other"
        for place in (exported, object_file(desk, registry(desk, Track.NETWORK).log[0].artifact)):
            if place == exported:
                assert models("export", root(desk), CONFIGURATION, "network", "--to", exported).exit_code == 0
            found = models("promote", other, CONFIGURATION, "network", place, *BECAUSE)
            assert found.exit_code == 0, found.output
            there = Archive(open_store(other.as_uri()), CONFIGURATION)
            moved = read_registry(there, Track.NETWORK).champion
            champion = registry(desk, Track.NETWORK).champion
            assert moved is not None
            assert champion is not None
            assert (moved.version, moved.artifact.sha256) == (1, champion.artifact.sha256)
            assert models("verify", other).exit_code == 0
            shutil.rmtree(other)

    def test_it_takes_the_number_of_the_iteration_under_way_and_not_its_gate(self, desk: Desk, tmp_path: Path) -> None:
        """What was judged in that iteration was another candidate."""
        rejected = weights_of(desk, -1.0)
        desk.evaluate(3, track=Track.WEIGHTS, candidate=rejected, champion_version=2, gate=GateKind.FIXED, games=4)
        file = weights_file(tmp_path / "mine.json")
        assert models("promote", root(desk), CONFIGURATION, "weights", file, *BECAUSE).exit_code == 0
        shown = json.loads(models("show", root(desk), CONFIGURATION, "weights", "--json").stdout)
        assert shown["model"]["version"] == 3
        assert "evaluation" not in shown

    def test_what_is_champion_already_is_refused(self, desk: Desk) -> None:
        before = everything(desk)
        found = models("promote", root(desk), CONFIGURATION, "weights", "2", *BECAUSE)
        assert found.exit_code == ExitCode.WRONG_INPUT
        assert "weights version 2 is champion already" in found.stderr
        assert everything(desk) == before

    @pytest.mark.parametrize(
        ("track", "content", "name", "sentence"),
        [
            ("weights", b"{}", "mine.json", "not heuristic weights: board: Field required"),
            ("weights", None, "mine.json", "No such file or directory"),
            ("weights", "hex8", "mine.json", "heuristic weights for hex8-2p, not square8-2p"),
            ("weights", "nan", "mine.json", "with a number that is not finite: stacks"),
            ("network", b"x", "network.onnx", "name its card.json, with all its files beside it"),
            ("nnue", b"x", "nnue.safetensors", "name its card.json"),
            ("nnue", b"[]", "card.json", "not an NNUE's card"),
        ],
    )
    def test_a_file_that_could_not_play_is_refused_and_nothing_is_written(
        self, desk: Desk, tmp_path: Path, track: str, content: bytes | str | None, name: str, sentence: str
    ) -> None:
        file = tmp_path / name
        if content == "hex8":
            weights_file(file, board=Board.HEX8)
        elif content == "nan":
            file.write_text(re.sub('"stacks":[^,}]+', '"stacks":NaN', weights_file(file).read_text()))
        elif isinstance(content, bytes):
            file.write_bytes(content)
        self.refused(desk, track, file, sentence)

    @pytest.mark.parametrize("damage", ["missing", "damaged", "another board's"])
    @pytest.mark.parametrize("track", ["nnue", "network"])
    def test_a_card_whose_files_could_not_play_is_refused_and_nothing_is_written(
        self, desk: Desk, tmp_path: Path, track: str, damage: str
    ) -> None:
        exported = tmp_path / "exported"
        assert models("export", root(desk), CONFIGURATION, track, "--to", exported).exit_code == 0
        played = exported / ("nnue.safetensors" if track == "nnue" else "network.onnx")
        card = exported / "card.json"
        if damage == "missing":
            played.unlink()
            self.refused(desk, track, exported, f"is missing: neither {played.name} nor ")
        elif damage == "damaged":
            played.write_bytes(played.read_bytes()[:-1])
            self.refused(desk, track, exported, "damaged, or another model's: SHA-256")
        else:
            if track == "nnue":
                played.write_bytes(random_file("hex8", 2, 1))
            else:
                write_constant_network(played, Board.HEX8, 2)
            values = json.loads(card.read_text())
            named = desk.archive.put_file(played, played.suffix[1:])
            values["network" if track == "nnue" else "onnx"] = named.model_dump()
            card.write_text(json.dumps(values))
            sentence = "nnue for hex8-2p, not square8-2p" if track == "nnue" else "no network for square8-2p"
            self.refused(desk, track, exported, sentence)

    def refused(self, desk: Desk, track: str, file: Path, sentence: str) -> None:
        before = everything(desk)
        found = models("promote", root(desk), CONFIGURATION, track, file, *BECAUSE)
        assert (found.exit_code, found.stdout) == (ExitCode.WRONG_INPUT, ""), found.output
        assert found.stderr.count("\n") == 1
        assert sentence in found.stderr
        assert everything(desk) == before

    def test_a_reason_has_to_be_given(self, desk: Desk, tmp_path: Path) -> None:
        before = everything(desk)
        file = weights_file(tmp_path / "mine.json")
        assert models("promote", root(desk), CONFIGURATION, "weights", file).exit_code == 2
        found = models("promote", root(desk), CONFIGURATION, "weights", file, "--because", " ")
        assert (found.exit_code, "--because: empty" in found.stderr) == (ExitCode.WRONG_INPUT, True)
        assert everything(desk) == before

    def test_a_pipeline_that_goes_on_finds_the_move(self, desk: Desk, tmp_path: Path) -> None:
        """Its candidate of the iteration under way was judged against somebody who is champion no more."""
        candidate = HeuristicWeights.of_setting(InitialWeights.MATERIAL, Board.SQUARE8, 2).save(desk.archive)
        judged = desk.evaluate(
            3, track=Track.WEIGHTS, candidate=candidate, champion_version=2, gate=GateKind.FIXED, games=4,
            promotion_threshold=0.01, initial_weights="material", seed=3,
        )  # fmt: skip
        assert judged.verdict is not None
        assert judged.verdict.decision is Decision.PROMOTE
        file = weights_file(tmp_path / "mine.json")
        assert models("promote", root(desk), CONFIGURATION, "weights", file, *BECAUSE).exit_code == 0
        for expected in (2, 3):
            with pytest.raises(WrongInputError) as refused:
                desk.promote(
                    track=Track.WEIGHTS, iteration=3, expected_version=expected, candidate=candidate,
                    verdict=judged.outputs["verdict"], request_id=f"expects-{expected}",
                )  # fmt: skip
            assert refused.value.found is not None, "whoever asked hears who is champion"
        desk.promote(track=Track.WEIGHTS, iteration=4, expected_version=3, candidate=candidate)

    def test_a_champion_between_two_iterations_keeps_no_candidate_of_the_next_from_it(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        file = weights_file(tmp_path / "mine.json")
        assert models("promote", root(desk), CONFIGURATION, "weights", file, *BECAUSE).exit_code == 0
        candidate = HeuristicWeights.of_setting(InitialWeights.MATERIAL, Board.SQUARE8, 2).save(desk.archive)
        judged = desk.evaluate(
            3, track=Track.WEIGHTS, candidate=candidate, champion_version=3, gate=GateKind.FIXED, games=4,
            promotion_threshold=0.01, initial_weights="material", seed=3,
        )  # fmt: skip
        promoted = desk.promote(
            track=Track.WEIGHTS, iteration=3, expected_version=3, candidate=candidate, verdict=judged.outputs["verdict"]
        )
        assert promoted.message == "weights version 4 is champion"


class TestRollback:
    def test_the_champion_before_comes_back(self, desk: Desk) -> None:
        found = models("rollback", root(desk), CONFIGURATION, "weights", "--because", "plays badly")
        sentence = "weights version 1 is champion again, in place of 2: plays badly\n"
        assert (found.exit_code, found.stdout) == (0, sentence), found.output
        shown = models("show", root(desk), CONFIGURATION, "weights").stdout
        assert f"rollback to version 1, from 2 (by hand: {ByHand.now().who} at " in shown
        assert "): plays badly" in shown

    def test_any_backup_can_be_named(self, desk: Desk, tmp_path: Path) -> None:
        file = weights_file(tmp_path / "mine.json")
        models("promote", root(desk), CONFIGURATION, "weights", file, *BECAUSE)
        found = models("rollback", root(desk), CONFIGURATION, "weights", "--to", "1", "--because", "wrong labels")
        assert found.exit_code == 0, found.output
        assert (registry(desk).version, registry(desk).earlier) == (1, ())
        assert registry(desk).log[-1].replaced == 3

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["weights", "--to", "7"], "version 7 is not among the earlier champions that are kept: 1"),
            (["network"], "champion 1 has no predecessor to roll back to"),
        ],
    )
    def test_what_is_not_kept_does_not_come_back(self, desk: Desk, arguments: list[str], sentence: str) -> None:
        before = everything(desk)
        found = models("rollback", root(desk), CONFIGURATION, *arguments, *BECAUSE)
        assert found.exit_code == ExitCode.WRONG_INPUT
        assert sentence in found.stderr
        assert everything(desk) == before


class TestClaims:
    MOVES = (("promote", "1"), ("rollback",))

    @pytest.mark.parametrize("move", MOVES, ids=["promote", "rollback"])
    def test_a_pipeline_at_work_is_not_fought_over(self, desk: Desk, move: tuple[str, ...]) -> None:
        held(desk)
        before = everything(desk)
        found = models(move[0], root(desk), CONFIGURATION, "weights", *move[1:], *BECAUSE)
        assert (found.exit_code, found.stdout) == (ExitCode.HELD, "")
        assert "is held by pipeline games/ringrift of cluster c1" in found.stderr
        assert "ringrift.ai/rollback-requested: square8-2p/weights@<time>" in found.stderr
        assert everything(desk) == before

    @pytest.mark.parametrize("move", MOVES, ids=["promote", "rollback"])
    def test_a_claim_that_has_aged_holds_nobody_up(self, desk: Desk, move: tuple[str, ...]) -> None:
        held(desk, age=timedelta(hours=2))
        assert models(move[0], root(desk), CONFIGURATION, "weights", *move[1:], *BECAUSE).exit_code == 0

    def test_a_pipeline_that_comes_meanwhile_is_not_fought_over(self, desk: Desk, tmp_path: Path) -> None:
        hand = Hand(desk.archive, Board.SQUARE8, 2, Track.WEIGHTS, tmp_path)
        request = hand.rollback(None, "plays badly")
        held(desk)
        before = everything(desk)
        with pytest.raises(HeldError, match="is held by pipeline games/ringrift"):
            hand.move(request)
        assert everything(desk) == before

    def test_looking_is_never_held_up(self, desk: Desk, tmp_path: Path) -> None:
        held(desk)
        assert models("list", root(desk)).exit_code == 0
        assert models("verify", root(desk)).exit_code == 0
        assert models("export", root(desk), CONFIGURATION, "weights", "--to", tmp_path / "w").exit_code == 0


class TestTogether:
    def test_a_move_that_was_asked_for_another_champion_is_refused(self, desk: Desk, tmp_path: Path) -> None:
        hand = Hand(desk.archive, Board.SQUARE8, 2, Track.WEIGHTS, tmp_path)
        requests = (hand.promotion(weights_of(desk, 3.0), "mine"), hand.rollback(None, "mine"))
        assert models("promote", root(desk), CONFIGURATION, "weights", "1", *BECAUSE).exit_code == 0
        before = registry(desk)
        for request in requests:
            with pytest.raises(WrongInputError, match="expects champion version 2, found 3; nothing was moved"):
                hand.move(request)
        assert registry(desk) == before

    def test_of_several_people_at_once_each_moves_the_pointer_or_is_told(self, desk: Desk, tmp_path: Path) -> None:
        started = []
        for number in range(3):
            file = weights_file(tmp_path / f"{number}.json", 2.0 + number)
            command = [*STAGE_PROGRAM, "models", "promote", root(desk), CONFIGURATION, "weights", str(file), *BECAUSE]
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        said = [process.communicate(timeout=patience.SECONDS) for process in started]
        moved = [process.returncode == 0 for process in started]
        assert any(moved)
        assert all("nothing was moved" in err for (_, err), is_moved in zip(said, moved, strict=True) if not is_moved)
        log = registry(desk).log[2:]
        assert len(log) == sum(moved)
        assert [move.replaced for move in log] == [2, *(move.version for move in log[:-1])]


def test_a_person_is_told_by_the_request() -> None:
    by_hand = ByHand("ada l.", datetime(2026, 1, 2, 3, 4, 5, 6, UTC))
    assert ByHand.parse(str(by_hand)) == by_hand
    assert ByHand.parse("square8-2p/network/i3/promote") is None
