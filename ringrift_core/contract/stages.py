"""What is known of each stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringrift_core.contract.base import Result, StageParameters
from ringrift_core.contract.games import ExportParameters, ExportResult, MergeParameters, MergeResult
from ringrift_core.contract.judging import CmaesParameters, CmaesResult, EvaluateParameters, EvaluateResult
from ringrift_core.contract.rating import Entrant, RoundrobinParameters, RoundrobinResult
from ringrift_core.contract.registry import (
    AdoptParameters,
    AdoptResult,
    PointerResult,
    PromoteParameters,
    RollbackParameters,
)
from ringrift_core.contract.selfplay import SelfplayParameters, SelfplayResult
from ringrift_core.contract.training import (
    DistillParameters,
    DistillResult,
    NnueParameters,
    NnueResult,
    TrainParameters,
    TrainResult,
)
from ringrift_core.contract.vocabulary import Board, Stage, Track


@dataclass(frozen=True, slots=True)
class StageFacts:
    """One stage: what it is told, what it answers, what it leaves and what it needs."""

    parameters: type[StageParameters]
    result: type[Result]
    body: str
    """Where its code is, `module:function`: the process that runs the stage imports it, and no other."""
    output: str = ""
    """The output that the next stage is given, by the name of that stage's parameter; empty when there is none."""
    is_light: bool = False
    """Takes no slot: it always runs in the pipeline's namespace (design.md section 3)."""
    needs_torch: bool = False
    takes_slots_of: Stage | None = None
    """Runs wherever this stage may: pools do not list it. None: where it is listed itself."""
    example: Mapping[str, object] = field(default_factory=dict)
    """Parameters of the command that `--help` shows, beside store, configuration and iteration."""

    @property
    def stage(self) -> Stage:
        return self.parameters.stage

    @property
    def listed_as(self) -> Stage:
        """By which name a slot takes it."""
        return self.takes_slots_of or self.stage

    def example_parameters(self) -> StageParameters:
        """The example as a whole."""
        common: dict[str, object] = {"store": "file:///tmp/ringrift", "board": Board.SQUARE8, "players": 2}
        if "iteration" in self.parameters.model_fields:
            common["iteration"] = 1
        return self.parameters.model_validate({**common, **self.example})


_MADE = f"file:///tmp/ringrift/square8-2p/objects/9f2c.json#{'9f2c' * 16}:812"

STAGES: dict[Stage, StageFacts] = {
    Stage.ADOPT: StageFacts(AdoptParameters, AdoptResult, "ringrift_core.registry.stage:adopt_stage", is_light=True),
    Stage.SELFPLAY: StageFacts(
        SelfplayParameters,
        SelfplayResult,
        "ringrift_core.selfplay.stage:selfplay_stage",
        example={"seed": 1001, "games": 200, "shard": "0-3/4"},
    ),
    Stage.MERGE: StageFacts(MergeParameters, MergeResult, "ringrift_core.replay.merge:merge_stage", is_light=True),
    Stage.EXPORT: StageFacts(
        ExportParameters,
        ExportResult,
        "ringrift_core.dataset.stage:export_stage",
        output="dataset",
        is_light=True,
        example={"seed": 1001},
    ),
    Stage.TRAIN: StageFacts(
        TrainParameters,
        TrainResult,
        "ringrift_core.nn.stage:train_stage",
        output="candidate",
        needs_torch=True,
        example={"seed": 1001, "dataset": _MADE},
    ),
    Stage.NNUE: StageFacts(
        NnueParameters,
        NnueResult,
        "ringrift_core.nnue.stage:nnue_stage",
        output="candidate",
        needs_torch=True,
        example={"seed": 1001, "dataset": _MADE},
    ),
    Stage.DISTILL: StageFacts(
        DistillParameters,
        DistillResult,
        "ringrift_core.nnue.distill:distill_stage",
        output="candidate",
        needs_torch=True,
        example={"seed": 1001, "dataset": _MADE, "network_version": 1},
    ),
    Stage.CMAES: StageFacts(
        CmaesParameters,
        CmaesResult,
        "ringrift_core.cmaes.stage:cmaes_stage",
        output="candidate",
        example={"seed": 1001, "generations": 5},
    ),
    Stage.EVALUATE: StageFacts(
        EvaluateParameters,
        EvaluateResult,
        "ringrift_core.arena.stage:evaluate_stage",
        output="verdict",
        example={"track": Track.WEIGHTS, "candidate": _MADE},
    ),
    Stage.ROUNDROBIN: StageFacts(
        RoundrobinParameters,
        RoundrobinResult,
        "ringrift_core.arena.roundrobin:roundrobin_stage",
        takes_slots_of=Stage.EVALUATE,
        example={"seed": 1001, "entrants": (Entrant(Track.NETWORK, 3), Entrant(Track.NETWORK, 2))},
    ),
    Stage.PROMOTE: StageFacts(
        PromoteParameters,
        PointerResult,
        "ringrift_core.registry.stage:promote_stage",
        is_light=True,
        example={"track": Track.WEIGHTS, "request_id": "i0001", "expected_version": 0, "candidate": _MADE},
    ),
    Stage.ROLLBACK: StageFacts(
        RollbackParameters,
        PointerResult,
        "ringrift_core.registry.stage:rollback_stage",
        is_light=True,
        example={
            "track": Track.WEIGHTS,
            "request_id": "by-hand-1",
            "expected_version": 3,
            "cause": "plays worse than version 2",
        },
    ),
}
"""Every stage. How the operator treats it stands with the steps (operator, domain/recipes)."""
