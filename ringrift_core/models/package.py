"""A model outside of a store: its artifact and the files that it names, side by side under names for people.

What `export` writes `promote` takes, and so it does an artifact among the objects of another store's folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ringrift_core.archive import Archive
from ringrift_core.artifact import ConfigurationArtifact
from ringrift_core.contract import Artifact, Board, Track, configuration_name
from ringrift_core.errors import NotNowError, WrongInputError
from ringrift_core.files import new_file
from ringrift_core.models.catalogue import Model
from ringrift_core.players.gates import gate_judge
from ringrift_core.players.specification import Judge, JudgeKind
from ringrift_core.registry.candidate import candidate_kind, files_of
from ringrift_core.seating import Judges

__all__ = ["CARD", "Package", "Player", "export_model"]

CARD = "model.json"
"""What the model is and rests on: beside the files, for people and other programs."""

_NAMES: Mapping[JudgeKind, Mapping[str, str]] = {
    JudgeKind.WEIGHTS: {"": "weights.json"},
    JudgeKind.NNUE: {"": "card.json", "network": "nnue.safetensors", "parameters": "parameters.safetensors"},
    JudgeKind.NETWORK: {"": "card.json", "onnx": "network.onnx", "weights": "weights.safetensors"},
}
"""Names of the artifact ('') and of the files that it names."""

_PLAYED = {JudgeKind.WEIGHTS: "", JudgeKind.NNUE: "network", JudgeKind.NETWORK: "onnx"}
"""Which of them a player is seated by (`ringrift play network=FILE:gumbel:64`)."""


@dataclass(frozen=True)
class Player:
    """What seats the players of a track: the file that is played, and how it is loaded."""

    board: Board
    players: int
    track: Track

    @property
    def judge(self) -> JudgeKind:
        return gate_judge(self.track, self.board, self.players)

    @property
    def names(self) -> Mapping[str, str]:
        return _NAMES[self.judge]

    @property
    def played(self) -> str:
        return _PLAYED[self.judge]

    def load(self, path: Path) -> None:
        """WrongInputError or StoreRefusedError when the file plays no games of the configuration."""
        Judges(self.board, self.players, None, path.parent).of(Judge(self.judge, file=path))


@dataclass(frozen=True)
class Package:
    """A candidate in files, checked: nothing is missing, damaged, or for another configuration."""

    artifact: ConfigurationArtifact
    files: dict[str, tuple[Artifact, Path]]

    @classmethod
    def read(cls, place: Path, player: Player) -> Self:
        """The package of a folder, or of its artifact's file; WrongInputError, StoreRefusedError."""
        names = player.names
        path = place / names[""] if place.is_dir() else place
        if path.suffix in (".onnx", ".safetensors"):
            raise WrongInputError(
                f"{path}: a file of a candidate of track {player.track} alone: name its {names['']}, with all its "
                "files beside it, or their folder, as `ringrift models export` writes them"
            )
        configuration = configuration_name(player.board, player.players)
        with _explained(path):
            content = path.read_bytes()
        kind = candidate_kind(player.track, player.board, player.players)
        artifact = kind.read(content, str(path), configuration)
        files = {name: (file, _beside(path, name, names[name], file)) for name, file in files_of(artifact).items()}
        player.load(files[player.played][1] if player.played else path)
        return cls(artifact, files)

    def store(self, archive: Archive) -> Artifact:
        """Puts everything in the store; promote_stage holds each object against its SHA-256 again."""
        for artifact, path in self.files.values():
            archive.put_file(path, artifact.uri.rpartition(".")[2])
        return self.artifact.save(archive)


def _beside(card: Path, name: str, exported: str, artifact: Artifact) -> Path:
    """The file that a card names: by its name in an export, or in a store."""
    tried = [card.with_name(exported), card.parent / artifact.uri.rpartition("/")[2]]
    path = next((path for path in tried if path.is_file()), None)
    if path is None:
        raise WrongInputError(f"{card}: its {name} is missing: neither {tried[0].name} nor {tried[1].name} lies there")
    with _explained(path), path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != artifact.sha256:
        raise WrongInputError(f"{path}: damaged, or another model's: SHA-256 {found}, {card} names {artifact.sha256}")
    return path


def export_model(model: Model, archive: Archive, folder: Path, to: Path) -> list[Path]:
    """Writes a model to a new folder `to`; or, where `to` ends as the file that is played, that file and its card.

    Whole or not at all; `folder` is for what is fetched. WrongInputError when `to` is there, or cannot be made.
    """
    if to.exists() or to.is_symlink():
        raise WrongInputError(f"--to {to}: is there already; name another one")
    player = Player(model.board, model.players, model.track)
    objects = {"": model.artifact, **model.files}
    found = {name: archive.get_file(each.address, folder) for name, each in objects.items()}
    played = player.names[player.played]
    with _explained(to):
        if to.suffix == Path(played).suffix:
            beside = to.with_name(f"{to.name}.{CARD}")
            _write(to, lambda new: _copy(found[player.played], new))
            _write(beside, lambda new: new.write_text(_card(model, {to.name: player.played})))
            return [to, beside]
        names = {player.names[name]: name for name in objects}
        _write(to, lambda new: _fill(new, {file: found[name] for file, name in names.items()}, _card(model, names)))
    return [to / name for name in (*names, CARD)]


def _card(model: Model, names: Mapping[str, str]) -> str:
    """What lies beside the files, which stand in it by the names that they have there."""
    objects = {"": model.artifact, **model.files}
    card = model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"files", "artifact", "fault"})
    files = {file: {"sha256": objects[name].sha256, "bytes": objects[name].bytes} for file, name in names.items()}
    return json.dumps({**card, "files": files}, indent=1) + "\n"


def _fill(folder: Path, files: Mapping[str, Path], card: str) -> None:
    folder.unlink()
    folder.mkdir()
    for name, path in files.items():
        _copy(path, folder / name)
    (folder / CARD).write_text(card)


def _copy(source: Path, to: Path) -> None:
    shutil.copyfile(source, to)
    with to.open("rb") as file:
        os.fsync(file.fileno())


def _write(to: Path, fill: Callable[[Path], object]) -> None:
    """Gives a file, or a folder, its name when it is whole."""
    descriptor, partial = new_file(to.parent, f".{to.name}-")
    os.close(descriptor)
    try:
        fill(partial)
        partial.rename(to)
    except BaseException:
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink(missing_ok=True)
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = NotNowError if error.errno in (errno.ENOSPC, errno.EDQUOT) else WrongInputError
        raise kind(f"{path}: {error.strerror}") from None
