"""Who is champion: pure transitions of one track's registry.

Every move is logged under its request id. A known id returns what was logged and moves nothing, so a request that is
killed, repeated or replayed is carried out once; a known id for something else is refused.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from ringrift_core.contract import Artifact, Contract, PromoteParameters, RollbackParameters, Track

__all__ = ["Champion", "Move", "MoveRefusedError", "PointerMovedError", "Registry", "promote", "roll_back"]


class MoveRefusedError(ValueError):
    """A move that the registry's state forbids. The message is a sentence for the user."""


class PointerMovedError(MoveRefusedError):
    """A move that was asked for before somebody else moved the pointer."""


class Champion(Contract):
    """A version and what it consists of: weights as JSON, or a network's model card."""

    version: int = Field(ge=1)
    artifact: Artifact


class Move(Contract):
    """One move of the pointer, as it was recorded."""

    request_id: str
    kind: Literal["promote", "rollback"]
    version: int = Field(description="Champion after the move.")
    predecessor: int = Field(description="The champion a rollback would now restore; 0 is none.")
    replaced: int = Field(description="Champion before the move; 0 is none.")
    artifact: Artifact = Field(description="The champion's artifact after the move.")
    verdict: Artifact | None = None
    cause: str = ""
    judged_through: int = Field(default=0, description="Last iteration with a verdict when a rollback was made.")
    iteration: int | None = Field(
        default=None,
        description="In which the move was made, 0 before the first; None where a promotion's version says it, and "
        "where nobody said it of a rollback.",
    )

    @model_serializer(mode="wrap")
    def _as_ever(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without an iteration that is None: logs of equal moves are equal bytes, whichever version wrote them."""
        return {name: value for name, value in serialise(self).items() if name != "iteration" or value is not None}

    @property
    def made_in(self) -> int | None:
        """The iteration, 0 before the first; None when nobody said it."""
        return self.version if self.iteration is None and self.kind == "promote" else self.iteration


class Registry(Contract):
    """The state of one track."""

    track: Track
    champion: Champion | None = None
    earlier: tuple[Champion, ...] = Field(default=(), description="Earlier champions, the latest first.")
    log: tuple[Move, ...] = Field(default=(), description="Every move there was, the first one first.")

    @property
    def version(self) -> int:
        """The champion's version, 0 for none."""
        return self.champion.version if self.champion else 0

    @property
    def predecessor(self) -> int:
        """The version a rollback would restore, 0 for none."""
        return self.earlier[0].version if self.earlier else 0

    def recorded(self, request_id: str) -> Move | None:
        """The move made for this request, if it was carried out."""
        return next((move for move in self.log if move.request_id == request_id), None)

    def moves_of(self, iteration: int) -> tuple[Move, ...]:
        """The moves of one iteration, the first one first."""
        return tuple(move for move in self.log if move.made_in == iteration)

    def promotion_of(self, iteration: int) -> Move | None:
        """The first promotion of an iteration."""
        return next((move for move in self.moves_of(iteration) if move.kind == "promote"), None)

    def artifact(self, version: int) -> Artifact | None:
        """What a version consists of, also when it is no longer kept as an earlier champion."""
        return next((move.artifact for move in self.log if move.version == version), None)


def promote(registry: Registry, request: PromoteParameters) -> tuple[Registry, Move]:
    """Makes the candidate champion, under the iteration's number or, where that one or a later one was taken by hand,
    the next.

    MoveRefusedError when the registry moved on, also where a candidate was judged in an iteration in which somebody
    else has become champion.
    """
    if known := registry.recorded(request.request_id):
        if known.kind != "promote" or known.artifact.sha256 != request.candidate.sha256:
            raise MoveRefusedError(
                f"--candidate {request.candidate.sha256}: request {request.request_id!r} was a {known.kind} of "
                f"{known.artifact.sha256} already; name another --request-id"
            )
        return registry, known
    _expect(registry, request.expected_version)
    if request.verdict is not None and (other := registry.promotion_of(request.iteration)):
        raise PointerMovedError(
            f"track {registry.track}: version {other.version} became champion in iteration {request.iteration} "
            "already, and the candidate was judged against another one; nothing was moved"
        )
    version = max(request.iteration, 1 + max((move.version for move in registry.log), default=0))
    earlier = ((registry.champion,) if registry.champion else ()) + registry.earlier
    earlier = earlier[: request.keep_backup_models]
    move = Move(
        request_id=request.request_id,
        kind="promote",
        version=version,
        predecessor=earlier[0].version if earlier else 0,
        replaced=registry.version,
        artifact=request.candidate,
        verdict=request.verdict,
        cause=request.cause or "",
        iteration=None if version == request.iteration else request.iteration,
    )
    champion = Champion(version=version, artifact=request.candidate)
    return Registry(track=registry.track, champion=champion, earlier=earlier, log=(*registry.log, move)), move


def roll_back(registry: Registry, request: RollbackParameters, judged_through: int) -> tuple[Registry, Move]:
    """Makes an earlier champion champion again, the previous one where none is named.

    MoveRefusedError when there is none, the one named is not kept, or the registry moved on.
    """
    if known := registry.recorded(request.request_id):
        if known.kind != "rollback":
            raise MoveRefusedError(
                f"--request-id {request.request_id!r}: was a {known.kind} already; name another request"
            )
        return registry, known
    _expect(registry, request.expected_version)
    if not registry.earlier:
        raise MoveRefusedError(
            f"track {registry.track}: champion {registry.version} has no predecessor to roll back to"
        )
    kept = [champion.version for champion in registry.earlier]
    if request.to_version is not None and request.to_version not in kept:
        raise MoveRefusedError(
            f"track {registry.track}: version {request.to_version} is not among the earlier champions that are kept: "
            f"{', '.join(map(str, kept))}"
        )
    back_to = 0 if request.to_version is None else kept.index(request.to_version)
    champion = registry.earlier[back_to]
    earlier = registry.earlier[back_to + 1 :][: request.keep_backup_models]
    move = Move(
        request_id=request.request_id,
        kind="rollback",
        version=champion.version,
        predecessor=earlier[0].version if earlier else 0,
        replaced=registry.version,
        artifact=champion.artifact,
        cause=request.cause,
        judged_through=judged_through,
        iteration=request.iteration or None,
    )
    return Registry(track=registry.track, champion=champion, earlier=earlier, log=(*registry.log, move)), move


def _expect(registry: Registry, version: int) -> None:
    if registry.version != version:
        raise PointerMovedError(
            f"track {registry.track}: the request expects champion version {version}, found {registry.version}; "
            "nothing was moved"
        )
