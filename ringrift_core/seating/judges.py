"""Who judges positions: from a reference to what the engine asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.contract import Artifact, Board, Device, InitialWeights, configuration_name
from ringrift_core.errors import MissingJudgeError, StoreRefusedError, WrongInputError
from ringrift_core.nn.inference import AskedNetwork, onnx_network, onnx_network_of, torch_network
from ringrift_core.players.cards import ModelCard, NnueCard
from ringrift_core.players.gates import TRACK_OF
from ringrift_core.players.shipped import SHIPPED, shipped_name
from ringrift_core.players.specification import Judge, JudgeKind
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.registry.records import champion_artifact, read_registry

__all__ = ["Evaluation", "Judges"]

Evaluation: TypeAlias = HeuristicWeights | _engine.Judge | AskedNetwork
"""What a judge evaluates by: weights that the engine adds up by itself, a network that it knows itself, or one that it
has to ask."""

_AT_ONCE: dict[JudgeKind, Callable[[bytes], _engine.Judge]] = {
    JudgeKind.MLP: _engine.Judge.mlp,
    JudgeKind.NNUE: _engine.Judge.nnue,
}
"""Networks that the engine reads itself."""


@dataclass(frozen=True)
class Judges:
    """The judges of one configuration: champions of a store, files, and what comes with the package."""

    board: Board
    players: int
    archive: Archive | None
    """Where champions are; None: there is no store."""
    folder: Path
    """Networks are fetched to here, and are read from here as long as they play."""
    initial: InitialWeights = InitialWeights.BASELINE
    """What version 0 of the weights means."""
    device: Device = Device.CPU
    """Where networks are asked: by ONNX Runtime on the CPU, by torch on a GPU."""
    shipped: Path = SHIPPED
    _known: dict[Judge | str, Evaluation] = field(default_factory=dict, init=False, repr=False, compare=False)
    """One network for all who ask it: what they ask goes out in one batch."""

    def of(self, judge: Judge) -> Evaluation:
        """WrongInputError, StoreRefusedError or StoreAwayError say why there is no such judge."""
        if judge not in self._known:
            self._known[judge] = self._found(judge)
        return self._known[judge]

    def weights(self, judge: Judge) -> HeuristicWeights:
        """As `of`, for a judge by weights."""
        found = self.of(judge)
        if not isinstance(found, HeuristicWeights):
            raise TypeError(f"{judge} has no weights of the heuristic")
        return found

    def of_artifact(self, kind: JudgeKind, artifact: Artifact) -> Evaluation:
        """A candidate's, or a champion's, by what it consists of; StoreRefusedError when it is none of that kind."""
        if artifact.sha256 not in self._known:
            self._known[artifact.sha256] = self._loaded(kind, artifact)
        return self._known[artifact.sha256]

    def _found(self, judge: Judge) -> Evaluation:
        if judge.file is not None:
            return self._read(judge.kind, judge.file)
        if judge.version == 0:
            return HeuristicWeights.of_setting(self.initial, self.board, self.players)
        if judge.version is not None:
            artifact = champion_artifact(self._store(judge), TRACK_OF[judge.kind], judge.version)
            return self.of_artifact(judge.kind, artifact)
        track = TRACK_OF.get(judge.kind)
        if self.archive is not None and track is not None and (version := read_registry(self.archive, track).version):
            return self.of(Judge(judge.kind, version))
        return self._come_with_the_package(judge.kind)

    def _come_with_the_package(self, kind: JudgeKind) -> Evaluation:
        path = self.shipped / shipped_name(kind, self.board, self.players)
        if path.exists():
            return self._read(kind, path)
        if kind is JudgeKind.WEIGHTS:
            return HeuristicWeights.of_setting(InitialWeights.BASELINE, self.board, self.players)
        where = "and none is given" if self.archive is None else f"and {self.archive.store.uri} has no champion yet"
        raise MissingJudgeError(
            f"{kind}: no {path.name} comes with the package: name a store that has a champion of "
            f"{configuration_name(self.board, self.players)}, {where}, or a file: {kind}=FILE"
        )

    def _store(self, judge: Judge) -> Archive:
        if self.archive is None:
            raise WrongInputError(f"{judge}: champions come from a store, and none is given: name it with --store URI")
        return self.archive

    def _loaded(self, kind: JudgeKind, artifact: Artifact) -> Evaluation:
        assert self.archive is not None
        if kind is JudgeKind.WEIGHTS:
            return HeuristicWeights.load(self.archive, artifact)
        if kind is JudgeKind.NNUE:
            network = NnueCard.load(self.archive, artifact).network
            return self._at_once(kind, self.archive.get_bytes(network), network.uri)
        card = ModelCard.load(self.archive, artifact)
        if self.device is Device.CPU:
            return onnx_network(self.archive.get_file(card.onnx, self.folder))
        return torch_network(card, self.archive.get_file(card.weights, self.folder), self.device.value)

    def _read(self, kind: JudgeKind, path: Path) -> Evaluation:
        if kind is JudgeKind.NETWORK:
            if self.device is not Device.CPU:
                raise WrongInputError(f"--device {self.device}: {kind}={path} is ONNX, which is asked on the CPU")
            return onnx_network_of(path, self.board, self.players)
        try:
            content = path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            raise WrongInputError(f"{kind}={path}: {getattr(error, 'strerror', None) or error}") from None
        if kind in _AT_ONCE:
            return self._at_once(kind, content, str(path))
        return HeuristicWeights.read(content, str(path), configuration_name(self.board, self.players))

    def _at_once(self, kind: JudgeKind, content: bytes, place: str) -> _engine.Judge:
        try:
            judge = _AT_ONCE[kind](content)
        except _engine.RulesError as error:
            raise StoreRefusedError(f"{place}: no {kind}: {error}") from None
        wanted = configuration_name(self.board, self.players)
        if judge.configuration != wanted:
            raise StoreRefusedError(f"{place}: {kind} for {judge.configuration}, not {wanted}")
        return judge
