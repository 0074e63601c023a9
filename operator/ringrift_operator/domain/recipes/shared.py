"""Steps that every iteration has, whatever it trains, and the export, which several tracks learn from."""

from __future__ import annotations

from ringrift_core.contract import (
    MOST_ENTRANTS,
    STAGES,
    AdoptParameters,
    EngineMode,
    Entrant,
    ExportParameters,
    MergeParameters,
    RoundrobinParameters,
    SelfplayParameters,
    Shards,
    Stage,
    Track,
    changed,
)
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain import steps
from ringrift_operator.domain.recipe import Commission, Handling, Step


def engine_modes(frozen: ResolvedConfiguration, iteration: int, network: int) -> tuple[EngineMode, ...]:
    """Modes of an iteration: the bootstrap is never mixed and without a network, and none plays before there is a
    champion; alpha-beta plays alone where it is to meet one."""
    left_out = {EngineMode.MIXED} if iteration == 1 else set()
    instead: dict[EngineMode, EngineMode] = {}
    if network == 0 or iteration == 1:
        left_out.add(EngineMode.NETWORK)
        instead[EngineMode.NETWORK_AND_MINIMAX] = EngineMode.MINIMAX_ONLY
    modes = (instead.get(mode, mode) for mode in frozen.selfplay.engine_modes if mode not in left_out)
    return tuple(dict.fromkeys(modes)) or (EngineMode.HEURISTIC_ONLY,)


def shard_count(frozen: ResolvedConfiguration, games: int) -> int:
    """Shards of so many games."""
    return -(-games // frozen.selfplay.shard_games)


def _adopt(commission: Commission) -> AdoptParameters:
    return AdoptParameters(**commission.common, **commission.claim, tracks=commission.tracks)


def _selfplay(commission: Commission) -> SelfplayParameters:
    frozen, iteration = commission.frozen, commission.iteration
    network = commission.champion(Track.NETWORK)
    top_up = commission.configuration.top_up_of(commission.task.part)
    games = frozen.games(iteration) if top_up is None else top_up.games
    shards = shard_count(frozen, games)
    return SelfplayParameters(
        **commission.in_iteration,
        seed=commission.seed,
        games=games,
        first_game=0 if top_up is None else top_up.first_game,
        shard=Shards(0, shards - 1, shards),
        engine_modes=engine_modes(frozen, iteration, network),
        random_moves=frozen.selfplay.random_moves,
        max_moves=frozen.move_limit(iteration),
        weights_version=commission.champion(Track.WEIGHTS),
        network_version=network,
        nnue_version=commission.champion(Track.NNUE),
        initial_weights=frozen.cmaes.initial_weights.contract,
    )


def _merge(commission: Commission) -> MergeParameters:
    return MergeParameters(**commission.in_iteration, **commission.claim)


def _sync(commission: Commission) -> MergeParameters:
    return changed(_merge(commission), while_playing=True)


def _export(commission: Commission) -> ExportParameters:
    dataset = commission.frozen.dataset
    return ExportParameters(
        **commission.in_iteration,
        seed=commission.seed,
        require_completed=dataset.require_completed,
        min_moves=dataset.min_moves,
        exact_state=Track.NNUE in commission.tracks,  # whose inputs are no part of the network's
    )


def _roundrobin(commission: Commission) -> RoundrobinParameters:
    frozen, tracks = commission.frozen, commission.configuration.tracks
    champions = [Entrant(track.name, track.champion_version) for track in tracks if track.champion]
    predecessors = [Entrant(track.name, track.predecessor_version) for track in tracks if track.predecessor]
    return RoundrobinParameters(
        **commission.with_curves,
        entrants=(*champions, *predecessors)[:MOST_ENTRANTS],
        seed=commission.seed,
        games=frozen.evaluation.round_robin.games,
        max_moves=frozen.move_limit(commission.iteration),
    )


ADOPT = Step(steps.ADOPT, Handling(STAGES[Stage.ADOPT], is_repeated=True), _adopt)
"""Before the first iteration."""

SELFPLAY = Step(
    steps.SELFPLAY,
    Handling(
        STAGES[Stage.SELFPLAY],
        needs_result=False,  # a finished index needs no message: merge counts the games
        is_repeated=True,
        is_said_otherwise=True,
        remembers_place=True,
        takes_device=True,
    ),
    _selfplay,
)
MERGE = Step(
    steps.MERGE,
    Handling(STAGES[Stage.MERGE], is_repeated=True, is_said_otherwise=True),
    _merge,
    needs=(steps.SELFPLAY,),
    after=(steps.SYNC,),
)
SYNC = Step(steps.SYNC, Handling(STAGES[Stage.MERGE], is_said_otherwise=True), _sync)
"""Asked for again and again while self-play goes on (domain/syncing.py); nothing needs it."""

ROUNDROBIN = Step(steps.ROUNDROBIN, Handling(STAGES[Stage.ROUNDROBIN], takes_device=True), _roundrobin)
"""Asked for when everything else of an iteration has ended (domain/rating.py); nothing needs it."""

EXPORT = Step("export", Handling(STAGES[Stage.EXPORT], needs_output=True), _export, needs=(steps.MERGE,))
"""One dataset for all tracks that train on one."""
