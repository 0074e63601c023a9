"""The stage roundrobin: everybody against everybody, rated on one scale, iteration for iteration.

Group g depends on (seed, g) and the two players alone, and each pair has groups of its own. So what a stopped stage has
played is kept, and the next attempt plays the rest of the same games.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pydantic import Field

from ringrift_core._engine import Player
from ringrift_core.archive import Checkpoint, from_stored_json, identity, to_stored_json
from ringrift_core.arena.baselines import PLAYERS
from ringrift_core.arena.match import Group, Match, refusal, unwon_share
from ringrift_core.arena.pairings import Pairing, pairings, rated
from ringrift_core.arena.ratings import RatingsError
from ringrift_core.contract import (
    BASELINES,
    MESSAGE_LIMIT,
    TRACKS,
    Artifact,
    AtMost,
    Contract,
    Entrant,
    PlayerRating,
    RoundrobinParameters,
    RoundrobinResult,
    StageResult,
    asked_values,
    clipped,
    cut_warning,
)
from ringrift_core.players.gates import gate_player
from ringrift_core.registry.ratings import RatedRound, keep_ratings
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.seating import Judges, Manner, Seating
from ringrift_core.stage import Outcome, Run
from ringrift_core.tracking import open_curve, tracked

__all__ = ["roundrobin_stage"]

TASK = "roundrobin"

ROUNDROBIN_SEED = 1 << 44
"""Added to the seed: other openings than the gates'."""

ANCHOR = "heuristic"
"""Elo 0: it never changes, so ratings of all iterations are on one scale."""

GROUPS_AT_ONCE = 8
"""Of one match: enough to fill the cores, few enough to keep them often."""


class PlayedGroup(Contract):
    """A group that was played, as it is kept until the stage is done."""

    score: float
    game_ids: tuple[str, ...]
    cut_games: int


class PlayedSoFar(Contract):
    """The checkpoint of a round robin."""

    entrants: dict[str, str] = Field(description="Champions that play: SHA-256 of their artifacts by their names.")
    groups: tuple[tuple[PlayedGroup, ...], ...] = Field(description="Of each pairing, in their order.")


def roundrobin_stage(parameters: RoundrobinParameters, run: Run) -> StageResult:
    """Plays and rates once an iteration; ratings are the result, points of curves, and a part of the history."""
    tracked(parameters)
    result = run.once(parameters.iteration, TASK, parameters, lambda: _rate(parameters, run))
    _checkpoint(parameters, run).clear()
    if ratings := result.answer(RoundrobinResult).ratings:
        _tell(parameters, run, ratings)
    return result


def _rate(parameters: RoundrobinParameters, run: Run) -> Outcome:
    run.archive.check_writable("ratings.json")
    entrants = _entrants(parameters, run)
    names = (*map(str, entrants), *BASELINES)
    table = _Table.of(parameters, run, entrants, pairings(names, parameters.games, parameters.players))
    played = table.played()
    ratings, refused = _ratings(parameters, run, names, played)
    if ratings:
        keep_ratings(
            run.archive,
            RatedRound(iteration=parameters.iteration, seed=parameters.seed, games=table.games, ratings=ratings),
        )
    evidence = {
        "parameters": asked_values(parameters),
        "entrants": table.digests,
        "ratings": [rating.model_dump(mode="json", by_alias=True) for rating in ratings],
        "pairings": [_told(pairing, groups) for pairing, groups in played],
    }
    cut = unwon_share([group for _, groups in played for group in groups])
    if warning := cut_warning(cut):
        run.report.warn(warning)
    return Outcome(
        outputs={"ratings": run.archive.put_json(evidence)},
        result=RoundrobinResult(games=table.games, cut_share=cut, ratings=ratings, refused=refused),
        message=f"no ratings: {refused}" if refused else _message(ratings, table.games),
    )


def _ratings(
    parameters: RoundrobinParameters,
    run: Run,
    names: Sequence[str],
    played: Sequence[tuple[Pairing, Sequence[Group]]],
) -> tuple[tuple[PlayerRating, ...], str]:
    """Everybody's rating, or why there is none."""
    for pairing, groups in played:
        if refused := refusal(groups):
            run.report.warn(f"{pairing.one} against {pairing.other}: {refused}")
    try:
        ratings = rated(played, names, parameters.players, ANCHOR)
    except RatingsError as fault:
        return (), _refused(f"refused as evidence: {fault}")
    if not ratings:
        return (), _refused(f"refused as evidence: no match of {ANCHOR}, from which ratings count, is any")
    if unrated := sorted(set(names) - {rating.player for rating in ratings}):
        run.report.warn(f"no rating of {', '.join(unrated)}: none of their matches is evidence")
    return ratings, ""


def _refused(sentence: str) -> str:
    limit = next(mark.limit for mark in RoundrobinResult.model_fields["refused"].metadata if isinstance(mark, AtMost))
    return clipped(sentence, limit)


def _entrants(parameters: RoundrobinParameters, run: Run) -> dict[Entrant, Artifact]:
    """Who plays beside the baselines: as named, or the champion of every track, then their predecessors."""
    named = parameters.entrants
    if not named:
        registries = [read_registry(run.archive, track) for track in TRACKS]
        champions = [Entrant(each.track, each.version) for each in registries if each.version]
        named = (*champions, *(Entrant(each.track, each.predecessor) for each in registries if each.predecessor))
    return {entrant: champion_artifact(run.archive, entrant.track, entrant.version) for entrant in named}


def _seated(parameters: RoundrobinParameters, run: Run, entrants: Mapping[Entrant, Artifact]) -> dict[str, Player]:
    """Champions as their tracks are gated, and the baselines."""
    here = parameters.board, parameters.players
    store = Seating(Judges(*here, run.archive, run.folder, device=parameters.device))
    hand_set = Seating.without_store(*here)
    champions = {
        str(entrant): store.player(gate_player(entrant.track, *here), Manner(str(entrant)), artifact=artifact)
        for entrant, artifact in entrants.items()
    }
    return champions | {name: hand_set.player(PLAYERS[name], Manner(name)) for name in BASELINES}


def _checkpoint(parameters: RoundrobinParameters, run: Run) -> Checkpoint:
    digest, _ = identity(parameters)
    return Checkpoint(
        run.archive, parameters.iteration, TASK, parameters.attempt, digest, layout=PlayedSoFar.model_fields
    )


@dataclass
class _Table:
    """The games of a round robin, as far as they are played."""

    parameters: RoundrobinParameters
    run: Run
    seated: Mapping[str, Player]
    digests: dict[str, str]
    pairings: Sequence[Pairing]
    groups: list[list[Group]]
    """Of each pairing."""
    begun: float = field(default_factory=time.monotonic)

    @classmethod
    def of(
        cls, parameters: RoundrobinParameters, run: Run, entrants: Mapping[Entrant, Artifact], met: Sequence[Pairing]
    ) -> _Table:
        """With what an earlier attempt has played between the same players."""
        digests = {str(entrant): artifact.sha256 for entrant, artifact in entrants.items()}
        table = cls(parameters, run, _seated(parameters, run, entrants), digests, met, [[] for _ in met])
        if (content := _checkpoint(parameters, run).load_bytes()) is not None:
            place = f"a checkpoint of {TASK} in {run.archive.store.uri}"
            state = from_stored_json(PlayedSoFar, content, place, "what a round robin has played")
            # Nobody was named, and a pointer has moved since: they are others.
            if state.entrants == digests:
                table.groups = [[Group(**dict(group)) for group in groups] for groups in state.groups]
                run.report.log(f"going on after {table.games} games")
        return table

    @property
    def games(self) -> int:
        """Played so far."""
        return sum(len(groups) for groups in self.groups) * self.parameters.players

    def played(self) -> list[tuple[Pairing, list[Group]]]:
        """All of them, once the rest is played, too."""
        before = self.games
        checkpoint = _checkpoint(self.parameters, self.run)
        for pairing, groups in zip(self.pairings, self.groups, strict=True):
            match = self._match(pairing)
            while len(groups) < pairing.groups:
                self.run.pause_point()
                wanted = min(GROUPS_AT_ONCE, pairing.groups - len(groups))
                heard = partial(self._progress, pairing, before)
                groups += match.play(pairing.first_group + len(groups), wanted, heard)
                checkpoint.save(to_stored_json(self._state()), "json")
        return list(zip(self.pairings, self.groups, strict=True))

    def _match(self, pairing: Pairing) -> Match:
        parameters = self.parameters
        one, other = self.seated[pairing.one], self.seated[pairing.other]
        seed = parameters.seed + ROUNDROBIN_SEED
        return Match(parameters.board, parameters.players, one, other, seed, parameters.max_moves)

    def _progress(self, pairing: Pairing, before: int, finished: int) -> bool:
        """Tells of the games that are `finished` beside those that are kept; False where the stage is to stop."""
        games, all_games = self.games + finished, sum(each.groups for each in self.pairings) * self.parameters.players
        rate = (games - before) / max(1e-9, time.monotonic() - self.begun)
        said = f"{pairing.one} against {pairing.other}, {games} of {all_games} games"
        self.run.report.progress(games / all_games, said, rate, "games/s")
        return not self.run.stop_requested

    def _state(self) -> PlayedSoFar:
        groups = tuple(tuple(PlayedGroup(**vars(group)) for group in played) for played in self.groups)
        return PlayedSoFar(entrants=self.digests, groups=groups)


def _told(pairing: Pairing, groups: Sequence[Group]) -> dict[str, object]:
    """A match as it is stored."""
    return {
        "one": pairing.one,
        "other": pairing.other,
        "groups": [{"score": group.score, "games": list(group.game_ids)} for group in groups],
        "refused": refusal(groups),
    }


def _message(ratings: Sequence[PlayerRating], games: int) -> str:
    strongest_first = sorted(ratings, key=lambda rating: -rating.elo)
    told = (f"{rating.player} {rating.elo:+d} [{rating.low:+d}, {rating.high:+d}]" for rating in strongest_first)
    return clipped(f"Elo above {ANCHOR} over {games} games: {', '.join(told)}", MESSAGE_LIMIT)


def _tell(parameters: RoundrobinParameters, run: Run, ratings: Sequence[PlayerRating]) -> None:
    """Points of the curves over iterations, of each track's first entrant; ratings that are told again are in their
    place."""
    figures: dict[str, float] = {}
    for rating in ratings:
        track, _, version = rating.player.partition("@")
        if version and f"{TASK}/{track}/elo" not in figures:
            told = {"elo": rating.elo, "low": rating.low, "high": rating.high, "win_rate": rating.win_rate}
            figures |= {f"{TASK}/{track}/{name}": float(figure) for name, figure in told.items()}
    if figures:
        with open_curve(parameters, run.archive, TASK, after=parameters.iteration - 1, iteration=None) as curve:
            curve.tell(parameters.iteration, figures)
