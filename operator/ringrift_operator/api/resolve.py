"""The values of one configuration: the plan's tables, under the pipeline's values, under the configuration's own."""

from __future__ import annotations

from ringrift_core.contract import MOVE_LIMITS, Board
from ringrift_operator.api.overlay import laid_over
from ringrift_operator.api.pipeline import Configuration, TrainingPipelineSpec
from ringrift_operator.api.resolved import ResolvedConfiguration

ByPlayers = tuple[int, int, int]
"""Numbers for 2, 3 and 4 players."""

# plan.md, phases 1 and 4. hex8 is not in the plan: it has 61 cells, so it takes square8's numbers.
BOOTSTRAP_GAMES: dict[Board, ByPlayers] = {
    Board.SQUARE8: (1000, 300, 200),
    Board.HEX8: (1000, 300, 200),
    Board.SQUARE19: (400, 150, 100),
    Board.HEXAGONAL: (400, 150, 100),
}
GAMES_PER_ITERATION: dict[Board, ByPlayers] = {
    Board.SQUARE8: (200, 100, 80),
    Board.HEX8: (200, 100, 80),
    Board.SQUARE19: (100, 60, 40),
    Board.HEXAGONAL: (100, 60, 40),
}
# Turns of any seat, not decisions; the bootstrap's are the stage's own (contract.MOVE_LIMITS).
MAX_MOVES: dict[Board, ByPlayers] = {
    Board.SQUARE8: (500, 500, 500),
    Board.HEX8: (500, 500, 500),
    Board.SQUARE19: (1000, 1000, 1000),
    Board.HEXAGONAL: (800, 800, 800),
}


def resolve(configuration: Configuration, spec: TrainingPipelineSpec) -> ResolvedConfiguration:
    """What a configuration of a pipeline comes to, nothing left open."""
    board, column = configuration.board, configuration.players - 2
    return ResolvedConfiguration(
        board=board,
        players=configuration.players,
        bootstrap_games=configuration.bootstrap_games or BOOTSTRAP_GAMES[board][column],
        games_per_iteration=configuration.games_per_iteration or GAMES_PER_ITERATION[board][column],
        bootstrap_max_moves=configuration.bootstrap_max_moves or MOVE_LIMITS[board][column],
        max_moves=configuration.max_moves or MAX_MOVES[board][column],
        tracks=spec.tracks,
        selfplay=laid_over(spec.selfplay, configuration.selfplay),
        dataset=laid_over(spec.dataset, configuration.dataset),
        network=laid_over(spec.network, configuration.network),
        nnue=laid_over(spec.nnue, configuration.nnue),
        cmaes=laid_over(spec.cmaes, configuration.cmaes),
        evaluation=laid_over(spec.evaluation, configuration.evaluation),
        rollback=spec.rollback,
        tracking=spec.tracking,
    )
