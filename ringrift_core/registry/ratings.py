"""How strong champions were: the ratings of every round robin of a configuration, moved by compare-and-swap."""

from __future__ import annotations

from pydantic import Field

from ringrift_core.archive import Archive, from_stored_json, to_stored_json
from ringrift_core.contract import Contract, PlayerRating, PositiveCount, Seed, Total

__all__ = ["RatedRound", "RatingHistory", "keep_ratings", "read_ratings"]


class RatedRound(Contract):
    """What one round robin came to."""

    iteration: PositiveCount
    seed: Seed
    games: Total = Field(description="Games in all.")
    ratings: tuple[PlayerRating, ...]


class RatingHistory(Contract):
    """The round robins of a configuration, by iteration, ascending. All count from the hand-set heuristic."""

    rounds: tuple[RatedRound, ...] = ()

    def with_round(self, new: RatedRound) -> RatingHistory:
        """With this one in its iteration's place: a repeat replaces what it repeats."""
        others = (each for each in self.rounds if each.iteration != new.iteration)
        return RatingHistory(rounds=tuple(sorted((*others, new), key=lambda each: each.iteration)))

    def newest(self, player: str) -> tuple[int, PlayerRating] | None:
        """The iteration that rated a player last, and its rating; None when it was never rated."""
        for each in reversed(self.rounds):
            for rating in each.ratings:
                if rating.player == player:
                    return each.iteration, rating
        return None


def read_ratings(archive: Archive) -> RatingHistory:
    """The history of a configuration; an empty one when nobody was ever rated."""
    return _read(archive)[0]


def keep_ratings(archive: Archive, new: RatedRound) -> None:
    """Adds a round robin to the history; where it stands there already, nothing is written."""
    while True:
        history, version = _read(archive)
        grown = history.with_round(new)
        if grown == history or archive.store.swap(_key(archive), to_stored_json(grown), version):
            return


def _read(archive: Archive) -> tuple[RatingHistory, str | None]:
    found = archive.store.read(_key(archive))
    if found is None:
        return RatingHistory(), None
    place = f"{archive.store.uri}/{_key(archive)}"
    return from_stored_json(RatingHistory, found.content, place, "a history of ratings"), found.version


def _key(archive: Archive) -> str:
    return archive.key("ratings.json")
