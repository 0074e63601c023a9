"""Results that stages could have answered, for tests of those who read them."""

from __future__ import annotations

import typing
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import annotated_types
from pydantic.fields import FieldInfo

from ringrift_core.contract import (
    MESSAGE_LIMIT,
    STAGES,
    URI_LIMIT,
    AdoptedTrack,
    AdoptResult,
    AtMost,
    CmaesResult,
    Contract,
    DistillResult,
    EvaluateResult,
    ExportResult,
    MergeResult,
    NnueResult,
    PlayerRating,
    PointerResult,
    Result,
    RoundrobinResult,
    SelfplayResult,
    Stage,
    StageResult,
    Track,
    TrainResult,
    Verdict,
    clipped,
    json_bytes,
)

EMPTY_STORE = AdoptResult(
    iteration=0,
    games=0,
    promotions=0,
    rollbacks=0,
    tracks=tuple(AdoptedTrack(track=track, champion=0, predecessor=0, failures=0) for track in Track),
)
JUDGED = EvaluateResult(cut_share=0.0125, identical_share=0.0)
EXPORTED = ExportResult(games=95, window=100, positions=2850, rows=11400, shards=2, bytes_per_row=231.25)
SEARCHED = CmaesResult(generations=10, games=2400, converged=False, population_win_rate=0.523456, step=0.123456)
TRAINED = TrainResult(
    train_loss=1.23456789,
    held_out_loss=1.3456789,
    held_out_policy_loss=0.98765432,
    held_out_accuracy=0.654321,
    epochs=10,
    best_epoch=7,
    onnx_difference=1.2345e-6,
    quantised_value_difference=0.0064321,
    quantised_policy_divergence=0.0011234,
)

LEARNED = NnueResult(
    train_loss=0.612345678,
    held_out_loss=0.623456789,
    held_out_accuracy=0.654321,
    pearson=0.345678,
    spearman=0.456789,
    top_move=0.234567,
    siblings=500,
    epochs=50,
    best_epoch=41,
)

TAUGHT = DistillResult(
    train_loss=0.512345678,
    held_out_loss=0.523456789,
    squared_error=0.0123456,
    pearson=0.945678,
    teacher_deviation=0.212345,
    spearman=0.756789,
    top_move=0.534567,
    siblings=500,
    positions=100_000,
    held_out_positions=25_000,
    held_out_games=1_234,
    repeated_positions=345,
    epochs=50,
    best_epoch=41,
)


def played(games: int, cut_games: int = 0) -> SelfplayResult:
    """Of two players, who win in turns."""
    decided = games - cut_games
    return SelfplayResult(
        games=games,
        cut_games=cut_games,
        turns=20 * games,
        moves=50 * games,
        decisions=30 * games,
        seat_wins=(decided - decided // 2, decided // 2),
        games_played=games,
        seconds=games / 8,
    )


def merged(games: int, new_games: int = 0) -> MergeResult:
    return MergeResult(games=games, new_games=new_games)


def moved(champions: list[int]) -> PointerResult:
    """`champions` are the versions in turn, the newest last; 0 or nothing where there is none."""
    version, predecessor = ([0, 0, *champions])[-1:-3:-1]
    return PointerResult(version=version, predecessor=predecessor)


def rating_of(player: str, elo: int) -> PlayerRating:
    return PlayerRating(player=player, elo=elo, low=elo - 60, high=elo + 60, win_rate=0.612345, games=140)


RATED = RoundrobinResult(
    games=120,
    cut_share=0.0125,
    ratings=(rating_of("weights@1", 80), rating_of("random", -700), rating_of("heuristic", 0)),
)

USUAL: dict[Stage, Result] = {
    Stage.ADOPT: EMPTY_STORE,
    Stage.SELFPLAY: played(50),
    Stage.MERGE: merged(100, 50),
    Stage.EXPORT: EXPORTED,
    Stage.TRAIN: TRAINED,
    Stage.NNUE: LEARNED,
    Stage.DISTILL: TAUGHT,
    Stage.CMAES: SEARCHED,
    Stage.EVALUATE: JUDGED,
    Stage.ROUNDROBIN: RATED,
    Stage.PROMOTE: moved([1]),
    Stage.ROLLBACK: moved([1]),
}
"""One of each stage."""

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
LONGEST_FLOAT = -2.2250738585072014e-308
"""No float takes more characters."""

OUTPUTS = {
    Stage.ADOPT: (),
    Stage.SELFPLAY: ("games", "log"),
    Stage.MERGE: ("segment",),
    Stage.EXPORT: ("dataset",),
    Stage.TRAIN: ("candidate", "weights", "onnx"),
    Stage.NNUE: ("candidate", "network", "parameters"),
    Stage.DISTILL: ("candidate", "network", "parameters"),
    Stage.CMAES: ("candidate",),
    Stage.EVALUATE: ("verdict",),
    Stage.ROUNDROBIN: ("ratings",),
    Stage.PROMOTE: ("champion",),
    Stage.ROLLBACK: ("champion",),
}
"""Every artifact that a stage may name."""


def bound(field: FieldInfo, kind: type) -> Any:
    return next((found for found in field.metadata if isinstance(found, kind)), None)


def largest(model: type[Contract], characters: str = "\N{PILE OF POO}") -> dict[str, Any]:
    """Values of a model's fields that take the most room in JSON that their bounds allow."""
    return {name: largest_value(field, characters) for name, field in model.model_fields.items()}


def largest_value(field: FieldInfo, characters: str) -> Any:
    kind = field.annotation
    if typing.get_origin(kind) is tuple:
        (item, _) = typing.get_args(kind)
        inner = FieldInfo.from_annotation(item)
        return [largest_value(inner, characters)] * bound(field, annotated_types.MaxLen).max_length
    if isinstance(kind, type) and issubclass(kind, Contract):
        return largest(kind, characters)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return max((member.value for member in kind), key=len)
    if kind is bool:
        return False
    if kind is int:
        return bound(field, annotated_types.Le).le
    if kind is float:
        return abs(LONGEST_FLOAT) if bound(field, annotated_types.Ge) else LONGEST_FLOAT
    if kind is str:
        limit = bound(field, AtMost).limit
        size = json_bytes(characters)
        return characters * (limit // size) + "x" * (limit % size)
    raise AssertionError(f"no bound known for {kind}")


def longest_uri() -> str:
    """An address as long as it may be."""
    return f"s3://{'b' * (URI_LIMIT - 5)}"


def largest_answer(stage: Stage, characters: str) -> StageResult:
    verdict = largest(Verdict, characters)
    return StageResult.model_validate(
        {
            "contract_version": "9999.9999",
            "stage": stage,
            "attempt": 2**32 - 1,
            "started_at": NOW,
            "finished_at": NOW,
            "outputs": {name: {"uri": longest_uri(), "sha256": "0" * 64, "bytes": 2**53} for name in OUTPUTS[stage]},
            "result": largest(STAGES[stage].result, characters),
            "verdict": verdict if stage is Stage.EVALUATE else None,
            "message": clipped(characters * MESSAGE_LIMIT, MESSAGE_LIMIT),
        }
    )
