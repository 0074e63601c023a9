"""Everything that is the toy track's own: two stages, what they are told and answer, and its recipe."""

from __future__ import annotations

from pydantic import Field

from ringrift_core.contract import (
    ArtifactReference,
    InitialWeights,
    IterationParameters,
    Result,
    Stage,
    StageFacts,
    StageResult,
    Track,
    TrackFacts,
    everywhere,
)
from ringrift_core.contract.vocabulary import Total
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.replay.manifest import read_manifest
from ringrift_core.stage import Outcome, Run
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain import steps
from ringrift_operator.domain.recipe import Commission, Handling, Recipe, Step

TOY = Track("toy")
FACTS = TrackFacts("a setting of the heuristic", everywhere("weights:one-ply"), everywhere("random"))


class CountParameters(IterationParameters):
    """Counts the games that there are."""

    stage = Stage("toy-count")


class CountResult(Result):
    """What was counted."""

    games: Total = Field(description="Unique games of all iterations.")


class PickParameters(IterationParameters):
    """Picks the weights that are right for so many games."""

    stage = Stage("toy-pick")
    counted: ArtifactReference = Field(description="What toy-count left.")


class PickResult(Result):
    """What was picked."""

    is_hand_set: bool = Field(description="The hand-set weights, not material alone.")


def count_stage(parameters: CountParameters, run: Run) -> StageResult:
    return run.once(parameters.iteration, "toy-count", parameters, lambda: _count(run))


def _count(run: Run) -> Outcome:
    games = read_manifest(run.archive)[0].games
    return Outcome(
        {"counted": run.archive.put_json({"games": games})}, CountResult(games=games), message=f"{games} games"
    )


def pick_stage(parameters: PickParameters, run: Run) -> StageResult:
    return run.once(parameters.iteration, "toy-pick", parameters, lambda: _pick(parameters, run))


def _pick(parameters: PickParameters, run: Run) -> Outcome:
    weights = HeuristicWeights.of_setting(InitialWeights.BASELINE, parameters.board, parameters.players)
    return Outcome({"candidate": weights.save(run.archive)}, PickResult(is_hand_set=True))


COUNT = StageFacts(CountParameters, CountResult, "tests.toy.stages:count_stage", output="counted", is_light=True)
PICK = StageFacts(
    PickParameters,
    PickResult,
    "tests.toy.stages:pick_stage",
    output="candidate",
    example={"counted": f"file:///tmp/ringrift/square8-2p/objects/9f2c.json#{'9f2c' * 16}:812"},
)


def _told_to_count(commission: Commission) -> CountParameters:
    return CountParameters(**commission.in_iteration)


def _told_to_pick(commission: Commission) -> PickParameters:
    return PickParameters(**commission.in_iteration, counted=commission.made_by("toy-count"))


def _described(_: ResolvedConfiguration, iteration: int) -> str:
    return f"count the games of {iteration} iterations and pick weights"


RECIPE = Recipe(
    TOY,
    makers=(
        Step("toy-count", Handling(COUNT, needs_output=True), _told_to_count, TOY, needs=(steps.MERGE,)),
        Step("toy-pick", Handling(PICK, needs_output=True), _told_to_pick, TOY, needs=("toy-count",)),
    ),
    described=_described,
)
