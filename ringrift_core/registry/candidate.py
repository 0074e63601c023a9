"""What may become champion: a candidate that plays for its track, accepted by the verdict that is named for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ConfigDict

from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.artifact import ConfigurationArtifact
from ringrift_core.contract import Artifact, Board, Contract, Decision, PromoteParameters, Track, Verdict
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.players.cards import ModelCard, NnueCard
from ringrift_core.players.gates import gate_judge
from ringrift_core.players.specification import JudgeKind
from ringrift_core.players.weights import HeuristicWeights

__all__ = ["StoredVerdict", "candidate_kind", "check_candidate", "check_verdict", "files_of", "read_verdict"]

_KINDS: Mapping[JudgeKind, type[ConfigurationArtifact]] = {
    JudgeKind.WEIGHTS: HeuristicWeights,
    JudgeKind.NNUE: NnueCard,
    JudgeKind.NETWORK: ModelCard,
}
"""What a candidate is, by what judges for the players of its track."""


class StoredVerdict(Contract):
    """What `evaluate` stores; the evidence beside the verdict is not read here."""

    model_config = ConfigDict(extra="ignore")

    verdict: Verdict | None
    refused: str = ""


def candidate_kind(track: Track, board: Board, players: int) -> type[ConfigurationArtifact]:
    """What a track's candidates are: weights, or a card that names files. WrongInputError when it has none."""
    judge = gate_judge(track, board, players)
    if judge not in _KINDS:
        raise WrongInputError(f"track {track}: there are no candidates of {judge}")
    return _KINDS[judge]


def files_of(candidate: ConfigurationArtifact) -> dict[str, Artifact]:
    """The files that a candidate names, by the name that it has for each; weights name none."""
    return {name: value for name, value in candidate if isinstance(value, Artifact)}


def check_candidate(archive: Archive, parameters: PromoteParameters, folder: Path) -> None:
    """WrongInputError unless the artifact, and every file it names, is there and is a player of its track."""
    try:
        kind = candidate_kind(parameters.track, parameters.board, parameters.players)
        for file in files_of(kind.load(archive, parameters.candidate)).values():
            archive.get_file(file, folder)
    except (StoreRefusedError, WrongInputError) as refusal:
        raise WrongInputError(f"--candidate: {refusal}") from refusal


def read_verdict(archive: Archive, artifact: Artifact) -> StoredVerdict:
    """A verdict as `evaluate` stored it; StoreRefusedError when it is none."""
    return from_stored_json(StoredVerdict, archive.get_bytes(artifact), artifact.uri, "a verdict")


def check_verdict(archive: Archive, track: Track, candidate: Artifact, artifact: Artifact) -> None:
    """WrongInputError unless the verdict accepts this candidate of this track."""
    try:
        stored = read_verdict(archive, artifact)
    except StoreRefusedError as refusal:
        raise WrongInputError(f"--verdict: {refusal}") from refusal
    verdict = stored.verdict
    if verdict is None:
        raise WrongInputError(f"--verdict: {artifact.uri} decides nothing: {stored.refused}")
    if verdict.track != track:
        raise WrongInputError(f"--verdict: {artifact.uri} judges a candidate of track {verdict.track}, not {track}")
    if verdict.candidate != candidate.sha256:
        raise WrongInputError(
            f"--verdict: {artifact.uri} judges candidate {verdict.candidate}, not --candidate {candidate.sha256}"
        )
    if verdict.decision is not Decision.PROMOTE:
        raise WrongInputError(f"--verdict: {artifact.uri} says {verdict.decision}, not {Decision.PROMOTE}")
