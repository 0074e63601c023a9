"""The quality gate: whether the champion network is strong enough to say who is ahead in a search of weights.

It is played once a champion, as the network's track is gated, against the hand-set weights at one ply, and its result
kept in the store, with the iterations whose search the network has scored.
"""

from __future__ import annotations

from pydantic import Field

from ringrift_core.archive import Archive, from_stored_json, to_stored_json
from ringrift_core.arena.baselines import PLAYERS
from ringrift_core.arena.gate import FixedGate, whole_groups
from ringrift_core.arena.interval import measure
from ringrift_core.arena.match import Match, play_until_decided, refusal
from ringrift_core.contract import Artifact, CmaesParameters, Contract, Track, changed
from ringrift_core.players.gates import gate_player
from ringrift_core.players.specification import Specification
from ringrift_core.registry.records import champion_artifact
from ringrift_core.seating import Judges, Seating
from ringrift_core.stage import Run

__all__ = ["MOST_ITERATIONS", "why_not"]

MOST_ITERATIONS = 5
"""Whose search one network scores (docs/plan.md): weights that please it ever more please nobody else."""

QUALITY_SEED = 1 << 43
"""Of the gate's games: the same for every iteration, since its result is kept."""


class Quality(Contract):
    """What the gate of one network came to."""

    network: str = Field(description="SHA-256 of its model card.")
    player: str = Field(description="Who played.")
    games: int
    rate: float = Field(description="Two-player-equivalent.")
    refused: str = Field(default="", description="Why its games are no evidence.")
    scored: tuple[int, ...] = Field(default=(), description="Iterations whose search it has scored, ascending.")


def why_not(parameters: CmaesParameters, run: Run, judges: Judges) -> tuple[str, str]:
    """Why the network does not score this search, empty when it does; and what its gate came to, in a sentence.

    An iteration that it scores is noted in the store: a repeat of the stage is told the same.
    """
    version = parameters.network_version
    if version == 0:
        return "there is no champion network yet", ""
    artifact = champion_artifact(run.archive, Track.NETWORK, version)
    player = gate_player(Track.NETWORK, parameters.board, parameters.players)
    games = whole_groups(parameters.gate_games, parameters.players) * parameters.players
    quality = _known(run.archive, artifact, player, games) or _played(parameters, run, judges, artifact, player)
    said = f"network {version} wins {quality.rate:.3f} of {quality.games} games against the hand-set heuristic"
    if quality.refused:
        return f"the match of network {version} against the hand-set heuristic: {quality.refused}", said
    if quality.rate <= parameters.quality_gate:
        return f"{said}, not above {parameters.quality_gate:.2f}", said
    return ("" if _noted(parameters, run.archive, quality.network) else _spent(version)), said


def _spent(version: int) -> str:
    return f"network {version} has scored the searches of {MOST_ITERATIONS} iterations, and may do no more"


def _known(archive: Archive, artifact: Artifact, player: Specification, games: int) -> Quality | None:
    """None too when the gate is played otherwise by now."""
    found, _ = _read(archive, artifact.sha256)
    return found if found is not None and (found.player, found.games) == (str(player), games) else None


def _played(
    parameters: CmaesParameters, run: Run, judges: Judges, artifact: Artifact, player: Specification
) -> Quality:
    board, players = parameters.board, parameters.players
    match = Match(
        board,
        players,
        Seating(judges).player(player, artifact=artifact),
        Seating.without_store(board, players).player(PLAYERS["heuristic"]),
        QUALITY_SEED,
        parameters.max_moves,
    )
    gate = FixedGate(players, parameters.gate_games, parameters.quality_gate)
    groups, _ = play_until_decided(match, gate, run, f"network {parameters.network_version} against heuristic")
    rate = measure([group.score for group in groups], players)
    quality = Quality(
        network=artifact.sha256,
        player=str(player),
        games=rate.games,
        rate=rate.rate,
        refused=refusal(groups),
    )
    earlier, version = _read(run.archive, artifact.sha256)
    if earlier is not None:
        quality = changed(quality, scored=earlier.scored)
    # Who was quicker has played the same games.
    run.archive.store.swap(_key(run.archive, artifact.sha256), to_stored_json(quality), version)
    return quality


def _noted(parameters: CmaesParameters, archive: Archive, network: str) -> bool:
    """Whether the network may score this iteration's search, which is noted then."""
    while True:
        quality, version = _read(archive, network)
        assert quality is not None, "its gate was played"
        if parameters.iteration in quality.scored:
            return True
        if len(quality.scored) >= MOST_ITERATIONS:
            return False
        noted = changed(quality, scored=tuple(sorted({*quality.scored, parameters.iteration})))
        if archive.store.swap(_key(archive, network), to_stored_json(noted), version):
            return True


def _read(archive: Archive, network: str) -> tuple[Quality | None, str | None]:
    found = archive.store.read(_key(archive, network))
    if found is None:
        return None, None
    place = f"{archive.store.uri}/{_key(archive, network)}"
    return from_stored_json(Quality, found.content, place, "the result of a quality gate"), found.version


def _key(archive: Archive, network: str) -> str:
    return archive.key(f"quality/network-{network[:16]}.json")
