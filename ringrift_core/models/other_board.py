"""A network on another board than the one where it has learnt: its parameters do not depend on how large that is."""

from __future__ import annotations

from pathlib import Path

from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.contract import Board, Track, configuration_name
from ringrift_core.dataset.rows import RowFile
from ringrift_core.errors import WrongInputError
from ringrift_core.models.catalogue import Model, StoredObject
from ringrift_core.nn.export import export_network
from ringrift_core.nn.network import RingRiftNetwork
from ringrift_core.nn.onnx import export_onnx
from ringrift_core.nn.positions import Positions, split
from ringrift_core.players.cards import ModelCard
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Seating
from ringrift_core.store import open_store

__all__ = ["on_board"]

GAMES, PLAYER, OPENING, TURNS = 24, "puct:4", 16, 40
"""What it plays against itself, and for how long, so that its integers are as long as its numbers there are wide."""


def on_board(model: Model, archive: Archive, board: Board, folder: Path) -> tuple[Model, Archive]:
    """The model as one of another board's, and the archive in `folder` where its objects are; WrongInputError where
    there is no such thing."""
    if model.track is not Track.NETWORK:
        raise WrongInputError(f"--board: of a network alone, {model.track} know the cells of one board")
    if board is model.board:
        raise WrongInputError(f"--board {board}: is the board of {model.configuration}; leave it out")
    card = ModelCard.load(archive, model.artifact.address)
    weights = archive.get_file(card.weights, folder)
    try:
        network = RingRiftNetwork.of_card(card, weights).for_board(board)
    except WrongInputError as error:
        raise WrongInputError(f"--board {board}: {error}") from None
    exported = export_network(network, *_own_games(network, folder), folder)
    other = Archive(open_store((folder / "store").resolve().as_uri()), configuration_name(board, model.players))
    found = exported.quantised
    made = card.model_copy(
        update={
            "board": board,
            "weights": other.put_file(weights, "safetensors"),
            "onnx": other.put_file(exported.file, "onnx"),
            "parent": 0,
            "started_from": f"{model.board}@{model.version}",
            "metrics": {
                "onnx_difference": exported.difference,
                "quantised_value_difference": found.value,
                "quantised_policy_divergence": found.policy,
            },
        }
    )
    artifact, files = made.save(other), {"onnx": made.onnx, "weights": made.weights}
    changed = {
        "configuration": other.configuration,
        "board": board,
        "sha256": artifact.sha256,
        "artifact": StoredObject.of(artifact),
        "files": {name: StoredObject.of(file) for name, file in files.items()},
        "size": artifact.bytes + sum(file.bytes for file in files.values()),
        "learnt_on": f"{model.board}@{model.version}",
    }
    return model.model_copy(update=changed), other


def _own_games(network: RingRiftNetwork, folder: Path) -> tuple[Positions, Positions]:
    """Positions of games that it plays in floats, and those of some that are held out."""
    board, players = network.shape.board, network.shape.players
    file = folder / "own.onnx"
    export_onnx(network, file)
    player = Seating.without_store(board, players).player(Specification.parse(f"network={file}:{PLAYER}"))
    games = _engine.play_games(
        board.value, players, [[player]], seed=1, games=GAMES, opening_plies=OPENING, max_turns=TURNS
    )
    rows = _engine.encode_rows(
        board.value, players, [(game.game_id, game.moves, game.searches, None) for game in games]
    )
    return split(RowFile.write(folder, board, players, [rows]))
