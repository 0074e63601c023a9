"""Who plays: the champions of the store, or the players that stand in for version 0."""

from __future__ import annotations

from pathlib import Path

from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.contract import Artifact, Board, Device, InitialWeights, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.inference import onnx_evaluator, torch_evaluator
from ringrift_core.players.cards import ModelCard
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.registry.records import champion_artifact

__all__ = ["champion_weights", "network_player", "seat_artifact", "seat_champion"]


def champion_weights(
    archive: Archive, version: int, initial: InitialWeights, board: Board, players: int
) -> HeuristicWeights:
    """The weights of a champion; of version 0, the initial setting."""
    if version == 0:
        return HeuristicWeights.of_setting(initial, board, players)
    return HeuristicWeights.load(archive, champion_artifact(archive, Track.WEIGHTS, version))


def network_player(
    archive: Archive, card: Artifact, folder: Path, noise: float = 0.0, device: Device = Device.CPU
) -> _engine.Player:
    """The player of a network, by its model card: ONNX Runtime on the CPU, torch on a GPU."""
    loaded = ModelCard.load(archive, card)
    if device is Device.CPU:
        return _engine.Player.network(onnx_evaluator(archive.get_file(loaded.onnx, folder)), noise)
    return _engine.Player.network(
        torch_evaluator(loaded, archive.get_file(loaded.weights, folder), device.value), noise
    )


def seat_artifact(archive: Archive, track: Track, artifact: Artifact, folder: Path) -> _engine.Player:
    """The player of a candidate."""
    match track:
        case Track.WEIGHTS:
            return _engine.Player.heuristic(HeuristicWeights.load(archive, artifact).vector)
        case Track.NETWORK:
            return network_player(archive, artifact, folder)
        case Track.NNUE:
            raise WrongInputError("--track nnue: there is no NNUE player yet")


def seat_champion(
    archive: Archive,
    track: Track,
    version: int,
    initial: InitialWeights,
    folder: Path,
    configuration: tuple[Board, int],
) -> tuple[_engine.Player, str]:
    """The player of a champion and its name; version 0 is the initial weights, or the hand-set ones for networks."""
    if version > 0:
        return seat_artifact(archive, track, champion_artifact(archive, track, version), folder), str(version)
    setting = initial if track is Track.WEIGHTS else InitialWeights.BASELINE
    return _engine.Player.heuristic(HeuristicWeights.of_setting(setting, *configuration).vector), setting.value
