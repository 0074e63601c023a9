"""What an artifact of JSON has that is made for one configuration: a dataset's manifest, weights, a model card."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field

from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.contract import Artifact, Board, Contract, configuration_name
from ringrift_core.errors import StoreRefusedError

__all__ = ["ConfigurationArtifact"]


class ConfigurationArtifact(Contract):
    """A model of one kind in one format, for one board and number of players."""

    KIND: ClassVar[str]
    """With its article where it has one: `a model card`."""

    board: Board
    players: int = Field(ge=2, le=4)

    @classmethod
    def load(cls, archive: Archive, artifact: Artifact) -> Self:
        """One from the store; StoreRefusedError when it is no such thing, or not for the archive's configuration."""
        return cls.read(archive.get_bytes(artifact), artifact.uri, archive.configuration)

    @classmethod
    def read(cls, content: bytes, place: str, configuration: str) -> Self:
        """One from its JSON, which was found at `place`; StoreRefusedError as `load`."""
        found = from_stored_json(cls, content, place, cls.KIND)
        made_for = configuration_name(found.board, found.players)
        if made_for != configuration:
            raise StoreRefusedError(f"{place}: {cls.KIND} for {made_for}, not {configuration}")
        if fault := found.fault():
            raise StoreRefusedError(f"{place}: {cls.KIND} {fault}")
        return found

    def fault(self) -> str | None:
        """Why this engine cannot use it, to be said after its kind; None when it can."""
        return None

    def save(self, archive: Archive) -> Artifact:
        """Stores it as JSON."""
        return archive.put_model(self)
