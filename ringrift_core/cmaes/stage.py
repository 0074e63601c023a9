"""The stage cmaes: searches better weights by seat-rotated games against the weights it starts from."""

from __future__ import annotations

import time

from ringrift_core import _engine
from ringrift_core.archive import Checkpoint, identity
from ringrift_core.arena.gate import whole_groups
from ringrift_core.cmaes.search import Search, SearchState
from ringrift_core.cmaes.stops import is_converged, stopped
from ringrift_core.contract import (
    MOST_CUT_EVIDENCE,
    CmaesParameters,
    CmaesResult,
    StageResult,
    Track,
    cut_warning,
    percent,
)
from ringrift_core.cores import available_cores
from ringrift_core.players.gates import gate_player
from ringrift_core.players.specification import Judge, JudgeKind
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.seating import Judges, seat
from ringrift_core.stage import Outcome, Run

__all__ = ["FIXED_FEATURE", "cmaes_stage"]

TASK = "cmaes"

FIXED_FEATURE = "elimination"
"""The weight that sets the scale: eliminations win games, so every setting gives it a positive weight."""


def cmaes_stage(parameters: CmaesParameters, run: Run) -> StageResult:
    """Searches once per iteration; a killed search goes on after its last whole generation."""
    result = run.once(parameters.iteration, TASK, parameters, lambda: _search(parameters, run))
    _checkpoint(parameters, run).clear()
    return result


def _checkpoint(parameters: CmaesParameters, run: Run) -> Checkpoint:
    digest, _ = identity(parameters)
    return Checkpoint(run.archive, parameters.iteration, TASK, parameters.attempt, digest)


def _search(parameters: CmaesParameters, run: Run) -> Outcome:
    start = _start(parameters, run)
    fixed = FEATURE_NAMES.index(FIXED_FEATURE)
    search = Search(start.vector, fixed, parameters.population_size, parameters.seed)
    checkpoint = _checkpoint(parameters, run)
    saved = checkpoint.load()
    if saved is not None:
        search.resume(SearchState.model_validate_json(run.archive.get_bytes(saved)))
        run.report.log(f"going on after generation {search.generation}")
    opponent = _player(parameters, start.vector)
    games, started = 0, time.monotonic()
    while search.generation < parameters.generations and not search.stopped_by:
        run.pause_point()
        said = _generation(parameters, run, search, opponent)
        games += _games_per_generation(parameters)
        checkpoint.save(search.state.model_dump_json().encode(), "json")
        rate = games / (time.monotonic() - started)
        run.report.progress(search.generation / parameters.generations, said, rate, "games/s")
    return _outcome(parameters, run, search)


def _generation(parameters: CmaesParameters, run: Run, search: Search, opponent: _engine.Player) -> str:
    """Plays the next generation and learns from it, unless too many of its games were cut; what came of it."""
    fitness, cut = _play_generation(parameters, run, search, opponent)
    share = cut / _games_per_generation(parameters)
    if share > MOST_CUT_EVIDENCE:
        search.refuse(cut)
        said = f"generation {search.generation} refused as evidence: {percent(share)} of its games were cut"
        run.report.warn(f"{said} by the move limit, {MOST_CUT_EVIDENCE:.0%} may be")
        return said
    search.tell(fitness, cut)
    mean = -sum(fitness) / len(fitness)
    said = f"generation {search.generation}, population wins {mean:.0%}, step {search.step:.3f}"
    run.report.log(said)
    return said


def _outcome(parameters: CmaesParameters, run: Run, search: Search) -> Outcome:
    """The distribution's mean as the candidate; none when nothing was learnt."""
    met, fitness = search.stopped_by, search.last_fitness
    result = CmaesResult(
        generations=search.generation,
        games=search.generation * _games_per_generation(parameters),
        converged=is_converged(met),
        population_win_rate=-sum(fitness) / parameters.population_size,
        step=search.step,
        cut_games=search.state.cut_games,
        refused_generations=search.refused,
        refused="" if fitness else _refusal(parameters, search),
    )
    if warning := cut_warning(result.cut_share):
        run.report.warn(warning)
    if result.refused:
        return Outcome(result=result, message=f"no candidate: {result.refused}")
    found = HeuristicWeights.of_vector(search.mean, parameters.board, parameters.players)
    said = stopped(met) if met else "the budget is spent"
    refused = f", {search.refused} of them refused as evidence" if search.refused else ""
    return Outcome(
        outputs={"candidate": found.save(run.archive)},
        result=result,
        message=f"{search.generation} generations{refused}, {said}",
    )


def _refusal(parameters: CmaesParameters, search: Search) -> str:
    return (
        f"refused as evidence: in each of {search.generation} generations more than {MOST_CUT_EVIDENCE:.0%} "
        f"of the games were cut by the move limit of {parameters.max_moves} turns"
    )


def _start(parameters: CmaesParameters, run: Run) -> HeuristicWeights:
    board, players = parameters.board, parameters.players
    judges = Judges(board, players, run.archive, run.folder, initial=parameters.initial_weights)
    return judges.weights(Judge(JudgeKind.WEIGHTS, parameters.weights_version))


def _player(parameters: CmaesParameters, vector: list[float]) -> _engine.Player:
    """Who plays by these weights, searching as the gate's players do."""
    specification = gate_player(Track.WEIGHTS, parameters.board, parameters.players)
    weights = HeuristicWeights.of_vector(vector, parameters.board, parameters.players)
    return seat(specification.search, weights)


def _games_per_generation(parameters: CmaesParameters) -> int:
    groups = whole_groups(parameters.games_per_evaluation, parameters.players)
    return parameters.population_size * groups * parameters.players


def _play_generation(
    parameters: CmaesParameters, run: Run, search: Search, opponent: _engine.Player
) -> tuple[list[float], int]:
    """Minus the share of games that each candidate won, and how many games were cut.

    All have the same openings, each generation new ones.
    """
    candidates = [_player(parameters, vector) for vector in search.ask()]
    groups = whole_groups(parameters.games_per_evaluation, parameters.players)
    expected, started = _games_per_generation(parameters), time.monotonic()

    def progress(finished: int) -> bool:
        done = (search.generation + finished / expected) / parameters.generations
        rate = finished / max(1e-9, time.monotonic() - started)
        run.report.progress(done, f"generation {search.generation + 1}", rate, "games/s")
        return not run.stop_requested

    results = _engine.play_matches(
        parameters.board.value,
        parameters.players,
        candidates,
        opponent,
        seed=parameters.seed,
        groups=groups,
        first_group=search.generation * groups,
        max_turns=parameters.max_moves,
        threads=min(parameters.workers, available_cores()),
        progress=progress,
    )
    if any(len(match) < groups for match in results):
        run.pause_point()
    fitness = [-sum(group.score for group in match) / (groups * parameters.players) for match in results]
    return fitness, sum(won is None for match in results for group in match for won in group.candidate_won)
