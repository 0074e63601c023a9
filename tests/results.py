"""Results that stages could have answered, for tests of those who read them."""

from __future__ import annotations

from ringrift_core.contract import (
    AdoptedTrack,
    AdoptResult,
    CmaesResult,
    EvaluateResult,
    ExportResult,
    MergeResult,
    PointerResult,
    Result,
    SelfplayResult,
    Stage,
    Track,
    TrainResult,
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


USUAL: dict[Stage, Result] = {
    Stage.ADOPT: EMPTY_STORE,
    Stage.SELFPLAY: played(50),
    Stage.MERGE: merged(100, 50),
    Stage.EXPORT: EXPORTED,
    Stage.TRAIN: TRAINED,
    Stage.CMAES: SEARCHED,
    Stage.EVALUATE: JUDGED,
    Stage.PROMOTE: moved([1]),
    Stage.ROLLBACK: moved([1]),
}
"""One of each stage."""
