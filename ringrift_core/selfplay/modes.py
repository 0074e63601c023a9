"""Who plays: the players of each engine mode."""

from __future__ import annotations

from ringrift_core import _engine
from ringrift_core.contract import EngineMode, SelfplayParameters, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.registry.records import champion_artifact
from ringrift_core.seating.champions import champion_weights, network_player
from ringrift_core.stage import Run

__all__ = ["NOISE", "SEARCH_NODES", "players_of_modes"]

NOISE = 0.05
"""Uniform noise on evaluations, for variety; under the hand-set weights moves differ by about 0.05 to 0.5."""
SEARCH_NODES = 1_500
"""Most search nodes of a decision (docs/training.md, Recipe): games to learn from are worth more than deep ones."""


def players_of_modes(parameters: SelfplayParameters, run: Run) -> list[list[_engine.Player]]:
    """One list for each of the parameters' modes; the engine deals modes over games, and a list over its seats."""
    weights = champion_weights(
        run.archive, parameters.weights_version, parameters.initial_weights, parameters.board, parameters.players
    ).vector
    random = _engine.Player.random()
    heuristic = _engine.Player.heuristic(weights, NOISE)
    minimax = _engine.Player.minimax(weights, nodes=SEARCH_NODES, noise=NOISE)
    descent = _engine.Player.descent(weights, SEARCH_NODES, NOISE, inner=parameters.tree_positions)
    network: list[_engine.Player] = []
    if parameters.network_version > 0:
        card = champion_artifact(run.archive, Track.NETWORK, parameters.network_version)
        network = [network_player(run.archive, card, run.folder, NOISE, parameters.device)]
    elif EngineMode.NETWORK in parameters.engine_modes:
        raise WrongInputError("--engine-modes network: needs --network-version, and there is no champion network")
    players = {
        EngineMode.RANDOM_ONLY: [random],
        EngineMode.HEURISTIC_ONLY: [heuristic],
        EngineMode.DESCENT_ONLY: [descent],
        EngineMode.MIXED: [random, heuristic, minimax, descent, *network],
        EngineMode.NETWORK: network,
    }
    return [players[mode] for mode in parameters.engine_modes]
