"""The stage nnue: from exported games to a candidate that plays, is judged, promoted and trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ringrift_core import _engine
from ringrift_core._engine import Judge, Position
from ringrift_core.contract import Artifact, Board, Decision, GateKind, NnueResult, StageResult, Track
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import DivergedError, NotNowError, StoreRefusedError, WrongInputError
from ringrift_core.nn.positions import OUTCOMES, Aim
from ringrift_core.nnue.measures import fitted_scale, ranks
from ringrift_core.nnue.network import Calibration, Nnue
from ringrift_core.nnue.positions import Loader, Positions, exact_columns, load_positions, targets_of
from ringrift_core.nnue.training import Plan, Training
from ringrift_core.players.cards import NnueCard
from ringrift_core.replay.games import RecordedGame, read_games
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk


def exported(desk: Desk, games: int = 30, **more: Any) -> Artifact:
    desk.selfplay(games=games)
    desk.merge()
    return desk.export(**({"exact_state": True, "symmetries": 0} | more)).outputs["dataset"]


def train(desk: Desk, dataset: Artifact, **more: Any) -> StageResult:
    return desk.nnue(dataset=dataset, **({"seed": 1, "epochs": 2, "batch_size": 64} | more))


def known(rows: int, seed: int, board: str = "square8", players: int = 2) -> Positions:
    """Positions of random games, won by the mover where it has the more rings in hand: a label that can be read off."""
    states: list[Position] = []
    random = np.random.default_rng(seed)
    while len(states) < rows:
        position = Position(board, players)
        position.play_random(int(random.integers(2**63)), int(random.integers(1, 60)))
        if position.outcome() is None:
            states.append(position)
    hands = np.array([json.loads(position.to_json())["hand"] for position in states])
    movers = np.array([position.mover - 1 for position in states])
    turned = np.take_along_axis(hands, (movers[:, None] + np.arange(players)) % players, axis=1)
    targets = np.eye(players)[turned.argmax(axis=1)]
    content = [np.frombuffer(position.to_bytes(), np.uint8) for position in states]
    lengths = np.array([len(one) for one in content], np.uint16)
    return Positions.of_states(Board(board), players, lengths, np.concatenate(content), targets)


def training(plan: Plan, rows: int = 1000) -> Training:
    torch.manual_seed(plan.seed)
    return Training(Nnue(Board.SQUARE8, 2), plan, known(rows, 1), known(400, 2), torch.device("cpu"))


def run_all(run: Training) -> None:
    while not run.finished:
        run.run_epoch(lambda _: None)


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 3)])
def test_a_known_label_is_learnt_whoever_is_to_move(board: str, players: int) -> None:
    torch.manual_seed(1)
    network = Nnue(Board(board), players)
    samples = known(1500, 1, board, players), known(400, 2, board, players)
    run = Training(network, Plan(1, 12, 64, 5e-3), *samples, torch.device("cpu"))
    run_all(run)
    assert max(figures.held_out_accuracy for figures in run.figures) > 0.8
    assert max(figures.pearson for figures in run.figures) > 0.8


def test_labels_that_say_nothing_stop_the_training_early() -> None:
    run = training(Plan(1, 60, 64, 5e-3))
    np.random.default_rng(0).shuffle(run._train._targets.numpy())
    run_all(run)
    assert len(run.figures) < 60


def test_a_diverging_loss_ends_the_training() -> None:
    with pytest.raises(DivergedError, match="training diverged in epoch"):
        run_all(training(Plan(1, 20, 16, 1e4)))


def test_a_training_goes_on_from_its_checkpoint_to_the_same_parameters() -> None:
    plan = Plan(1, 4, 64, 1e-3)
    whole = training(plan)
    for _ in range(4):
        whole.run_epoch(lambda _: None)
    first = training(plan)
    first.run_epoch(lambda _: None)
    first.run_epoch(lambda _: None)
    second = training(plan)
    second.load(first.save())
    second.run_epoch(lambda _: None)
    second.run_epoch(lambda _: None)
    assert second.figures == whole.figures
    for name, tensor in whole.best.items():
        assert torch.equal(tensor, second.best[name])


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 3), ("square8", 4)])
def test_the_engine_has_the_values_of_the_trained_network_up_to_rounding(board: str, players: int) -> None:
    torch.manual_seed(1)
    network = Nnue(Board(board), players)
    run = Training(network, Plan(1, 3, 64, 5e-3), known(600, 1, board, players), known(9, 2, board, players), CPU)
    run_all(run)
    judge, random = Judge.nnue(network.file(Calibration())), np.random.default_rng(3)
    differences: list[float] = []
    while len(differences) < 200:
        position = Position(board, players)
        position.play_random(int(random.integers(2**63)), int(random.integers(1, 60)))
        values = np.array(judge.values(position)) if position.outcome() is None else np.array([1000.0])
        if values.max() >= 1000:
            continue
        state = np.frombuffer(position.to_bytes(), np.uint8)
        row = Positions.of_states(
            Board(board), players, np.array([len(state)], np.uint16), state, np.zeros((1, players))
        )
        with torch.no_grad():
            logits = network(Loader(row, CPU).batch(np.array([0]), None)).numpy()[0]
        turned = np.roll(logits - logits.mean(), position.mover - 1)
        differences.append(float(np.abs(values - turned).max()))
    assert np.median(differences) < 0.05
    assert np.max(differences) < 0.25


CPU = torch.device("cpu")


def test_targets_are_outcomes_mixed_with_what_searches_found_and_what_says_nothing_is_left_out() -> None:
    outcomes = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], np.float16)
    values = np.array([[np.nan, np.nan], [0.25, 0.75], [1, 0], [0.25, 0.75], [np.nan, np.nan]], np.float16)
    columns = {"outcomes": outcomes, "values": values, "unsearched": np.array([0, 0, 3, 2, 1], np.uint16)}
    targets, kept = targets_of(columns, OUTCOMES)
    assert kept.tolist() == [True, True, True, False, False]
    np.testing.assert_allclose(targets, [[1, 0], [1, 0], [1, 0]])
    targets, kept = targets_of(columns, Aim(0.5))
    assert kept.tolist() == [True, True, True, True, False]
    np.testing.assert_allclose(targets, np.array([[1, 0], [0.625, 0.375], [1, 0], [0.25, 0.75]]))


def test_equal_numbers_share_the_mean_of_their_ranks() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [2.5, 0, 2.5, 1]


def test_the_scale_of_a_network_that_is_twice_too_sure_is_two() -> None:
    random = np.random.default_rng(1)
    honest = random.normal(size=(20_000, 1)) * [1, -1]
    wins = random.random(20_000) < 1 / (1 + np.exp(honest[:, 1] - honest[:, 0]))
    targets = np.eye(2)[(~wins).astype(int)]
    assert fitted_scale(honest, targets) == pytest.approx(1, abs=0.1)
    assert fitted_scale(2 * honest, targets) == pytest.approx(2, abs=0.2)


def test_positions_of_a_held_out_game_are_never_trained_on(desk: Desk) -> None:
    dataset = DatasetManifest.load(desk.archive, exported(desk))
    train_on, held_out, siblings = load_positions(desk.run, dataset, OUTCOMES)
    (columns,) = exact_columns(desk.run, dataset, ("unsearched", "values"))
    tells = (columns["unsearched"] == 0) | np.isin(columns["values"], (0, 1)).all(axis=1)
    assert len(train_on) + len(held_out) == int(tells.sum()) < dataset.rows
    assert 0 < len(held_out) < 0.4 * dataset.rows
    for state, shares in zip(siblings.states, siblings.shares, strict=True):
        assert len(Position.from_bytes(state).legal_moves()) == len(shares)
        assert shares.sum() == pytest.approx(1, abs=0.02)
    assert len(siblings.states) > 5


def test_a_candidate_is_trained_judged_promoted_seated_and_trained_on(desk: Desk) -> None:
    dataset = exported(desk)
    result = train(desk, dataset)
    card = NnueCard.load(desk.archive, result.outputs["candidate"])
    assert (card.board, card.players, card.parent, card.dataset) == (Board.SQUARE8, 2, 0, dataset.sha256)
    assert (card.inputs, card.torch_version) == (_engine.NNUE_INPUTS_VERSION, torch.__version__)
    found = result.answer(NnueResult)
    assert found.siblings > 0
    assert card.metrics["spearman"] == found.spearman
    verdict = desk.evaluate(
        track=Track.NNUE, candidate=result.outputs["candidate"], gate=GateKind.FIXED, games=2
    ).verdict
    assert verdict is not None
    assert verdict.champion == "baseline"
    assert verdict.decision in (Decision.PROMOTE, Decision.REJECT)
    desk.promote(track=Track.NNUE, iteration=1, expected_version=0, candidate=result.outputs["candidate"])
    resumed = desk.nnue(2, dataset=dataset, seed=2, epochs=1, batch_size=64, nnue_version=1)
    assert NnueCard.load(desk.archive, resumed.outputs["candidate"]).parent == 1
    modes = "minimax-only,descent-only,heuristic-only"
    by_nnue = games_of(desk, desk.selfplay(2, seed=2, games=6, engine_modes=modes, nnue_version=1))
    by_weights = games_of(desk, desk.selfplay(3, seed=2, games=6, engine_modes=modes))
    differ = {one.seats[0] for one, other in zip(by_nnue, by_weights, strict=True) if one.moves != other.moves}
    assert differ == {"minimax", "descent"}, "searches are by the NNUE; one ply stays the heuristic's"
    named = games_of(desk, desk.selfplay(4, seed=2, games=2, player="nnue:minimax:200", nnue_version=1))
    assert {seat for game in named for seat in game.seats} == {"nnue@1:minimax:200"}


def games_of(desk: Desk, played: StageResult) -> list[RecordedGame]:
    return list(read_games(desk.archive.get_file(played.outputs["games"], desk.run.folder)))


def test_a_killed_training_goes_on_to_the_same_candidate(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    whole = train(other, exported(other))
    dataset = exported(desk)
    desk.stop_when(lambda _: any(line.startswith("epoch 1") for line in desk.report.lines))
    with pytest.raises(NotNowError):
        train(desk, dataset)
    assert all(desk.layouts()), "so that no other version takes it for its own"
    assert len(desk.layouts()) == 1
    desk.go_on()
    result = train(desk, dataset, attempt=2)
    assert "going on after epoch 1" in desk.report.lines
    assert result.outputs["network"].sha256 == whole.outputs["network"].sha256
    assert result.result == whole.result


def test_a_dataset_without_exact_states_is_refused_and_says_what_to_do(desk: Desk) -> None:
    dataset = exported(desk, games=5, exact_state=False)
    with pytest.raises(WrongInputError, match=r"--dataset: it has no exact states, .* export with --exact-state"):
        train(desk, dataset)
    with pytest.raises(StoreRefusedError, match="not a dataset's manifest"):
        train(desk, desk.archive.put_json([]))
