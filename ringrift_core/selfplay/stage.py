"""The stage selfplay: plays the chosen shards, each an SQLite file with a task record of its own.

A shard that is recorded is not played again. SIGTERM loses the shard under way and nothing else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from ringrift_core import _engine
from ringrift_core.contract import EngineMode, SelfplayParameters, StageResult, Track
from ringrift_core.players.champions import champion_weights, network_player
from ringrift_core.registry.stage import champion_artifact
from ringrift_core.replay.games import Game, GamesWriter, Rules
from ringrift_core.selfplay.shards import SHARD_OUTPUT, shard_games, shard_task
from ringrift_core.stage import Outcome, Run, WrongInputError

__all__ = ["selfplay_stage"]

OPENING_PLIES = 6
"""Random decisions at the start of each game: every game sees another part of the game."""
RANDOM_MOVE_RATE = 0.05
"""Share of later decisions that are random, for positions that good play does not reach."""
NOISE = 0.05
"""Uniform noise on evaluations, for variety; under the hand-set weights moves differ by about 0.05 to 0.5."""
DESCENT_NODES = 64
"""Search nodes a decision of `descent-only`."""
MOST_CUT_GAMES = 0.05
"""A larger share of games cut by the move limit is a warning."""


def selfplay_stage(parameters: SelfplayParameters, run: Run) -> StageResult:
    """Plays the chosen shards that are not recorded yet; the result sums up all of them."""
    results = []
    modes: Sequence[Sequence[_engine.Player]] = ()
    for done, shard in enumerate(parameters.chosen_shards):
        run.pause_point()
        found = run.archive.finished(parameters.iteration, shard_task(shard), parameters)
        if found is None:
            if not modes:
                run.archive.check_writable(parameters.iteration, shard_task(shard))
                modes = _modes(parameters, run)
            found = _play_shard(parameters, run, modes, shard, done)
        else:
            run.report.log(f"shard {shard} is finished already")
        results.append(found)
    return run.result(parameters, _sum_up(results, run))


def _modes(parameters: SelfplayParameters, run: Run) -> list[list[_engine.Player]]:
    """The players of each mode; the engine deals modes over the games and a mode's players over the seats."""
    weights = champion_weights(
        run.archive, parameters.weights_version, parameters.initial_weights, parameters.board, parameters.players
    ).vector
    heuristic = _engine.Player.heuristic(weights, NOISE)
    descent = _engine.Player.descent(weights, DESCENT_NODES, NOISE)
    available = [_engine.Player.random(), heuristic, descent]
    network: list[_engine.Player] = []
    if parameters.network_version > 0:
        card = champion_artifact(run.archive, Track.NETWORK, parameters.network_version)
        network = [network_player(run.archive, card, run.folder, NOISE)]
    elif EngineMode.NETWORK in parameters.engine_modes:
        raise WrongInputError("--engine-modes network: needs --network-version, and there is no champion network")
    players = {
        EngineMode.RANDOM_ONLY: [_engine.Player.random()],
        EngineMode.HEURISTIC_ONLY: [heuristic],
        EngineMode.DESCENT_ONLY: [descent],
        EngineMode.MIXED: [*available, *network],
        EngineMode.NETWORK: network,
    }
    return [players[mode] for mode in parameters.engine_modes]


def _play_shard(
    parameters: SelfplayParameters, run: Run, modes: Sequence[Sequence[_engine.Player]], shard: int, done: int
) -> StageResult:
    numbers = shard_games(shard, parameters.games, parameters.shard_games)
    shards = len(parameters.chosen_shards)
    started = time.monotonic()

    records: list[_engine.GameRecord] = []

    def receive(finished: list[_engine.GameRecord]) -> bool:
        records.extend(finished)
        rate = len(records) / max(1e-9, time.monotonic() - started)
        fraction = (done + len(records) / len(numbers)) / shards
        run.report.progress(fraction, f"shard {shard}, {len(records)} of {len(numbers)} games", rate, "games/s")
        return not run.stop_requested

    _engine.play_games(
        parameters.board.value,
        parameters.players,
        modes,
        seed=parameters.seed,
        games=len(numbers),
        first_game=numbers.start,
        max_turns=parameters.max_moves,
        opening_plies=OPENING_PLIES,
        random_move_rate=RANDOM_MOVE_RATE,
        receive=receive,
    )
    records.sort(key=lambda record: record.index)
    if len(records) < len(numbers):
        run.pause_point()
    rules = Rules.usual(parameters.board, parameters.players)
    games = [Game.from_record(record, rules) for record in records]
    work, path = (run.folder / f"{shard_task(shard)}.{suffix}" for suffix in ("work", "sqlite"))
    work.unlink(missing_ok=True)
    with GamesWriter(work, rules) as writer:
        writer.append(games)
        writer.seal(path)
    artifact = run.archive.put_file(path, "sqlite")
    work.unlink()
    path.unlink()
    seconds = time.monotonic() - started
    outcome = Outcome(
        outputs={SHARD_OUTPUT: artifact},
        metrics={
            "games": len(records),
            "cut_games": sum(not game.completed for game in games),
            "moves": sum(record.recorded_moves for record in records),
            "decisions": sum(record.decisions for record in records),
            "seconds": seconds,
        },
    )
    result = run.result(parameters, outcome)
    run.report.log(json.dumps({"shard": shard, **outcome.metrics}))
    return run.archive.finish(parameters.iteration, shard_task(shard), parameters, result)


def _sum_up(results: Sequence[StageResult], run: Run) -> Outcome:
    total = {
        name: sum(result.metrics[name] for result in results)
        for name in ("games", "cut_games", "moves", "decisions", "seconds")
    }
    share = total["cut_games"] / total["games"]
    if share > MOST_CUT_GAMES:
        run.report.warn(f"{share:.0%} of the games were cut by the move limit, more than {MOST_CUT_GAMES:.0%}")
    metrics = {**total, "cut_share": share, "games_per_second": total["games"] / max(1e-9, total["seconds"])}
    # Shards can be many and a result is small: the artifacts stand in the task records.
    outputs = {SHARD_OUTPUT: results[0].outputs[SHARD_OUTPUT]} if len(results) == 1 else {}
    message = f"{total['games']:.0f} games, {total['cut_games']:.0f} cut by the move limit"
    return Outcome(outputs=outputs, metrics=metrics, message=message)
