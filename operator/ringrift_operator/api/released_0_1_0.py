"""What 0.1.0 wrote into resources, put into today's words: the one place in the operator that knows it.

Its status kept what is known of tracks in one map a fact, figures by their names, and of an iteration's frozen values
those that were no defaults. What is of today's form passes as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringrift_core.contract import Stage
from ringrift_core.contract.released_0_1_0 import answer, stage_result

Values = Mapping[str, Any]

TRACKS = ("network", "nnue", "weights")

OF_TRACKS = {
    "champions": "champion",
    "predecessors": "predecessor",
    "strength": "strength",
    "consecutiveFailures": "consecutiveFailures",
    "warnedChampions": "warnedChampion",
    "startChampions": "startChampion",
    "decisions": "decision",
    "failedTracks": "failure",
}
"""Its maps by track, and today's field of a track."""
OF_CONFIGURATION = ("regressions", "converged")
"""Of some track each, but not by its name."""

FROZEN: dict[str, dict[str, Any]] = {
    "selfplay": {
        "engineModes": ["descent-only", "heuristic-only", "mixed"],
        "shardGames": 50,
        "cooldown": "10s",
        "seed": 1,
    },
    "dataset": {"requireCompleted": True, "minMoves": 20},
    "network": {
        "bootstrapEpochs": 100,
        "epochs": 10,
        "batchSize": 256,
        "size": "small",
        "uses": 0,
        "outcomeWeight": 0.3,
        "surprise": 0,
        "qualityGate": 0.55,
        "gateGames": 50,
        "distributed": {"nodes": 1, "processesPerNode": 1},
    },
    "nnue": {
        "bootstrapEpochs": 50,
        "epochs": 20,
        "batchSize": 1024,
        "distill": {"positions": 100000, "minCorrelation": 0.9},
    },
    "cmaes": {
        "generations": 10,
        "populationSize": 20,
        "gamesPerEvaluation": 12,
        "evaluator": "Auto",
        "maxWorkers": 2,
        "initialWeights": "Baseline",
    },
    "evaluation": {
        "gate": "SPRT",
        "games": 20,
        "maxGames": 200,
        "baselineGames": 40,
        "roundRobin": {"games": 0},
        "promotionThreshold": 0.55,
        "regressionThreshold": 0.45,
    },
    "rollback": {"maxConsecutiveFailures": 5, "keepBackupModels": 3},
}
"""The defaults of a configuration's sections."""


def status(written: Values) -> dict[str, Any]:
    """The status of any kind; only a pipeline's, and a remote task's result, had another form."""
    today: dict[str, Any] = _without_null(written)
    if "configurations" in today:
        today["configurations"] = [_configuration(each) for each in today["configurations"]]
    if "result" in today and "contractVersion" not in today["result"]:
        today["result"] = stage_result(today["result"])
    return today


def iteration(spec: Values) -> dict[str, Any]:
    """What a TrainingIteration tells."""
    return {**spec, "stages": [_step(each) for each in spec.get("stages", ())]}


def _without_null(value: Any) -> Any:
    """Server-side apply has left null where a map became empty, and today's schema does not know those maps."""
    match value:
        case dict():
            return {name: _without_null(each) for name, each in value.items() if each is not None}
        case list():
            return [_without_null(each) for each in value]
        case _:
            return value


def _configuration(written: Values) -> dict[str, Any]:
    old = {*OF_TRACKS, *OF_CONFIGURATION}
    tasks = written.get("tasks", ())
    if not old & written.keys() and all("stage" in task for task in tasks):
        return dict(written)
    today = {name: value for name, value in written.items() if name not in old}
    today["tasks"] = [_task(each) for each in tasks]
    today["tracks"] = [found for track in TRACKS if len(found := _track(track, written)) > 1]
    if frozen := written.get("frozen"):
        today["frozen"] = frozen | {name: _laid_over(values, frozen.get(name, {})) for name, values in FROZEN.items()}
    return today


def _track(name: str, written: Values) -> dict[str, Any]:
    track: dict[str, Any] = {"name": name}
    for old, today in OF_TRACKS.items():
        if name in written.get(old, {}):
            track[today] = written[old][name]
    beginning = f"the {name} champion lost to its predecessor: "
    for sentence in written.get("regressions", ()):
        if sentence.startswith(beginning):
            track["regression"] = sentence.removeprefix(beginning)
    if name == "weights" and written.get("converged"):
        track["converged"] = written["converged"]
    return track


def _task(written: Values) -> dict[str, Any]:
    today = _step(written)
    if placement := written.get("placement"):
        today["placement"] = {name: value for name, value in placement.items() if value != ""}
    return today


def _step(written: Values) -> dict[str, Any]:
    """A task's status or a stage's record: with the stage that its name implied, and what that answered."""
    if "stage" in written:
        return dict(written)
    today = {name: value for name, value in written.items() if name != "metrics"}
    stage = today["stage"] = _stage(written["name"])
    if written.get("phase") == "Succeeded":
        today["result"] = answer(stage, written.get("metrics", {}))
    return today


def _stage(step: str) -> Stage:
    name = step.removeprefix("requested-").partition("-")[0]
    return Stage.EVALUATE if name == "regression" else Stage(name)


def _laid_over(below: Values, above: Values) -> dict[str, Any]:
    """Values under those that were written, nested ones field by field."""
    merged = {
        name: _laid_over(value, above.get(name, {})) if isinstance(value, dict) else above.get(name, value)
        for name, value in below.items()
    }
    return {**above, **merged}
