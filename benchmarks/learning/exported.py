"""A champion that `ringrift models export` wrote as files, in a store that has none."""

from __future__ import annotations

from pathlib import Path

from ringrift_core.archive import Archive
from ringrift_core.contract import Board, Track
from ringrift_core.models.by_hand import Hand
from ringrift_core.models.package import Package, Player


def promote_network(folder: Path, archive: Archive, board: Board, players: int, work: Path, because: str) -> None:
    """Makes the network of `folder` the next champion; `work` is a folder for scratch files."""
    hand = Hand(archive, board, players, Track.NETWORK, work)
    package = Package.read(folder, Player(board, players, Track.NETWORK))
    hand.move(hand.promotion(package.store(archive), because))
