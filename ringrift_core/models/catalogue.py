"""Champions as people ask for them: what a version consists of, what it rests on, and how strong it was."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ringrift_core.archive import Archive, TaskRecord
from ringrift_core.artifact import ConfigurationArtifact
from ringrift_core.contract import (
    STAGES,
    Artifact,
    Board,
    Contract,
    PlayerRating,
    Track,
    Verdict,
    configuration_name,
)
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.models.by_hand import ByHand
from ringrift_core.players.cards import ModelCard
from ringrift_core.registry.candidate import candidate_kind, files_of, read_verdict
from ringrift_core.registry.champions import Champion, Move, Registry
from ringrift_core.registry.ratings import RatingHistory, read_ratings
from ringrift_core.registry.records import read_registry
from ringrift_core.store import Store

__all__ = ["Model", "ModelInFull", "champions", "configuration", "configurations", "in_full", "model"]

_CONFIGURATIONS = {
    configuration_name(board, players): (board, players) for board, players in itertools.product(Board, (2, 3, 4))
}
"""Board and players by name."""

_MAKERS = tuple(facts.stage for facts in STAGES.values() if facts.output == "candidate")


class StoredObject(Contract):
    """An object of the store that a model consists of."""

    name: str = Field(description="In the configuration's folder.")
    sha256: str
    bytes: int

    @classmethod
    def of(cls, artifact: Artifact) -> StoredObject:
        """By its name alone: where the store is today is no part of a model."""
        return cls(name="objects/" + artifact.uri.rpartition("/")[2], sha256=artifact.sha256, bytes=artifact.bytes)

    @property
    def address(self) -> Artifact:
        """What an archive of its configuration fetches it by."""
        return Artifact(uri=self.name, sha256=self.sha256, bytes=self.bytes)


class Evidence(Contract):
    """Why a version became champion: a gate's verdict, or a person's reason."""

    request: str = Field(description="Id of the request that promoted it.")
    by: str = Field(default="", description="Who promoted it by hand; empty where nobody did.")
    because: str = Field(default="", description="Why, where a person decided it.")
    verdict: Verdict | None = Field(default=None, description="The gate's, where one judged it.")
    at: datetime | None = Field(
        default=None, description="When it was promoted by hand, or judged; the registry holds no times of its own."
    )


class Rated(Contract):
    """What one round robin said."""

    iteration: int
    rating: PlayerRating


class Model(Contract):
    """One version of a track."""

    configuration: str
    board: Board
    players: int
    track: Track
    version: int
    standing: Literal["champion", "backup", "earlier"] = Field(
        description="champion; backup: a rollback can restore it; earlier: it was champion once, and its objects stay."
    )
    kind: str = Field(description="weights, nnue, or network with its blocks and channels; empty if it cannot be read.")
    iteration: int = Field(description="Iteration that made it.")
    sha256: str = Field(description="Of the artifact: the weights, or the card.")
    artifact: StoredObject
    files: dict[str, StoredObject] = Field(description="What the card names, by its names.")
    evidence: Evidence
    predecessor: int = Field(description="Champion before it; 0 is none.")
    backups: tuple[int, ...] = Field(default=(), description="Of a champion: what can be rolled back to, newest first.")
    rated: Rated | None = Field(default=None, description="By the newest round robin that it played in.")
    size: int = Field(description="Bytes of all its objects together.")
    fault: str = Field(default="", description="Why the artifact cannot be read.")
    learnt_on: str | None = Field(
        default=None,
        description="As square8@3: a champion of another board, whose parameters it has, and whose iteration, evidence "
        "and ratings these are.",
    )


class Training(Contract):
    """The finished task that made a model."""

    stage: str
    parameters: dict[str, Any] = Field(description="Those that were set.")
    result: dict[str, Any]
    finished_at: datetime


class ModelInFull(Contract):
    """Everything that the store says of one version."""

    model: Model
    moves: tuple[Move, ...] = Field(description="Every move by which it became champion, or ceased to be.")
    card: dict[str, Any] = Field(description="What is stored beside the files; the weights themselves.")
    training: Training | None = None
    evaluation: dict[str, Any] | None = Field(default=None, description="What its gate told beside the verdict.")
    ratings: tuple[Rated, ...] = Field(default=(), description="By iteration.")


def configuration(name: str) -> tuple[Board, int]:
    """Board and players of a configuration; WrongInputError when there is none of that name."""
    if name not in _CONFIGURATIONS:
        raise WrongInputError(f"CONFIGURATION: found {name!r}; there are {', '.join(_CONFIGURATIONS)}")
    return _CONFIGURATIONS[name]


def configurations(board: Board | None, players: int | None) -> Iterator[str]:
    """Names of all that there are, of one board or number of players where these are given."""
    for name, (its_board, its_players) in _CONFIGURATIONS.items():
        if board in (None, its_board) and players in (None, its_players):
            yield name


def champions(store: Store, board: Board | None, players: int | None, track: Track | None) -> Iterator[Model]:
    """The champions of a store, of one board, number of players or track where these are given."""
    for name in configurations(board, players):
        archive = Archive(store, name)
        ratings = None
        for its_track in (track,) if track is not None else Track:
            registry = read_registry(archive, its_track)
            if registry.champion is not None:
                ratings = ratings or read_ratings(archive)
                yield _model(archive, registry, registry.version, ratings)


def model(archive: Archive, track: Track, version: int | None) -> Model:
    """A version, or the champion; WrongInputError when there is, or was, none."""
    registry = read_registry(archive, track)
    wanted = _version(archive, registry, version)
    return _model(archive, registry, wanted, read_ratings(archive))


def in_full(archive: Archive, track: Track, version: int | None) -> ModelInFull:
    """As `model`, with everything that led to it and came of it."""
    registry, ratings = read_registry(archive, track), read_ratings(archive)
    wanted = _version(archive, registry, version)
    found = _model(archive, registry, wanted, ratings)
    card = (
        {}
        if found.fault
        else _candidate(archive, track, _artifact(registry, wanted)).model_dump(mode="json", by_alias=True)
    )
    judged = _judged(archive, found.track, wanted, found.sha256)
    result = None if judged is None else judged.result.result
    return ModelInFull(
        model=found,
        moves=tuple(move for move in registry.log if wanted in (move.version, move.replaced)),
        card={name: value for name, value in card.items() if name not in found.files},
        training=_training(archive, found),
        evaluation=None if result is None else result.model_dump(mode="json", by_alias=True),
        ratings=_ratings(ratings, track, wanted),
    )


def _version(archive: Archive, registry: Registry, version: int | None) -> int:
    where = f"{archive.configuration} in {archive.store.uri}"
    if version is None:
        if registry.champion is None:
            raise WrongInputError(f"track {registry.track}: no champion yet of {where}")
        return registry.version
    if registry.artifact(version) is None:
        known = sorted({move.version for move in registry.log})
        raise WrongInputError(
            f"{registry.track} version {version}: never a champion of {where}; "
            f"versions are {', '.join(map(str, known)) or 'none yet'}"
        )
    return version


def _artifact(registry: Registry, version: int) -> Artifact:
    artifact = registry.artifact(version)
    assert artifact is not None
    return artifact


def _candidate(archive: Archive, track: Track, artifact: Artifact) -> ConfigurationArtifact:
    return candidate_kind(track, *configuration(archive.configuration)).load(archive, artifact)


def _model(archive: Archive, registry: Registry, version: int, ratings: RatingHistory) -> Model:
    artifact, track = _artifact(registry, version), registry.track
    board, players = configuration(archive.configuration)
    candidate, fault = None, ""
    try:
        candidate = _candidate(archive, track, artifact)
    except StoreRefusedError as refusal:
        fault = str(refusal)
    files = {} if candidate is None else {name: StoredObject.of(file) for name, file in files_of(candidate).items()}
    promotion = next(move for move in registry.log if move.version == version)
    rated = _ratings(ratings, track, version)
    is_champion = registry.version == version
    return Model(
        configuration=archive.configuration,
        board=board,
        players=players,
        track=track,
        version=version,
        standing="champion" if is_champion else _standing(registry.earlier, version),
        kind="" if candidate is None else _kind(track, candidate),
        iteration=getattr(candidate, "iteration", version),
        sha256=artifact.sha256,
        artifact=StoredObject.of(artifact),
        files=files,
        size=artifact.bytes + sum(each.bytes for each in files.values()),
        evidence=_evidence(archive, track, promotion),
        predecessor=promotion.replaced,
        backups=tuple(each.version for each in registry.earlier) if is_champion else (),
        rated=rated[-1] if rated else None,
        fault=fault,
    )


def _standing(earlier: tuple[Champion, ...], version: int) -> Literal["backup", "earlier"]:
    return "backup" if version in (champion.version for champion in earlier) else "earlier"


def _kind(track: Track, candidate: ConfigurationArtifact) -> str:
    return f"{track} {candidate.blocks}x{candidate.channels}" if isinstance(candidate, ModelCard) else f"{track}"


def _evidence(archive: Archive, track: Track, promotion: Move) -> Evidence:
    by_hand = ByHand.parse(promotion.request_id)
    verdict = None
    if promotion.verdict is not None:
        try:
            verdict = read_verdict(archive, promotion.verdict).verdict
        except StoreRefusedError:
            verdict = None  # `verify` says what is wrong with it.
    judged = _judged(archive, track, promotion.version, promotion.artifact.sha256)
    judged_at = None if judged is None else judged.result.finished_at
    return Evidence(
        request=promotion.request_id,
        by="" if by_hand is None else by_hand.who,
        because=promotion.cause,
        verdict=verdict,
        at=judged_at if by_hand is None else by_hand.at,
    )


def _judged(archive: Archive, track: Track, iteration: int, sha256: str) -> TaskRecord | None:
    """The record of the gate that judged this candidate, which is that of the iteration it was promoted in."""
    record = archive.record(iteration, f"evaluate-{track}")
    verdict = None if record is None else record.result.verdict
    return record if verdict is not None and verdict.candidate == sha256 else None


def _training(archive: Archive, found: Model) -> Training | None:
    """The task of its iteration whose candidate it was; None where it came from elsewhere."""
    for stage in _MAKERS:
        record = archive.record(found.iteration, stage.value)
        made = None if record is None else record.result.outputs.get("candidate")
        if record is not None and made is not None and made.sha256 == found.sha256:
            result = record.result.result
            return Training(
                stage=stage.value,
                parameters=record.parameters,
                result={} if result is None else result.model_dump(mode="json", by_alias=True),
                finished_at=record.result.finished_at,
            )
    return None


def _ratings(history: RatingHistory, track: Track, version: int) -> tuple[Rated, ...]:
    player = f"{track}@{version}"
    return tuple(
        Rated(iteration=each.iteration, rating=rating)
        for each in history.rounds
        for rating in each.ratings
        if rating.player == player
    )
