"""`ringrift-operator local`, from the user's end, with the real stages."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests import patience
from tests.unit.local.running import Local


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Local, str]:
    """A pipeline that has run to its end, and what was said; in a folder whose name a URI has to escape."""
    local = Local(tmp_path_factory.mktemp("a b é"))
    code, output = local.run()
    assert code == 0, output
    return local, output


def test_it_ends_with_who_was_promoted_or_why_not(finished: tuple[Local, str]) -> None:
    local, output = finished
    assert "small is complete: 2 iterations" in output
    assert "square8-2p: 100 games" in output
    lines = [line.strip() for line in output.splitlines()]
    judged = [line for line in lines if line.startswith(("weights promoted: ", "weights rejected: "))]
    assert len(judged) == 2
    assert all(" over " in line and " to " in line for line in judged)
    assert any(line.startswith(("weights champion, version", "weights: no champion yet")) for line in lines)
    assert "./ringrift-data/games" in output
    assert "ringrift-operator local -f pipeline.yaml" in output
    assert local.status()["games"] == 100


def test_records_and_logs_are_kept(finished: tuple[Local, str]) -> None:
    local, _ = finished
    records = [json.loads(path.read_text()) for path in sorted((local.state / "iterations").glob("*.json"))]
    assert [record["spec"]["iteration"] for record in records] == [1, 2]
    assert (local.state / "tasks" / "small-square8-2p-i1-cmaes-a1.log").exists()
    assert not list((local.state / "tasks").glob("*.pid"))


def test_run_again_it_says_so_and_does_nothing(finished: tuple[Local, str]) -> None:
    local, _ = finished
    before = local.truth()
    code, output = local.run()
    assert code == 0
    assert "small is complete already" in output
    assert local.truth() == before


def test_a_track_that_failed_in_the_last_iteration_is_no_success(finished: tuple[Local, str], tmp_path: Path) -> None:
    shutil.copytree(finished[0].folder, tmp_path / "copy")
    local = Local(tmp_path / "copy")
    path = local.state / "pipeline.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    state["status"]["configurations"][0]["tracks"].append({"name": "network", "failure": "train failed: exit code 139"})
    path.write_text(json.dumps(state), encoding="utf-8")
    code, output = local.run()
    assert code == 1
    assert "small is complete already, though square8-2p network failed: 2 iterations" in output


def test_a_lost_state_is_read_back_from_the_store(finished: tuple[Local, str]) -> None:
    local, _ = finished
    known = local.status()["configurations"][0]  # type: ignore[index]
    before = local.truth()
    shutil.rmtree(local.state)
    code, output = local.run()
    assert code == 0, output
    assert "begins with" not in output, "no iteration is repeated"
    found = local.status()["configurations"][0]  # type: ignore[index]
    for name in ("iteration", "games"):
        assert found.get(name) == known.get(name), name
    kept = ("name", "champion", "predecessor", "consecutiveFailures")
    tracks = [[{name: track.get(name) for name in kept} for track in each["tracks"]] for each in (found, known)]
    assert tracks[0] == tracks[1]
    assert any(track["champion"] or track["consecutiveFailures"] for track in tracks[0]), "there is something to lose"
    assert local.truth() == before


def test_more_iterations_go_on_where_it_was(finished: tuple[Local, str]) -> None:
    local, _ = finished
    local.write(iterations=3)
    code, output = local.run()
    assert code == 0, output
    assert "iteration 3 begins with 40 games" in output
    assert "iteration 1 begins" not in output
    assert local.status()["games"] == 140


def test_a_changed_store_is_refused_in_the_api_servers_words(finished: tuple[Local, str]) -> None:
    local, _ = finished
    local.write(artifacts={"persistentVolumeClaim": {"claimName": "other"}})
    code, output = local.run()
    local.write()
    assert code == 2
    assert "spec.artifacts: artifacts cannot be changed" in output


def test_a_dry_run_says_the_plan_and_writes_nothing(tmp_path: Path) -> None:
    local = Local(tmp_path)
    code, output = local.run("--dry-run")
    assert code == 0
    assert "small: square8-2p: iteration 1: selfplay of 60 games in 6 shards (heuristic-only; seed 1001" in output
    assert not (tmp_path / "ringrift-data").exists()


def test_a_dry_run_names_who_would_stand_still(tmp_path: Path) -> None:
    local = Local(tmp_path)
    text = (tmp_path / "pipeline.yaml").read_text()
    (tmp_path / "pipeline.yaml").write_text(f"{text}---\n{text.replace('name: small', 'name: other')}")
    code, output = local.run("--dry-run")
    assert code == 0
    assert "small: square8-2p: iteration 1: selfplay" in output
    assert "other: would stand still: pipeline small already trains square8-2p in the same store" in output
    assert "other: square8-2p" not in output


def test_the_commands_it_names_have_the_options_it_was_given(tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    code, output = local.run("--data", "my data")
    assert code == 0, output
    assert "ringrift-operator local -f pipeline.yaml --data 'my data' --plain" in output
    assert "'./my data/games'" in output


def test_a_suspended_pipeline_is_told_how_to_go_on(tmp_path: Path) -> None:
    code, output = Local(tmp_path, suspend=True).run()
    assert code == 0, output
    assert "set spec.suspend to false in pipeline.yaml, then" in output
    assert "more iterations" not in output
    assert "kubectl" not in output


def test_a_folder_is_not_sent_to_a_cluster(tmp_path: Path) -> None:
    code, output = Local(tmp_path, iterations=1, artifacts={"uri": (tmp_path / "u x").as_uri()}).run()
    assert code == 0, output
    assert "copy pipeline.yaml and change spec.artifacts" in output
    assert "kubectl apply" not in output
    assert (tmp_path / "u x" / ".locks" / "local").exists()


@pytest.mark.parametrize("name", ["pipeline.json", "iterations/small-square8-2p-i1.json"])
@pytest.mark.parametrize(("content", "why"), [("garbage", "Invalid JSON"), ('{"a": 1}', "metadata: Field required")])
def test_a_state_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, content: str, why: str) -> None:
    local = Local(tmp_path)
    path = local.state / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    code, output = local.run()
    assert code == 2
    assert len(output.splitlines()) == 1
    assert f"{name} is not a " in output
    assert why in output
    assert "delete ringrift-data/_local/small" in output


def test_an_invalid_file_is_exit_2_with_path_and_sentence(tmp_path: Path) -> None:
    local = Local(tmp_path, evaluation={"promotionThreshold": 0.4})
    code, output = local.run()
    assert code == 2
    assert "spec.evaluation.regressionThreshold: regressionThreshold must be below promotionThreshold" in output
    assert "Traceback" not in output


def test_a_file_without_a_pipeline_is_exit_2(tmp_path: Path) -> None:
    local = Local(tmp_path)
    (tmp_path / "pipeline.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    code, output = local.run()
    assert (code, output.strip()) == (2, "ringrift-operator local: pipeline.yaml holds no TrainingPipeline")


def test_stopped_it_leaves_nothing_running_and_continues(tmp_path: Path) -> None:
    # A budget that takes long enough to be interrupted.
    local = Local(tmp_path, cmaes={"generations": 400, "populationSize": 20, "gamesPerEvaluation": 20}, iterations=1)
    process = local.start()
    log = local.state / "tasks" / "small-square8-2p-i1-cmaes-a1.log"
    deadline = time.monotonic() + patience.SECONDS
    while not (log.exists() and b"progress" in log.read_bytes()):
        assert time.monotonic() < deadline, "cmaes does not start"
        time.sleep(0.05)
    second_code, second = local.run()
    assert second_code == 2
    assert "another `ringrift-operator local` (process " in second
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 130, output
    assert "nothing is lost: ringrift-operator local -f pipeline.yaml --plain continues" in output
    assert local.processes() == []
    status = local.status()
    assert status["tasks"] == {"succeeded": 3, "failed": 0} or status["tasks"]["failed"] == 0  # type: ignore[index]


def test_a_stage_that_no_pool_takes_ends_at_a_standstill(tmp_path: Path) -> None:
    local = Local(tmp_path, tracks=["weights", "network"], iterations=1)
    pool = (
        "---\napiVersion: ringrift.ai/v1alpha1\nkind: WorkerPool\nmetadata: {name: small}\nspec:\n  type: Cluster\n"
        "  slots:\n  - {name: play, stages: [selfplay, cmaes, evaluate], resources: {memory: 2Gi}}\n"
    )
    with (tmp_path / "pipeline.yaml").open("a") as file:
        file.write(pool)
    code, output = local.run()
    assert code == 1
    assert "small cannot go on: no WorkerPool takes train of square8-2p" in output
    assert "weights" in output


def test_a_broken_store_is_named_and_once_mended_the_same_command_goes_on(tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    manifest = local.store / "square8-2p" / "games.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("no manifest")
    code, output = local.run()
    assert code == 1, output
    assert "small cannot go on: square8-2p: adopt was given up" in output
    assert "games.json" in output
    assert "Traceback" not in output
    manifest.unlink()
    code, output = local.run()
    assert code == 0, output
    assert "small is complete" in output


def test_another_pipelines_iteration_is_not_taken_for_its_own(tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    assert local.run()[0] == 0
    shutil.rmtree(local.state)
    both = {"tracks": ["weights", "network"], "network": {"bootstrapEpochs": 1}, "iterations": 1}
    local.write(**both, configurations=[{"board": "square8", "players": 2, "bootstrapGames": 50}])
    code, output = local.run()
    assert code == 1, output
    assert "small cannot go on: square8-2p: selfplay was given up" in output
    assert "was finished for games 60, not 50" in output
    assert "more iterations" not in output
    local.write(**both)
    code, output = local.run()
    assert code == 0, output


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    local = Local(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    code, output = local.run("--data", "file/data")
    assert code == 2
    assert "file/data" in output
    assert "Traceback" not in output
