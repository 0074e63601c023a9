"""What 0.1.0 wrote, put into today's words: the one place in the core that knows it.

Its records and results carry no `contractVersion`. Its records name every parameter, the defaulted ones too, and their
digest was made of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringrift_core.contract.identity import digest_of
from ringrift_core.contract.vocabulary import Stage

ABSENT: dict[Stage, dict[str, Any]] = {
    Stage.SELFPLAY: {
        "engineModes": ["heuristic-only"],
        "maxMoves": None,
        "weightsVersion": 0,
        "networkVersion": 0,
        "initialWeights": "baseline",
        "treePositions": 0,
        "logGames": True,
    },
    Stage.EXPORT: {
        "seed": 0,
        "window": 0,
        "requireCompleted": True,
        "minMoves": 20,
        "positionsPerGame": 32,
        "positions": 0,
        "symmetries": 1,
        "exactState": False,
        "treePositions": False,
    },
    Stage.TRAIN: {"seed": 0, "networkVersion": 0, "epochs": 10, "batchSize": 256},
    Stage.CMAES: {
        "seed": 0,
        "weightsVersion": 0,
        "initialWeights": "baseline",
        "generations": 10,
        "populationSize": 20,
        "gamesPerEvaluation": 12,
        "maxMoves": 500,
    },
    Stage.EVALUATE: {
        "kind": "candidate",
        "candidate": None,
        "championVersion": 0,
        "initialWeights": "baseline",
        "seed": 0,
        "gate": "SPRT",
        "games": 20,
        "maxGames": 200,
        "promotionThreshold": 0.55,
        "regressionThreshold": 0.45,
        "baselineGames": 0,
        "maxMoves": 500,
    },
}
"""The defaults of the parameters of the stages that leave a record."""


BASELINES = ("random", "heuristic")
CLIPPED = 240
"""Characters of a message that are sure to fit today's bytes."""


def record(written: Mapping[str, Any]) -> dict[str, Any]:
    """A task's record with the parameters that were set, and the digest of these."""
    stage = Stage(written["result"]["stage"])
    absent = ABSENT[stage]
    parameters = {name: value for name, value in written["parameters"].items() if absent.get(name, ...) != value}
    if stage is Stage.TRAIN and "networkVersion" in parameters:
        parameters["startFrom"] = str(parameters.pop("networkVersion"))
    answer = stage_result(written["result"])
    return {**written, "parameters": parameters, "digest": digest_of(parameters), "result": answer}


def digest(stage: Stage, values: Mapping[str, Any]) -> str:
    """The digest that 0.1.0 made of a task with these values of `set_values`."""
    return digest_of({**ABSENT[stage], **values})


def stage_result(written: Mapping[str, Any]) -> dict[str, Any]:
    """A StageResult, its free figures as the answer of its stage; one of a stage that failed has none."""
    stage, metrics = Stage(written["stage"]), written.get("metrics", {})
    kept = {name: value for name, value in written.items() if name != "metrics"}
    message = written.get("message", "")
    if len(message) > CLIPPED:
        kept["message"] = message[:CLIPPED] + "…"
    return {**kept, "result": answer(stage, metrics)} if metrics or "verdict" in written else kept


def answer(stage: Stage, metrics: Mapping[str, float]) -> dict[str, Any]:
    """Figures by their names as what the stage answers today; those that were not kept count as 0."""

    def count(name: str) -> int:
        return int(metrics.get(name, 0))

    def figure(name: str) -> float:
        return metrics.get(name, 0.0)

    match stage:
        case Stage.ADOPT:
            tracks = sorted(name.removeprefix("champion_") for name in metrics if name.startswith("champion_"))
            parts = ("champion", "predecessor", "failures")
            return {
                **{name: count(name) for name in ("iteration", "games", "promotions", "rollbacks")},
                "tracks": [{"track": track, **{each: count(f"{each}_{track}") for each in parts}} for track in tracks],
            }
        case Stage.SELFPLAY:
            wins = [count(f"seat{seat}_wins") for seat in range(1, 5) if seat < 3 or f"seat{seat}_wins" in metrics]
            names = {"games": "games", "cutGames": "cut_games", "turns": "turns", "moves": "moves"}
            return {
                **{today: count(name) for today, name in names.items()},
                "decisions": count("decisions"),
                "seatWins": wins,
                "gamesPlayed": round(figure("games_per_second") * figure("seconds")),
                "seconds": figure("seconds"),
            }
        case Stage.MERGE:
            return {"games": count("games"), "newGames": count("new_games"), "duplicates": count("duplicates")}
        case Stage.EXPORT:
            counts = {name: count(name) for name in ("games", "window", "positions", "rows", "shards")}
            return {**counts, "bytesPerRow": figure("bytes_per_row")}
        case Stage.TRAIN:
            return {
                "trainLoss": figure("train_loss"),
                "heldOutLoss": figure("held_out_loss"),
                "heldOutPolicyLoss": figure("held_out_policy_loss"),
                "heldOutAccuracy": figure("held_out_accuracy"),
                "epochs": count("epochs"),
                "bestEpoch": count("best_epoch"),
                "onnxDifference": figure("onnx_difference"),
            }
        case Stage.CMAES:
            return {
                "generations": count("generations"),
                "games": count("games"),
                "converged": count("converged") == 1,
                "populationWinRate": figure("population_win_rate"),
                "step": figure("step"),
            }
        case Stage.EVALUATE:
            return {
                "cutShare": figure("cut_share"),
                "identicalShare": figure("identical_share"),
                "baselines": [
                    {
                        "opponent": opponent,
                        "games": count(f"{opponent}_games"),
                        "winRate": figure(f"{opponent}_win_rate"),
                        "low": figure(f"{opponent}_low"),
                        "high": figure(f"{opponent}_high"),
                    }
                    for opponent in BASELINES
                    if f"{opponent}_games" in metrics
                ],
            }
        case Stage.PROMOTE | Stage.ROLLBACK:
            return {"version": count("version"), "predecessor": count("predecessor")}
        case _:
            raise ValueError(f"0.1.0 had no stage {stage}")
