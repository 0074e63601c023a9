"""What may become champion: a candidate that plays for its track, accepted by the verdict that is named for it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from pydantic import ConfigDict

from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.contract import Artifact, Contract, Decision, PromoteParameters, Track, Verdict
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.players.cards import ModelCard, NnueCard
from ringrift_core.players.gates import gate_judge
from ringrift_core.players.specification import JudgeKind
from ringrift_core.players.weights import HeuristicWeights

__all__ = ["check_candidate", "check_verdict"]


class StoredVerdict(Contract):
    """What `evaluate` stores; the evidence beside the verdict is not read here."""

    model_config = ConfigDict(extra="ignore")

    verdict: Verdict | None
    refused: str = ""


def check_candidate(archive: Archive, parameters: PromoteParameters, folder: Path) -> None:
    """WrongInputError unless the artifact, and every file it names, is there and is a player of its track."""
    candidate = parameters.candidate
    try:
        match judge := gate_judge(parameters.track, parameters.board, parameters.players):
            case JudgeKind.WEIGHTS:
                HeuristicWeights.load(archive, candidate)
            case JudgeKind.MLP:
                raise WrongInputError(f"track {parameters.track}: there are no candidates of {judge}")
            case JudgeKind.NNUE:
                nnue = NnueCard.load(archive, candidate)
                for file in (nnue.network, nnue.parameters):
                    archive.get_file(file, folder)
            case JudgeKind.NETWORK:
                card = ModelCard.load(archive, candidate)
                for file in (card.weights, card.onnx):
                    archive.get_file(file, folder)
            case _:
                assert_never(judge)
    except (StoreRefusedError, WrongInputError) as refusal:
        raise WrongInputError(f"--candidate: {refusal}") from refusal


def check_verdict(archive: Archive, track: Track, candidate: Artifact, artifact: Artifact) -> None:
    """WrongInputError unless the verdict accepts this candidate of this track."""
    try:
        stored = from_stored_json(StoredVerdict, archive.get_bytes(artifact), artifact.uri, "a verdict")
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
