"""Games kept in files: who sat where, and the moves in notation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError

from ringrift_core._engine import RulesError
from ringrift_core.contract import Board, Contract, Seed
from ringrift_core.errors import WrongInputError
from ringrift_core.game import Game
from ringrift_core.play.table import Table

__all__ = ["SavedGame"]


class SavedGame(Contract):
    """A game of `ringrift play` as JSON; the moves replay on `Game(board, players)`."""

    format: int = Field(default=1, ge=1, le=1)
    board: Board
    players: int = Field(ge=2, le=4)
    swap: bool
    seats: tuple[str, ...] = Field(description="Names as on the command line, seat 1 first.")
    seed: Seed
    moves: tuple[str, ...] = Field(description="Every recorded move in notation, bookkeeping included.")

    @classmethod
    def of(cls, table: Table, names: list[str]) -> Self:
        game = table.game
        return cls(
            board=Board(game.board),
            players=game.players,
            swap=game.swap,
            seats=tuple(names),
            seed=table.seed,
            moves=tuple(str(played.move) for played in table.log),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """WrongInputError names the file and what is wrong with it."""
        try:
            saved = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise WrongInputError(f"{path}: {error.strerror}") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise WrongInputError(f"{path}: no saved game: {where}: {first['msg']}") from None
        if len(saved.seats) != saved.players:
            raise WrongInputError(f"{path}: no saved game: {len(saved.seats)} seats for {saved.players} players")
        return saved

    def save(self, path: Path) -> None:
        """OSError when the file cannot be written; what was there stays then."""
        beside = path.with_name(path.name + ".new")
        try:
            beside.write_text(json.dumps(self.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def replay(self, table: Table, path: Path) -> None:
        """Plays the moves at a fresh table; WrongInputError names the first that is not legal."""
        for number, move in enumerate(self.moves, start=1):
            try:
                if number > len(table.log):
                    table.play(move)
                elif move != (forced := str(table.log[number - 1].move)):
                    raise RulesError(f"move {move}: not legal: {forced} is the only legal move")
            except RulesError as error:
                raise WrongInputError(f"{path}: move {number}: {error}") from None

    def fresh_game(self) -> Game:
        return Game(self.board, self.players, swap=self.swap)
