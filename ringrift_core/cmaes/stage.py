"""The stage cmaes: searches better weights by seat-rotated games against where it began and its means on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ringrift_core import _engine
from ringrift_core.archive import Checkpoint, identity
from ringrift_core.arena.gate import whole_groups
from ringrift_core.cmaes.fitness import Fitness, NetworkFitness, OutcomeFitness
from ringrift_core.cmaes.mean import LOOK_EVERY, STEP_BACK, is_due, is_no_better, opponents, shared_out
from ringrift_core.cmaes.quality import why_not
from ringrift_core.cmaes.search import Search, SearchState
from ringrift_core.cmaes.start import fitted_to_games
from ringrift_core.cmaes.stops import is_converged, stopped
from ringrift_core.contract import (
    MOST_CUT_EVIDENCE,
    Board,
    CmaesParameters,
    CmaesResult,
    Evaluator,
    StageResult,
    Track,
    cut_warning,
    percent,
)
from ringrift_core.cores import available_cores
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.inference import AskedNetwork
from ringrift_core.players.gates import gate_player
from ringrift_core.players.specification import Judge, JudgeKind, Specification, Time
from ringrift_core.players.specification import Search as PlayerSearch
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.seating import Judges, Manner, seat
from ringrift_core.stage import Outcome, Run

__all__ = ["FIXED_FEATURE", "cmaes_stage"]

TASK = "cmaes"

TEST_SEED, REGRESSION_SEED = 1 << 41, 1 << 42
"""Added to the seed for games on openings of their own."""
REGRESSION_NOISE = 0.05
"""As in self-play: else one weight setting plays the same line again and again."""

FIXED_FEATURE = "elimination"
"""The weight that sets the scale: eliminations win games, so every documented setting gives it a positive weight."""


def cmaes_stage(parameters: CmaesParameters, run: Run) -> StageResult:
    """Searches once per iteration; a killed search goes on after its last whole generation."""
    result = run.once(parameters.iteration, TASK, parameters, lambda: _search(parameters, run))
    _checkpoint(parameters, run).clear()
    return result


def _checkpoint(parameters: CmaesParameters, run: Run) -> Checkpoint:
    digest, _ = identity(parameters)
    return Checkpoint(
        run.archive, parameters.iteration, TASK, parameters.attempt, digest, layout=SearchState.model_fields
    )


def _search(parameters: CmaesParameters, run: Run) -> Outcome:
    player, (fitness, because) = _Player.of(parameters), _fitness(parameters, run)
    if fitness is None:
        return _without_search(because)
    if because:
        run.report.log(f"games are scored by {fitness.evaluator}: {because}")
    start = _start(parameters, run, player)
    search = Search(start, _fixed(start), parameters.population_size, parameters.seed)
    checkpoint = _checkpoint(parameters, run)
    saved = checkpoint.load()
    if saved is not None:
        search.resume(SearchState.model_validate_json(run.archive.get_bytes(saved)))
        run.report.log(f"going on after generation {search.generation}")
    games, started = 0, time.monotonic()
    while not _has_ended(parameters, search):
        run.pause_point()
        said = _generation(parameters, run, search, player, fitness)
        games += _games_per_generation(parameters)
        if is_due(search.generation) and all(search.state.fitness[-STEP_BACK:]):
            _test_mean(parameters, run, search, player)
        checkpoint.save(search.state.model_dump_json().encode(), "json")
        rate = games / (time.monotonic() - started)
        run.report.progress(search.generation / parameters.generations, said, rate, "games/s")
    return _outcome(parameters, run, search, fitness.evaluator, because)


def _fitness(parameters: CmaesParameters, run: Run) -> tuple[Fitness | None, str]:
    """What scores the games, and why, where the network was asked for; None where it has to, and cannot."""
    by_outcome = OutcomeFitness(parameters.players, parameters.max_moves)
    if parameters.evaluator is Evaluator.GAMES:
        return by_outcome, ""
    judges = Judges(parameters.board, parameters.players, run.archive, run.folder, device=parameters.device)
    missing, said = why_not(parameters, run, judges)
    if missing:
        return (None if parameters.evaluator is Evaluator.NEURAL else by_outcome), missing
    network = judges.of(Judge(JudgeKind.NETWORK, parameters.network_version))
    if not isinstance(network, AskedNetwork):
        raise TypeError(f"network {parameters.network_version} is asked for what it says")
    most_turns = min(parameters.scored_after, parameters.max_moves)
    return NetworkFitness(parameters.board, parameters.players, most_turns, network.values), said


def _without_search(because: str) -> Outcome:
    """Nothing was searched: the network has to score the games, and does not."""
    result = CmaesResult(
        generations=0,
        games=0,
        converged=False,
        population_win_rate=0,
        step=0,
        evaluator=Evaluator.NEURAL,
        because=because,
        refused=because,
    )
    return Outcome(result=result, message=f"no candidate: {because}")


def _has_ended(parameters: CmaesParameters, search: Search) -> bool:
    return search.generation >= parameters.generations or search.is_no_better or bool(search.stopped_by)


def _test_mean(parameters: CmaesParameters, run: Run, search: Search, player: _Player) -> None:
    """Whether the mean is better than the one of some generations before, in games on openings of their own."""
    before = search.generation - STEP_BACK
    means = [player.by(search.mean), player.by(search.mean_after(before))]
    met = [player.by(search.mean_after(opponent)) for opponent in opponents(before)]
    played: list[_engine.GroupResult] = []

    def play(first: int, groups: int) -> list[float]:
        run.pause_point()
        now, earlier = _engine.play_matches(
            parameters.board.value,
            parameters.players,
            means,
            met[first // LOOK_EVERY % len(met)],
            seed=parameters.seed + TEST_SEED + search.generation,
            groups=groups,
            first_group=first,
            max_turns=parameters.max_moves,
            threads=min(parameters.workers, available_cores()),
            progress=lambda _: not run.stop_requested,
        )
        played.extend([*now, *earlier])
        return [(one.score - other.score) / parameters.players for one, other in zip(now, earlier, strict=False)]

    found = is_no_better(parameters.players, play)
    if found is None:
        run.pause_point()
    if refusal := _refusal_of_test(played):
        run.report.warn(f"generation {search.generation}: {refusal}")
        found = False
    search.tested(bool(found))
    said = "no better" if found else "better, or not known to be no better,"
    run.report.log(f"after generation {search.generation} the mean is {said} than {STEP_BACK} generations before")


def _refusal_of_test(played: list[_engine.GroupResult]) -> str:
    """Why a test of the mean tells nothing; empty when it does."""
    games = [won for group in played for won in group.candidate_won]
    share = games.count(None) / max(1, len(games))
    if share <= MOST_CUT_EVIDENCE:
        return ""
    return f"the test of the mean is refused as evidence: {percent(share)} of its games were cut"


def _generation(parameters: CmaesParameters, run: Run, search: Search, player: _Player, fitness: Fitness) -> str:
    """Plays the next generation and learns from it, unless too many of its games were cut; what came of it."""
    shares, cut = _play_generation(parameters, run, search, player, fitness)
    share = cut / _games_per_generation(parameters)
    if share > MOST_CUT_EVIDENCE:
        search.refuse(cut)
        said = f"generation {search.generation} refused as evidence: {percent(share)} of its games were cut"
        run.report.warn(f"{said} by the move limit, {MOST_CUT_EVIDENCE:.0%} may be")
        return said
    search.tell([-share for share in shares], cut)
    mean = sum(shares) / len(shares)
    said = f"generation {search.generation}, population wins {mean:.0%}, step {search.step:.3f}"
    run.report.log(said)
    return said


def _outcome(parameters: CmaesParameters, run: Run, search: Search, evaluator: Evaluator, because: str) -> Outcome:
    """The distribution's mean as the candidate; none when nothing was learnt."""
    met, fitness = search.stopped_by, search.last_fitness
    result = CmaesResult(
        generations=search.generation,
        games=search.generation * _games_per_generation(parameters),
        converged=search.is_no_better or is_converged(met),
        population_win_rate=-sum(fitness) / parameters.population_size,
        step=search.step,
        cut_games=search.state.cut_games,
        refused_generations=search.refused,
        evaluator=evaluator,
        because=because,
        refused="" if fitness else _refusal(parameters, search),
    )
    if warning := cut_warning(result.cut_share):
        run.report.warn(warning)
    if result.refused:
        return Outcome(result=result, message=f"no candidate: {result.refused}")
    found = HeuristicWeights.of_vector(search.mean, parameters.board, parameters.players)
    said = _ending(search, met)
    refused = f", {search.refused} of them refused as evidence" if search.refused else ""
    return Outcome(
        outputs={"candidate": found.save(run.archive)},
        result=result,
        message=f"{search.generation} generations{refused}, {said}",
    )


def _ending(search: Search, met: list[str]) -> str:
    if search.is_no_better:
        return f"converged (the mean is no better than {STEP_BACK} generations before)"
    return stopped(met) if met else "the budget is spent"


def _refusal(parameters: CmaesParameters, search: Search) -> str:
    return (
        f"refused as evidence: in each of {search.generation} generations more than {MOST_CUT_EVIDENCE:.0%} "
        f"of the games were cut by the move limit of {parameters.max_moves} turns"
    )


def _start(parameters: CmaesParameters, run: Run, player: _Player) -> list[float]:
    """The weights that were asked for, or, with `regression_games`, what those games say of them."""
    board, players = parameters.board, parameters.players
    judges = Judges(board, players, run.archive, run.folder, initial=parameters.initial_weights)
    given = judges.weights(Judge(JudgeKind.WEIGHTS, parameters.weights_version)).vector
    if parameters.regression_games == 0:
        return given

    def goes_on(finished: int) -> bool:
        run.report.progress(0, f"{finished:,} of {parameters.regression_games:,} games to start from")
        return not run.stop_requested

    fitted = fitted_to_games(
        board,
        players,
        player.by(given, REGRESSION_NOISE),
        seed=parameters.seed + REGRESSION_SEED,
        games=parameters.regression_games,
        max_turns=parameters.max_moves,
        threads=min(parameters.workers, available_cores()),
        goes_on=goes_on,
    )
    if fitted is None:
        run.pause_point()
        raise AssertionError("games end early on request alone")
    return fitted


def _fixed(start: list[float]) -> int:
    """The weight that sets the scale: by regression the usual one may come out as nothing, or less."""
    usual = FEATURE_NAMES.index(FIXED_FEATURE)
    return usual if start[usual] > 0 else max(range(len(start)), key=lambda index: abs(start[index]))


@dataclass(frozen=True)
class _Player:
    """Who plays, whatever the weights: the search of the parameters' player."""

    search: PlayerSearch
    board: Board
    players: int

    @classmethod
    def of(cls, parameters: CmaesParameters) -> _Player:
        """WrongInputError when the player judges by something else than weights, or by weights of its own."""
        board, players = parameters.board, parameters.players
        if parameters.player is None:
            return cls(gate_player(Track.WEIGHTS, board, players).search, board, players)
        specification = Specification.parse(parameters.player)
        if specification.judge != Judge(JudgeKind.WEIGHTS):
            raise WrongInputError(f"--player {specification}: expected weights without a version: those are searched")
        if isinstance(specification.search.budget, Time):
            raise WrongInputError(f"--player {specification}: a game by time does not repeat: give a count")
        return cls(specification.search, board, players)

    def by(self, vector: list[float], noise: float = 0.0) -> _engine.Player:
        """The player by these weights."""
        weights = HeuristicWeights.of_vector(vector, self.board, self.players)
        return seat(self.search, weights, Manner(noise=noise))


def _games_per_generation(parameters: CmaesParameters) -> int:
    groups = whole_groups(parameters.games_per_evaluation, parameters.players)
    return parameters.population_size * groups * parameters.players


def _play_generation(
    parameters: CmaesParameters, run: Run, search: Search, player: _Player, fitness: Fitness
) -> tuple[list[float], int]:
    """The share of its games that each candidate won, or is thought to win, and how many games say nothing.

    All have the same openings and opponents, each generation new openings.
    """
    candidates = [player.by(vector) for vector in search.ask()]
    groups = whole_groups(parameters.games_per_evaluation, parameters.players)
    expected, started = _games_per_generation(parameters), time.monotonic()
    before = 0

    def progress(finished: int) -> bool:
        done = (search.generation + (before + finished) / expected) / parameters.generations
        rate = (before + finished) / max(1e-9, time.monotonic() - started)
        run.report.progress(done, f"generation {search.generation + 1}", rate, "games/s")
        return not run.stop_requested

    matches: list[list[_engine.GroupResult]] = [[] for _ in candidates]
    first = search.generation * groups
    for opponent, share in shared_out(groups, search.generation).items():
        results = _engine.play_matches(
            parameters.board.value,
            parameters.players,
            candidates,
            player.by(search.mean_after(opponent)),
            seed=parameters.seed,
            groups=share,
            first_group=first,
            max_turns=fitness.most_turns,
            threads=min(parameters.workers, available_cores()),
            progress=progress,
        )
        if any(len(match) < share for match in results):
            run.pause_point()
        for match, more in zip(matches, results, strict=True):
            match.extend(more)
        first, before = first + share, before + share * parameters.players * len(candidates)
    return fitness.scores(matches), fitness.cut(matches)
