"""Moves of a champion's pointer that a person asks for, by the stages promote and rollback."""

from __future__ import annotations

import getpass
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from ringrift_core.archive import Archive
from ringrift_core.claim import check_unheld
from ringrift_core.contract import Artifact, Board, PromoteParameters, RollbackParameters, StageResult, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.registry.stage import promote_stage, rollback_stage
from ringrift_core.reporting import Reporter
from ringrift_core.stage import Run

__all__ = ["ByHand", "Hand", "reason"]

_LONGEST_NAME = 64
"""Characters of a person's name; a request id has 200."""


@dataclass(frozen=True)
class ByHand:
    """A person's request. Its id tells who and when: the registry itself holds no times."""

    who: str
    at: datetime

    def __str__(self) -> str:
        return f"by hand: {self.who} at {self.at:%Y-%m-%dT%H:%M:%S.%fZ}"

    @classmethod
    def now(cls) -> Self:
        """Of this process's user, now."""
        try:
            who = getpass.getuser()
        except (KeyError, OSError):  # In a container a user may be a number alone.
            who = f"user {os.getuid()}"
        return cls(who[:_LONGEST_NAME], datetime.now(UTC))

    @classmethod
    def parse(cls, request_id: str) -> Self | None:
        """What an id tells; None of one that is no person's."""
        found = re.fullmatch(r"by hand: (.+) at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)", request_id)
        return None if found is None else cls(found[1], datetime.fromisoformat(found[2]))


@dataclass(frozen=True)
class Hand:
    """Of one track of one configuration. Every request is for the champion that was read: who comes second is refused,
    and nothing is moved (WrongInputError)."""

    archive: Archive
    board: Board
    players: int
    track: Track
    folder: Path
    """For files that are checked."""

    def check_free(self) -> None:
        """HeldError, with what to do instead, while a pipeline is at work on the configuration."""
        asked = f"ringrift.ai/rollback-requested: {self.archive.configuration}/{self.track}@<time>"
        check_unheld(
            self.archive,
            f"nothing was moved. A rollback is asked of it by the annotation '{asked}' (docs/api.md), or end it: "
            "`ringrift-operator local` gives its claim back then, a cluster's is over an hour after it last wrote",
        )

    def promotion(self, candidate: Artifact, because: str) -> PromoteParameters:
        """The request to make an artifact of the store champion. It drops no backup.

        When the pipeline goes on, it finds that the pointer moved in the iteration under way.
        """
        registry = read_registry(self.archive, self.track)
        if registry.champion is not None and registry.champion.artifact.sha256 == candidate.sha256:
            raise WrongInputError(f"{self.track} version {registry.version} is champion already, and is the same")
        return PromoteParameters(
            store=self.archive.store.uri,
            board=self.board,
            players=self.players,
            track=self.track,
            request_id=str(ByHand.now()),
            expected_version=registry.version,
            keep_backup_models=len(registry.earlier) + 1,
            iteration=self._iteration(),
            candidate=candidate,
            cause=because,
        )

    def rollback(self, to_version: int | None, because: str) -> RollbackParameters:
        """The request to go back to an earlier champion that is kept."""
        registry = read_registry(self.archive, self.track)
        return RollbackParameters(
            store=self.archive.store.uri,
            board=self.board,
            players=self.players,
            track=self.track,
            iteration=self._iteration(),
            request_id=str(ByHand.now()),
            expected_version=registry.version,
            keep_backup_models=len(registry.earlier),
            cause=because,
            to_version=to_version,
        )

    def artifact(self, version: int) -> Artifact:
        """What a version consists of; WrongInputError when it was never champion."""
        return champion_artifact(self.archive, self.track, version)

    def move(self, request: PromoteParameters | RollbackParameters) -> StageResult:
        """Carries a request out by its stage, unless a pipeline has come meanwhile."""
        self.check_free()
        run = Run(self.archive, self.folder, Reporter(), datetime.now(UTC))
        if isinstance(request, PromoteParameters):
            return promote_stage(request, run)
        return rollback_stage(request, run)

    def _iteration(self) -> int:
        """The iteration under way, or the last one; 0 where there was none."""
        return max(self.archive.iterations(), default=0)


def reason(because: str) -> str:
    """A person's reason, as the registry keeps it; WrongInputError when there is none."""
    if not because.strip():
        raise WrongInputError("--because: empty; say why, for the registry's history")
    return because.strip()
