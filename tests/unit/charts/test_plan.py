"""examples/full.yaml on the chart's environment `production` is the plan, value for value (docs/plan.md).

Each row quotes the plan: a sentence that changes there has to change here.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_core.cmaes.quality import MOST_ITERATIONS
from ringrift_core.contract import (
    Board,
    Device,
    DistillParameters,
    EngineMode,
    SelfplayParameters,
    Stage,
    Track,
    changed,
)
from ringrift_operator.api import TrainingPipeline, WorkerPoolSpec, resolve
from ringrift_operator.api.load import load_file
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.api.scalars import quantity_value
from ringrift_operator.api.sections import Distributed, Evaluator
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import PoolObservation, TaskIdentity
from tests.unit.domain.world import World

ROOT = Path(__file__).parents[3]
PLAN = (ROOT / "docs/plan.md").read_text(encoding="utf-8")
MINUTE = timedelta(minutes=1)


def pipeline() -> TrainingPipeline:
    (found,) = load_file(ROOT / "examples/full.yaml")
    assert isinstance(found, TrainingPipeline)
    return found


def resolved() -> dict[tuple[Board, int], ResolvedConfiguration]:
    spec = pipeline().spec
    return {(each.board, each.players): resolve(each, spec) for each in spec.configurations}


def pools() -> dict[str, WorkerPoolSpec]:
    values = yaml.safe_load((ROOT / "charts/ringrift/environments/production.yaml").read_text(encoding="utf-8"))
    return {pool["name"]: WorkerPoolSpec.model_validate(pool["spec"]) for pool in values["pools"]}


def value(root: Any, path: str) -> Any:
    """`network.batch_size` of a section or of what stands below it."""
    for name in path.split("."):
        root = getattr(root, name)
    return root


SECTIONS = [
    ("CMA-ES: 10 generations, population 20, 12 games an evaluation", "cmaes.generations", 10),
    ("CMA-ES: 10 generations, population 20, 12 games an evaluation", "cmaes.population_size", 20),
    ("CMA-ES: 10 generations, population 20, 12 games an evaluation", "cmaes.games_per_evaluation", 12),
    ("`evaluation.roundRobin`: 20 games of each pair", "evaluation.round_robin.games", 20),
    ("or with at most 2 workers", "cmaes.max_workers", 2),
    ("100 epochs, batch 256, device mps", "network.bootstrap_epochs", 100),
    ("Network: 10 epochs an iteration, batch 256", "network.epochs", 10),
    ("Network: 10 epochs an iteration, batch 256", "network.batch_size", 256),
    ("quality gate 0.55", "network.quality_gate", 0.55),
    ("wins more than 0.55 of 50 games against the heuristic", "network.gate_games", 50),
    ("50 epochs, batch 1024.", "nnue.bootstrap_epochs", 50),
    ("NNUE: 20 epochs, batch 1024", "nnue.epochs", 20),
    ("NNUE: 20 epochs, batch 1024", "nnue.batch_size", 1024),
    ("100,000 positions from the database", "nnue.distill.positions", 100_000),
    ("Distilled NNUE correlates above 0.9 with the network", "nnue.distill.min_correlation", 0.9),
    ("Evaluation: 20 tournament games", "evaluation.games", 20),
    ("promotion 0.55, regression 0.45", "evaluation.promotion_threshold", 0.55),
    ("promotion 0.55, regression 0.45", "evaluation.regression_threshold", 0.45),
]


@pytest.mark.parametrize(("quote", "path", "expected"), SECTIONS)
def test_every_configuration_has_the_plans_number(quote: str, path: str, expected: object) -> None:
    assert quote in PLAN
    assert {name: value(each, path) for name, each in resolved().items()} == dict.fromkeys(resolved(), expected)


def numbers(text: str, quote: str) -> dict[Board, list[int]]:
    """The plan's numbers by board, of a sentence that begins so: boards, then one number, or one for 2, 3 and 4
    players."""
    assert quote in text, quote
    sentence = text.partition(quote)[2].partition(".")[0]
    found: dict[Board, list[int]] = {}
    part = r"([a-z][a-z0-9]*(?: and [a-z][a-z0-9]*)?) ([0-9]+(?:[ /,()p]+[0-9]+)*)"
    for boards, values in re.findall(part, sentence):
        each = [int(number) for number in re.findall(r"\b\d+\b", values)]
        for board in boards.split(" and "):
            found[Board(board)] = each if len(each) == 3 else each * 3
    return found


PHASE_1, PHASE_4 = (PLAN.partition(f"## Phase {number}")[2].partition("\n## ")[0] for number in (1, 4))

BY_BOARD = [
    (PHASE_1, "Games to reach:", "bootstrap_games"),
    (PHASE_1, "Move limits:", "bootstrap_max_moves"),
    (PHASE_4, "games per iteration:", "games_per_iteration"),
    (PHASE_4, "Move limits:", "max_moves"),
]


@pytest.mark.parametrize(("text", "quote", "path"), BY_BOARD, ids=lambda each: each[:20])
def test_games_and_move_limits_are_the_plans_for_every_board_and_number_of_players(
    text: str, quote: str, path: str
) -> None:
    planned = numbers(text, quote)
    assert {name: value(each, path) for name, each in resolved().items()} == {
        (board, players): planned[board][players - 2] for board, players in resolved()
    }


def test_the_bootstrap_is_2800_games_in_all() -> None:
    assert "2,800 in all" in PLAN
    assert sum(each.bootstrap_games for each in resolved().values()) == 2800


MODES = (EngineMode.DESCENT_ONLY, EngineMode.HEURISTIC_ONLY, EngineMode.MIXED)

PIPELINE = [
    ("Engine modes: descent-only, heuristic-only, mixed", "selfplay.engine_modes", MODES),
    ("Sync every 60 minutes", "sync.interval", 60 * MINUTE),
    ("completed games only", "dataset.require_completed", True),
    ("Roll back after 5 consecutive failures", "rollback.max_consecutive_failures", 5),
    ("Replaced: the evaluator is `Auto` instead of off", "cmaes.evaluator", Evaluator.AUTO),
    ("keep 3 backup models", "rollback.keep_backup_models", 3),
    ("no new games in 30 minutes", "alerts.selfplay_stall", 30 * MINUTE),
]


@pytest.mark.parametrize(("quote", "path", "expected"), PIPELINE)
def test_the_pipeline_has_the_plans_value(quote: str, path: str, expected: object) -> None:
    assert quote in PLAN
    assert value(pipeline().spec, path) == expected


def test_nine_configurations_are_trained_on_all_tracks_without_end() -> None:
    assert "Configurations: {square8, square19, hexagonal} x {2, 3, 4 players}." in PLAN
    boards = (Board.SQUARE8, Board.SQUARE19, Board.HEXAGONAL)
    assert set(resolved()) == {(board, players) for board in boards for players in (2, 3, 4)}
    assert pipeline().spec.iterations is None
    assert set(pipeline().spec.tracks) == {Track.WEIGHTS, Track.NNUE, Track.NETWORK}


MACHINES = {"AWS Staging": "aws-staging", "AWS Extra": "aws-extra", "Mac Studio": "mac-studio", "M1 Pro": "m1-pro"}
"""Pools by the plan's names. The laptop is where kubectl runs; a machine of the cloud has no limit in the plan."""

WORK = {
    "self-play": Stage.SELFPLAY,
    "CMA-ES": Stage.CMAES,
    "tournaments": Stage.EVALUATE,
    "light evaluation": Stage.EVALUATE,
    "network training": Stage.TRAIN,
    "NNUE training": Stage.NNUE,
}


def machine(name: str) -> list[str]:
    """The cells of a row of the plan's table of machines: hardware, primary and secondary work, memory limit."""
    (row,) = (line for line in PLAN.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


@pytest.mark.parametrize("name", MACHINES)
def test_a_pools_slots_have_the_memory_that_the_plan_gives_its_machine(name: str) -> None:
    limits = [int(number) for number in re.findall(r"(\d+) GB", machine(name)[-1])]
    assert limits
    memory = [quantity_value(slot.resources["memory"]) for slot in pools()[MACHINES[name]].slots]
    assert memory == [limit << 30 for limit in limits]


@pytest.mark.parametrize("name", MACHINES)
def test_a_pool_takes_the_work_that_the_plan_gives_its_machine(name: str) -> None:
    words = ", ".join(machine(name)[1:3])
    wanted = {stage for word, stage in WORK.items() if word in words}
    taken = {stage for slot in pools()[MACHINES[name]].slots for stage in slot.stages}
    assert wanted
    assert wanted <= taken, words


def test_cores_devices_and_boards_are_the_plans() -> None:
    found = pools()
    staging = {slot.name: slot for slot in found["aws-staging"].slots}
    assert "self-play, 6 vCPU | CMA-ES, 2 vCPU" in PLAN
    cores = {name: int(quantity_value(slot.resources["cpu"])) for name, slot in staging.items()}
    assert cores == {"selfplay": 6, "cmaes": 2}
    assert (
        "Boards a machine takes: Staging all, Extra square8, M1 Pro square8 and hexagonal, Mac Studio trains." in PLAN
    )
    assert {name: set(pool.boards) for name, pool in found.items()} == {
        "aws-staging": set(),
        "aws-extra": {Board.SQUARE8},
        "mac-studio": set(),
        "m1-pro": {Board.SQUARE8, Board.HEXAGONAL},
        "cloud-gpu": set(),
    }
    assert "self-play (3p and 4p focus)" in PLAN
    assert set(found["aws-extra"].players) == {3, 4}
    assert {slot.device for slot in found["mac-studio"].slots} == {Device.MPS}
    assert {slot.device for slot in found["cloud-gpu"].slots} == {Device.CUDA}
    assert "several GPUs with torchrun and DDP: 4 processes" in PLAN
    assert [slot.count for slot in found["cloud-gpu"].slots] == [4]


def test_the_macs_are_runners_and_the_other_machines_are_nodes() -> None:
    assert "The AWS machines are cluster nodes; the Macs are outside the cluster" in PLAN
    kinds = {name: pool.type.value for name, pool in pools().items()}
    assert {name for name, kind in kinds.items() if kind == "Runner"} == {"mac-studio", "m1-pro"}
    assert kinds["aws-staging"] == kinds["aws-extra"] == "Cluster"


def placements(away: frozenset[str] = frozenset(), **network: Any) -> list[TaskIdentity]:
    """What the first iteration of examples/full.yaml becomes on production's machines."""
    return [task.identity for task in created(away, **network) if task.pool is not None]


def created(away: frozenset[str] = frozenset(), iterations: int = 1, **network: Any) -> list[PlacedTask]:
    """All tasks of the first iterations."""
    spec = changed(pipeline().spec, iterations=iterations, network=changed(pipeline().spec.network, **network))
    observed = tuple(PoolObservation(name, pool, online=name not in away) for name, pool in pools().items())
    one = World(pools=observed, specs={"tp": spec})
    one.run(passes=2000)
    return one.created


def test_what_no_field_of_a_pipeline_says_is_the_plans() -> None:
    assert "10 generations an iteration, 5 iterations" in PLAN
    assert MOST_ITERATIONS == 5
    assert "seed = iteration x 1000" in PLAN
    tasks = created(iterations=2)
    played = [(task.identity.iteration, task.parameters) for task in tasks]
    seeds = {(number, given.seed) for number, given in played if isinstance(given, SelfplayParameters)}
    assert seeds == {(number, pipeline().spec.selfplay.seed + 1000 * number) for number in (1, 2)}
    assert "learning rate 0.001" in PLAN
    rates = {task.parameters.learning_rate for task in tasks if isinstance(task.parameters, DistillParameters)}
    assert rates == {0.001}


def placed(away: frozenset[str] = frozenset(), **network: Any) -> dict[str, set[str]]:
    """The pools of each step."""
    found: dict[str, set[str]] = {}
    for task in placements(away, **network):
        found.setdefault(task.step, set()).add(task.pool)
    return found


def trained(step: str, away: frozenset[str] = frozenset()) -> set[tuple[str, str]]:
    """Board and pool of each task of a step."""
    return {(task.configuration.rpartition("-")[0], task.pool) for task in placements(away) if task.step == step}


def test_networks_are_trained_on_the_mac_and_wait_when_it_is_off() -> None:
    """Money: a batch of 256 takes no machine that costs by the hour."""
    on = placed()
    assert on["train"] == {"mac-studio"}
    assert on["selfplay"] >= {"aws-staging", "aws-extra", "m1-pro"}
    assert on["cmaes"] == {"aws-staging"}
    off = placed(away=frozenset({"mac-studio"}))
    assert "train" not in off, "they wait"
    assert off["selfplay"] >= {"aws-staging"}


def test_the_other_mac_trains_what_is_light_and_no_network() -> None:
    """Its slot of 16 GB takes NNUEs of its boards; those of square19 wait for the Mac that takes all."""
    where = trained("nnue")
    boards = {board: {pool for each, pool in where if each == board} for board in {each for each, _ in where}}
    assert boards.keys() == {"square8", "square19", "hexagonal"}
    assert boards["square19"] == {"mac-studio"}
    assert boards["square8"] | boards["hexagonal"] == {"mac-studio", "m1-pro"}
    alone = frozenset({"mac-studio"})
    assert trained("nnue", away=alone) == {("square8", "m1-pro"), ("hexagonal", "m1-pro")}
    assert trained("train", away=alone) == set()


@pytest.mark.parametrize("network", [{"batch_size": 1024}, {"distributed": Distributed(nodes=4)}])
def test_a_large_batch_and_several_processes_take_the_clouds_gpus(network: dict[str, Any]) -> None:
    assert "network training when MPS is not enough (batch above 512)" in PLAN
    assert placed(**network)["train"] == {"cloud-gpu"}
