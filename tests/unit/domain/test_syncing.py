"""Merges while self-play goes on: numbered, one at a time, and nothing else is changed by them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.contract import MergeParameters, MergeResult, SelfplayParameters, Stage, StageParameters, changed
from ringrift_operator.api import StagePhase
from ringrift_operator.domain.snapshot import TaskObservation
from tests.results import merged
from tests.unit.domain.test_planning import ENDINGS, end
from tests.unit.domain.world import BEGINNING, MINUTE, World, world

Answer = Callable[[World, TaskObservation], None]


def syncing(interval: str | None, **more: object) -> World:
    return world(sync=None if interval is None else {"interval": interval}, **{"iterations": 1, **more})


def playing(minutes: int, otherwise: Answer = World.end) -> Answer:
    """Self-play takes so many minutes, everything else ends at once."""
    began: dict[str, datetime] = {}

    def answer(here: World, child: TaskObservation) -> None:
        if child.stage != Stage.SELFPLAY:
            otherwise(here, child)
        elif here.now - began.setdefault(child.name, here.now) >= minutes * MINUTE:
            here.end(child)

    return answer


def syncs(here: World) -> list[str]:
    return [task.name for task in here.created if task.identity.step == "sync"]


def test_games_are_merged_again_and_again_while_self_play_goes_on() -> None:
    here = syncing("5m")
    here.run(playing(17))
    assert syncs(here) == [f"tp-square8-2p-i1-sync-{number}-a1" for number in (1, 2, 3)]
    merges = [task for task in here.created if task.stage == Stage.MERGE]
    asked = [task.parameters.while_playing for task in merges if isinstance(task.parameters, MergeParameters)]
    assert asked == [True, True, True, False], "the last one finds games, or something is wrong"
    record = here.records["tp-square8-2p-i1"]
    assert [stage.name for stage in record.spec.stages if stage.stage == Stage.MERGE] == ["merge", "sync"]


@pytest.mark.parametrize(("interval", "minutes"), [(None, 200), ("1h", 59), ("1s", 0)])
def test_nothing_is_merged_early_without_an_interval_or_within_it(interval: str | None, minutes: int) -> None:
    here = syncing(interval)
    here.run(playing(minutes))
    assert syncs(here) == []


def test_the_next_merge_comes_an_interval_after_the_last_one_ended() -> None:
    here = syncing("10m")
    moments: list[datetime] = []

    def answer(there: World, child: TaskObservation) -> None:
        """Each takes four minutes."""
        if child.identity.step != "sync":
            there.end(child)
            return
        moments.append(there.now)
        if len(moments) % 4 == 0:
            there.end(child)

    answered = playing(1000, answer)
    for _ in range(60):
        here.step()
        for child in here.live:
            answered(here, child)
        here.now += MINUTE
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments) if later - earlier > MINUTE]
    assert gaps
    assert all(gap >= timedelta(minutes=10) for gap in gaps)
    assert len(here.configuration().tasks) <= 64
    assert len([task for task in here.configuration().tasks if task.name == "sync"]) == 1


def test_a_pass_wakes_when_the_next_merge_is_due() -> None:
    here = syncing("7m")
    while not any(child.stage == Stage.SELFPLAY for child in here.live):
        (plan,) = here.step()
        for child in here.live:
            if child.stage != Stage.SELFPLAY:
                here.end(child)
    (plan,) = here.step()
    assert plan.wake_at is not None
    assert plan.wake_at <= here.now + 7 * MINUTE
    here.now += 7 * MINUTE
    here.step()
    assert syncs(here) == ["tp-square8-2p-i1-sync-1-a1"]


def test_the_last_merge_waits_for_the_one_under_way() -> None:
    here = syncing("1m")
    while not syncs(here):
        here.step()
        for child in here.live:
            if child.stage not in (Stage.SELFPLAY, Stage.MERGE):
                here.end(child)
        here.now += MINUTE
    for child in here.live:
        if child.stage == Stage.SELFPLAY:
            here.end(child)
    for _ in range(3):
        here.step()
        assert [child.identity.step for child in here.live if child.stage == Stage.MERGE] == ["sync"]
    (sync,) = [child for child in here.live if child.identity.step == "sync"]
    here.end(sync)
    here.step()
    assert [child.identity.step for child in here.live if child.stage == Stage.MERGE] == ["merge"]


def test_a_merge_that_was_to_be_tried_again_is_left_to_the_last_one() -> None:
    here = syncing("1m")

    def answer(there: World, child: TaskObservation) -> None:
        if child.identity.step == "sync":
            there.fail(child, exit_code=75)
        else:
            playing_long(there, child)

    playing_long = playing(3)
    here.run(answer)
    assert here.configuration().iteration == 1
    (record,) = here.records.values()
    phases = {stage.name: stage.phase for stage in record.spec.stages}
    assert phases["merge"] == StagePhase.SUCCEEDED
    assert phases["sync"] == StagePhase.SKIPPED


def test_games_are_counted_as_they_arrive() -> None:
    here = syncing("1m", configurations=[{"board": "square8", "players": 2, "bootstrapGames": 100}])
    counts = [20, 45, 70]
    seen: list[int] = []

    def counting(there: World, child: TaskObservation) -> None:
        result = there.result(child)
        if child.identity.step == "sync":
            games = counts[min(child.identity.part, len(counts)) - 1]
            result = result.model_copy(update={"result": merged(games, games)})
        there.end(child, result=result)

    answer = playing(20, counting)
    for _ in range(60):
        here.step()
        games = here.configuration().games
        if games not in seen:
            seen.append(games)
        for child in here.live:
            answer(here, child)
        here.now += MINUTE
    assert seen == [0, 20, 45, 70, 100]


def test_a_bootstrap_is_topped_up_by_what_its_last_merge_finds() -> None:
    """Each round is merged early, too; what these merges find missing is being played."""
    here = syncing("1m", configurations=[{"board": "square8", "players": 2, "bootstrapGames": 120}])
    whole = [MergeResult(games=games, new_games=games, duplicates=3) for games in (117, 120)]
    early: list[int] = []

    def finding(there: World, child: TaskObservation) -> None:
        result = there.result(child)
        if child.identity.step == "sync":
            early.append(child.identity.part)
            result = result.model_copy(update={"result": merged(50, 50)})
        elif child.identity.step == "merge":
            result = result.model_copy(update={"result": whole.pop(0)})
        there.end(child, result=result)

    answer, counts = playing(6, finding), [0]
    while not here.records:
        here.step()
        counts.append(here.configuration().games)
        for child in here.live:
            answer(here, child)
        here.now += MINUTE
    rounds = [
        (task.parameters.first_game, task.parameters.games)
        for task in here.created
        if isinstance(task.parameters, SelfplayParameters)
    ]
    assert rounds == [(0, 120), (120, 3)]
    assert early == list(range(1, len(early) + 1)), "the second round's are numbered on"
    asked = [task.identity.step for task in here.created]
    first, second = (place for place, step in enumerate(asked) if step == "selfplay")
    assert "sync" in asked[first:second]
    assert "sync" in asked[second:]
    assert counts == sorted(counts)
    assert 117 in counts
    assert whole == []


def test_a_suspended_pipeline_asks_for_none() -> None:
    here = syncing("1m")
    while not any(child.stage == Stage.SELFPLAY for child in here.live):
        here.step()
        for child in here.live:
            if child.stage != Stage.SELFPLAY:
                here.end(child)
    here.specs["tp"] = changed(here.specs["tp"], suspend=True)
    here.now += 5 * MINUTE
    (plan,) = here.step()
    assert syncs(here) == []
    assert plan.wake_at is None or plan.wake_at > here.now


def test_a_clock_that_was_fast_keeps_no_merge_waiting() -> None:
    here = syncing("10m")
    here.now = BEGINNING + timedelta(days=30)
    while not any(child.stage == Stage.SELFPLAY for child in here.live):
        here.step()
        for child in here.live:
            if child.stage != Stage.SELFPLAY:
                here.end(child)
    here.now = BEGINNING
    here.step()
    assert len(syncs(here)) == 1


def others(here: World) -> dict[tuple[str, int, int, int], StageParameters]:
    """Every task but these merges, with what it was told."""
    return {
        (task.identity.step, task.identity.iteration, task.identity.part, task.identity.attempt): task.parameters
        for task in here.created
        if task.identity.step != "sync"
    }


@settings(max_examples=15, deadline=None)
@given(minutes=st.integers(0, 70), data=st.data())
def test_whatever_becomes_of_them_everything_else_is_asked_for_as_without_them(
    minutes: int, data: st.DataObject
) -> None:
    def badly(there: World, child: TaskObservation) -> None:
        end(there, child, data.draw(ENDINGS) if child.identity.step == "sync" else "well")

    found = []
    for interval in (None, "1s", "60m"):
        here = syncing(interval, iterations=2)
        here.run(playing(minutes, badly), passes=2000)
        (status,) = here.statuses["tp"].configurations
        found.append((others(here), status.games, status.iteration, [track.champion for track in status.tracks]))
    assert found[0] == found[1] == found[2]
