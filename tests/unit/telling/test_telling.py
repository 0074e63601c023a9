"""What is said of spec and status: plain text, the same whoever shows it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ringrift_core.contract import Board, Decision, Progress, Stage, Track, Verdict, changed
from ringrift_operator.api.iteration import TrackRecord
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    PipelinePhase,
    StagePhase,
    Strength,
    TaskStatus,
    TrackDecision,
    TrackStatus,
    TrainingPipelineStatus,
    WinRate,
)
from ringrift_operator.telling.pipelines import standing
from ringrift_operator.telling.steps import fraction, judgement, took, waiting
from ringrift_operator.telling.tracks import decision, decision_in_short, figures_against, strength
from ringrift_operator.telling.words import counted, duration, pace

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def verdict(champion: str) -> Verdict:
    return Verdict(
        track=Track.WEIGHTS,
        decision=Decision.PROMOTE,
        candidate="0" * 64,
        champion=champion,
        games=74,
        win_rate=0.612,
        low=0.55,
        high=0.67,
        raw_share=0.61,
        reason="accepted",
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "< 1 s"), (0, "< 1 s"), (45, "45 s"), (192, "3 min 12 s"), (7500, "2 h 5 min"), (90_000, "25 h 0 min")],
)
def test_a_duration(seconds: int, said: str) -> None:
    assert duration(timedelta(seconds=seconds)) == said


def test_figures() -> None:
    assert (counted(1, "game"), counted(0, "game"), counted(1200, "game")) == ("1 game", "0 games", "1,200 games")
    told = Progress(stage=Stage.SELFPLAY, progress=0.5, message="112/150 games", rate=38.12, unit="games/s")
    assert pace(told) == "112/150 games  38.1 games/s"


@pytest.mark.parametrize(
    ("found", "said", "against", "in_short"),
    [
        (
            TrackRecord(track="weights", decision=TrackDecision.PROMOTED, verdict=verdict("baseline")),
            "weights promoted",
            "0.612 (0.550 to 0.670) against the hand-set heuristic over 74 games",
            "weights promoted 0.612 (0.550 to 0.670)",
        ),
        (
            TrackRecord(track="weights", decision=TrackDecision.REJECTED, verdict=verdict("3")),
            "weights rejected",
            "0.612 (0.550 to 0.670) against version 3 over 74 games",
            "weights rejected 0.612 (0.550 to 0.670)",
        ),
        (TrackRecord(track="network", decision=TrackDecision.SKIPPED), "network skipped", "", "network skipped"),
        (TrackRecord(track="network", decision=TrackDecision.FAILED), "network failed", "", "network failed"),
    ],
)
def test_a_candidate(found: TrackRecord, said: str, against: str, in_short: str) -> None:
    assert (decision(found), figures_against(found), decision_in_short(found)) == (said, against, in_short)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Decision.PROMOTE, "accepted"),
        (Decision.REJECT, "rejected"),
        (Decision.REGRESSED, "regressed"),
        (Decision.KEEP, "holds"),
    ],
)
def test_a_judgement(found: Decision, said: str) -> None:
    assert judgement(changed(verdict("3"), decision=found)).startswith(f"{said}: 0.612")


def test_who_is_champion_and_how_strong() -> None:
    rates = {"random": WinRate(games=100, win_rate=0.98, low=0.93, high=0.995)}
    champion = TrackStatus(name=Track.WEIGHTS, champion="3", strength=Strength(version="3", against=rates))
    unmeasured = TrackStatus(name=Track.NETWORK, champion="2")
    configuration = ConfigurationStatus(
        name="square8-2p", board=Board.SQUARE8, players=2, tracks=(champion, unmeasured)
    )
    assert list(strength(configuration, (Track.WEIGHTS, Track.NETWORK, Track.NNUE), ())) == [
        ("weights champion, version 3", ("against random 0.980 (0.930 to 0.995) over 100 games",)),
        ("network champion, version 2: not measured against the baselines", ()),
        ("nnue: no champion yet", ()),
    ]


def test_a_step_under_way() -> None:
    base = {"name": "selfplay", "stage": "selfplay", "part": 0}
    tasks = [
        TaskStatus.model_validate({**base, "phase": "Succeeded", "startedAt": NOON, "finishedAt": NOON}),
        TaskStatus.model_validate({**base, "part": 1, "phase": "Running", "startedAt": NOON}),
    ]
    assert fraction(tasks, [Progress(stage=Stage.SELFPLAY, progress=0.5)]) == 0.75
    assert took(tasks, NOON + timedelta(seconds=65)) == "1 min 5 s"
    assert took([TaskStatus.model_validate({**base, "phase": "Pending"})], NOON) == ""


def test_a_step_that_waits() -> None:
    task = TaskStatus.model_validate({"name": "cmaes", "stage": "cmaes", "phase": StagePhase.PENDING})
    assert waiting(task, NOON) == ""
    paused = task.model_copy(update={"not_before": NOON, "message": "the store is away"})
    assert waiting(paused, NOON - timedelta(seconds=1)) == f"at {NOON.astimezone():%H:%M:%S} after: the store is away"
    assert waiting(paused.model_copy(update={"waiting_since": NOON}), NOON) == "waits for a slot"


def test_a_pipeline_at_rest() -> None:
    complete = TrainingPipelineStatus(phase=PipelinePhase.COMPLETED, iteration=2, promotions=1)
    said = "2 iterations, 1 promotion, 0 rollbacks, 0 tasks succeeded and 0 failed"
    assert standing(complete) == ("is complete", said)
    assert standing(complete, was_complete=True) == ("is complete already", said)
    track = {"name": "network", "failure": "train failed: exit code 137"}
    one = {"name": "square8-2p", "board": "square8", "players": 2, "tracks": [track]}
    half = TrainingPipelineStatus.model_validate({**complete.model_dump(), "configurations": [one]})
    assert standing(half) == ("is complete, though square8-2p network failed", said)
    stuck = TrainingPipelineStatus(phase=PipelinePhase.IMPROVING)
    assert standing(stuck) == ("cannot go on", "it stopped while Improving")


def test_nothing_is_drawn() -> None:
    program = (
        "import sys, ringrift_operator.telling.pipelines, ringrift_operator.telling.tracks, "
        "ringrift_operator.telling.steps; print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
