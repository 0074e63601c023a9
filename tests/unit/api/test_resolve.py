"""A configuration's values: the plan's tables, the pipeline's sections, the configuration's own."""

from __future__ import annotations

import pytest

from ringrift_core.contract import Board
from ringrift_operator.api import Configuration, TrainingPipelineSpec, resolve
from ringrift_operator.api.overlay import laid_over
from ringrift_operator.api.sections import Network

# plan.md: games of the bootstrap, games of later iterations, move limit of the bootstrap, move limit of later games.
PLAN = {
    ("square8", 2): (1000, 200, 500, 500),
    ("square8", 3): (300, 100, 600, 500),
    ("square8", 4): (200, 80, 700, 500),
    ("square19", 2): (400, 100, 800, 1000),
    ("square19", 3): (150, 60, 800, 1000),
    ("square19", 4): (100, 40, 800, 1000),
    ("hexagonal", 2): (400, 100, 800, 800),
    ("hexagonal", 3): (150, 60, 800, 800),
    ("hexagonal", 4): (100, 40, 800, 800),
}


def spec(configuration: dict[str, object], **sections: object) -> TrainingPipelineSpec:
    return TrainingPipelineSpec.model_validate(
        {"artifacts": {"uri": "s3://ringrift/main"}, "configurations": [configuration], **sections}
    )


@pytest.mark.parametrize(("board", "players"), PLAN)
def test_omitted_numbers_are_the_plans(board: str, players: int) -> None:
    pipeline = spec({"board": board, "players": players})
    resolved = resolve(pipeline.configurations[0], pipeline)
    found = (resolved.games(1), resolved.games(2), resolved.move_limit(1), resolved.move_limit(2))
    assert found == PLAN[board, players]


def test_the_plans_bootstrap_is_2800_games_in_all() -> None:
    configurations = [Configuration(board=Board(board), players=players) for board, players in PLAN]
    pipeline = spec({"board": "square8", "players": 2})
    assert sum(resolve(each, pipeline).bootstrap_games for each in configurations) == 2800


@pytest.mark.parametrize("board", Board)
@pytest.mark.parametrize("players", [2, 3, 4])
def test_every_board_has_numbers(board: Board, players: int) -> None:
    pipeline = spec({"board": board, "players": players})
    assert resolve(pipeline.configurations[0], pipeline).name == f"{board}-{players}p"


def test_a_configurations_numbers_go_before_the_plans() -> None:
    pipeline = spec(
        {"board": "square8", "players": 2, "bootstrapGames": 7, "gamesPerIteration": 6, "maxMoves": 5}
        | {"bootstrapMaxMoves": 4}
    )
    resolved = resolve(pipeline.configurations[0], pipeline)
    assert (resolved.games(1), resolved.games(9), resolved.move_limit(1), resolved.move_limit(9)) == (7, 6, 4, 5)


def test_a_configurations_section_is_laid_over_the_pipelines_field_by_field() -> None:
    pipeline = spec(
        {"board": "square8", "players": 2, "network": {"epochs": 3, "distributed": {"nodes": 2}}},
        network={"batchSize": 64, "epochs": 9, "distributed": {"processesPerNode": 4}},
    )
    network = resolve(pipeline.configurations[0], pipeline).network
    assert (network.epochs, network.batch_size) == (3, 64)
    assert (network.distributed.nodes, network.distributed.processes_per_node) == (2, 4)


def test_a_section_written_out_in_full_is_that_section() -> None:
    override = Network.model_validate(Network(epochs=3).model_dump())
    assert laid_over(Network(epochs=9, batch_size=1), override) == override


def test_a_pipeline_is_written_back_without_what_its_configurations_left_out() -> None:
    given = {"board": "square8", "players": 2, "cmaes": {"generations": 3}}
    assert spec(given).model_dump(mode="json", by_alias=True, exclude_none=True)["configurations"] == [given]
