"""Who plays: the players of each engine mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ringrift_core._engine import Player
from ringrift_core.contract import EngineMode, SelfplayParameters
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import Algorithm, Count, Judge, JudgeKind, Search, Specification
from ringrift_core.seating import Judges, Manner, Seating
from ringrift_core.stage import Run

__all__ = ["MODES", "NOISE", "PLAYERS", "players_of_modes"]

NOISE = 0.05
"""Uniform noise on evaluations, for variety; under the hand-set weights moves differ by about 0.05 to 0.5."""
GUMBEL_NOISE = 1.0
"""As published (docs/training.md, Recipe): it is what makes the search explore."""
FAST = (0.75, 16)
"""Of a tree search's decisions: this share has so few simulations, and leaves no policy (docs/training.md, Recipe)."""

PLAYERS: Mapping[str, Specification] = {
    "random": Specification.parse("random"),
    "heuristic": Specification.parse("weights:one-ply"),
    "minimax": Specification.parse("weights:minimax:6000"),
    "descent": Specification.parse("weights:descent:1500"),
    "network": Specification.parse("network:gumbel:64"),
}
"""By the name that recorded games have for them. Searches are short (docs/training.md, Recipe): many games are worth
more than deep ones, but outcomes of play that is too weak say little of good play."""

SEARCHED_BY_NNUE = (Algorithm.MINIMAX, Algorithm.DESCENT)
"""By an NNUE once one is champion: what it has learnt reaches the games, and they the next one. One ply stays the
heuristic's, as its mode says."""

MODES: Mapping[EngineMode, tuple[str, ...]] = {
    EngineMode.RANDOM_ONLY: ("random",),
    EngineMode.HEURISTIC_ONLY: ("heuristic",),
    EngineMode.MINIMAX_ONLY: ("minimax",),
    EngineMode.DESCENT_ONLY: ("descent",),
    EngineMode.MIXED: ("random", "heuristic", "minimax", "descent", "network"),
    EngineMode.NETWORK: ("network",),
    EngineMode.NETWORK_AND_MINIMAX: ("network", "minimax"),
}
"""Whom each mode deals over the seats; while there is no network, others play alone."""


def _manner(name: str, search: Search, parameters: SelfplayParameters) -> Manner:
    """How a player explores, and what it tells of its search."""
    if search.algorithm is Algorithm.GUMBEL:
        is_deeper = isinstance(search.budget, Count) and search.budget.amount > FAST[1]
        return Manner(name, GUMBEL_NOISE, fast=FAST if is_deeper else None)
    return Manner(name, NOISE, parameters.tree_positions)


def players_of_modes(parameters: SelfplayParameters, run: Run) -> list[list[Player]]:
    """One list for each of the parameters' modes; the engine deals modes over games, and a list over its seats. The
    players that they name are a mode of their own."""
    judges = Judges(
        parameters.board,
        parameters.players,
        run.archive,
        run.folder,
        initial=parameters.initial_weights,
        device=parameters.device,
    )
    versions = {
        JudgeKind.WEIGHTS: parameters.weights_version,
        JudgeKind.NNUE: parameters.nnue_version,
        JudgeKind.NETWORK: parameters.network_version,
    }
    if parameters.player is None and EngineMode.NETWORK in parameters.engine_modes and not parameters.network_version:
        raise WrongInputError("--engine-modes network: needs --network-version, and there is no champion network")
    seating = Seating(judges)
    if parameters.player is not None:
        named = [_named(text, versions) for text in parameters.player.split(",")]
        return [[seating.player(each, _manner(str(each), each.search, parameters)) for each in named]]
    seated: dict[str, Player] = {}
    for name in dict.fromkeys(name for mode in parameters.engine_modes for name in MODES[mode]):
        specification = _by_best_judge(PLAYERS[name], parameters)
        judge = specification.judge
        if judge is not None and judge.kind is JudgeKind.NETWORK and not parameters.network_version:
            continue
        manner = _manner(name, specification.search, parameters)
        seated[name] = seating.player(specification.at(versions[judge.kind]) if judge else specification, manner)
    return [[seated[name] for name in MODES[mode] if name in seated] for mode in parameters.engine_modes]


def _named(text: str, versions: Mapping[JudgeKind, int]) -> Specification:
    specification = Specification.parse(text)
    judge = specification.judge
    if judge == Judge(JudgeKind.NNUE) and not versions[JudgeKind.NNUE]:
        raise WrongInputError(f"--player {text}: which version plays? {judge}@1:..., or --nnue-version 1, say")
    if judge is not None and judge.kind in versions:
        return specification.at(versions[judge.kind])
    return specification


def _by_best_judge(specification: Specification, parameters: SelfplayParameters) -> Specification:
    if parameters.nnue_version and specification.search.algorithm in SEARCHED_BY_NNUE:
        return replace(specification, judge=Judge(JudgeKind.NNUE))
    return specification
