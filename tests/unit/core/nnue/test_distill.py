"""The stage distill: from a champion network and exported positions to a candidate NNUE that says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringrift_core import _engine
from ringrift_core.contract import Artifact, DistillResult, StageResult, Track
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import NotNowError, StoreRefusedError, WrongInputError
from ringrift_core.nnue.positions import exact_columns, held_out_games
from ringrift_core.players.cards import ModelCard, NnueCard
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk


@pytest.fixture
def taught(desk: Desk) -> tuple[Desk, Artifact]:
    """A store with a champion network, and positions of its games."""
    return desk, prepared(desk)


def prepared(desk: Desk, games: int = 30) -> Artifact:
    desk.selfplay(games=games)
    desk.merge()
    dataset = desk.export(exact_state=True, symmetries=0).outputs["dataset"]
    trained = desk.train(dataset=dataset, seed=1, epochs=1)
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=trained.outputs["candidate"])
    return dataset


def distill(desk: Desk, dataset: Artifact, **more: Any) -> StageResult:
    settings = {"seed": 1, "epochs": 8, "batch_size": 64, "learning_rate": 0.01, "network_version": 1}
    return desk.distill(dataset=dataset, **(settings | more))


def test_a_candidate_says_of_positions_that_it_never_saw_what_the_network_says(desk: Desk) -> None:
    dataset = prepared(desk, games=300)  # Of fewer a network learns nothing that it could say.
    found = distill(desk, dataset)
    result = found.answer(DistillResult)
    assert result.pearson > 0.5
    assert 0 < result.squared_error < 0.01
    assert result.held_out_positions > 0
    assert result.held_out_games > 0
    assert result.siblings > 0
    card = NnueCard.load(desk.archive, found.outputs["candidate"])
    assert (card.teacher, card.parent, card.dataset) == (1, 0, dataset.sha256)
    assert card.metrics["pearson"] == result.pearson


def test_no_position_that_is_judged_on_is_trained_on(taught: tuple[Desk, Artifact]) -> None:
    desk, dataset = taught
    result = distill(desk, dataset, epochs=1).answer(DistillResult)
    manifest = DatasetManifest.load(desk.archive, dataset)
    (columns,) = exact_columns(desk.run, manifest, ("games",))
    ends = np.cumsum(columns["state_lengths"], dtype=np.int64)
    places = zip(ends - columns["state_lengths"], ends, strict=True)
    states = [columns["states"][start:end].tobytes() for start, end in places]
    held_out = held_out_games(columns["games"])
    known = {state for state, out in zip(states, held_out, strict=True) if not out}
    repeated = sum(state in known for state, out in zip(states, held_out, strict=True) if out)
    assert result.repeated_positions == repeated
    assert result.positions == int((~held_out).sum())
    assert result.held_out_positions <= int(held_out.sum()) - repeated


def test_as_many_positions_are_trained_on_as_are_asked_for(taught: tuple[Desk, Artifact]) -> None:
    desk, dataset = taught
    result = distill(desk, dataset, epochs=1, positions=40).answer(DistillResult)
    assert (result.positions, result.held_out_positions) == (40, 10)


def test_a_killed_distillation_goes_on_to_the_same_candidate(taught: tuple[Desk, Artifact], tmp_path: Path) -> None:
    desk, dataset = taught
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    whole = distill(other, prepared(other), epochs=2)
    desk.stop_when(lambda _: any("correlation" in line for line in desk.report.lines))
    with pytest.raises(NotNowError):
        distill(desk, dataset, epochs=2)
    desk.go_on()
    result = distill(desk, dataset, epochs=2, attempt=2)
    assert "going on after epoch 1" in desk.report.lines
    assert result.outputs["network"].sha256 == whole.outputs["network"].sha256
    assert result.result == whole.result


def test_a_correlation_below_what_is_wanted_is_warned_of(taught: tuple[Desk, Artifact]) -> None:
    desk, dataset = taught
    result = distill(desk, dataset, epochs=1).answer(DistillResult)
    assert -1 <= result.spearman <= 1
    assert any(line.startswith("warning: the correlation with network 1 is") for line in desk.report.lines) == (
        result.pearson < 0.9
    )


def test_without_a_network_or_exact_states_it_says_what_is_missing(desk: Desk) -> None:
    desk.selfplay(games=10)
    desk.merge()
    dataset = desk.export(exact_state=True, symmetries=0).outputs["dataset"]
    with pytest.raises(WrongInputError, match="network"):
        distill(desk, dataset)
    plain = desk.export(2, symmetries=0).outputs["dataset"]
    trained = desk.train(dataset=dataset, seed=1, epochs=1)
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=trained.outputs["candidate"])
    with pytest.raises(WrongInputError, match=r"--dataset: it has no exact states, .* export with --exact-state"):
        distill(desk, plain)
    with pytest.raises(StoreRefusedError, match="not a dataset's manifest"):
        distill(desk, desk.archive.put_json([]))
    assert ModelCard.load(desk.archive, trained.outputs["candidate"]).encoding == _engine.ENCODING_VERSION
