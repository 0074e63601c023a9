"""Merges while self-play goes on: numbered, one at a time, and nothing else is changed by them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
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
    """Self-play takes so many minutes, a shard after the other; everything else ends at once."""
    began: dict[str, datetime] = {}

    def answer(here: World, child: TaskObservation) -> None:
        passed = here.now - began.setdefault(child.name, here.now)
        if child.stage != Stage.SELFPLAY:
            otherwise(here, child)
        elif passed >= minutes * MINUTE:
            here.end(child)
        else:
            tell(here, passed / (minutes * MINUTE))

    return answer


def tell(here: World, progress: float, ended_indexes: int | None = None) -> None:
    """Self-play says how far it is."""
    for child in here.live:
        if child.stage == Stage.SELFPLAY:
            here.children[child.name] = replace(child, progress=progress, ended_indexes=ended_indexes)


def begin(here: World, progress: float = 0.5) -> None:
    """Until self-play has begun and says how far it is."""
    while not any(child.stage == Stage.SELFPLAY for child in here.live):
        here.step()
        for child in here.live:
            if child.stage != Stage.SELFPLAY:
                here.end(child)
    tell(here, progress)


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


def test_nothing_is_merged_early_before_a_shard_has_ended_nor_again_before_the_next_has() -> None:
    """Of twenty."""
    here = syncing("1m")
    begin(here, 0.0)
    for progress, asked in [(0.0, 0), (0.049, 0), (0.05, 1), (0.099, 1), (0.1, 2), (0.1, 2), (0.75, 3), (0.799, 3)]:
        for _ in range(5):
            tell(here, progress)
            (plan,) = here.step()
            for child in here.live:
                if child.identity.step == "sync":
                    here.end(child)
            here.now += 2 * MINUTE
        assert len(syncs(here)) == asked, f"at {progress}"
        assert plan.wake_at is None or plan.wake_at > here.now, "there is nothing to wait for but self-play"


def test_what_an_indexed_job_counts_is_what_has_ended() -> None:
    """Shards that are half played are not, however many of them there are."""
    here = syncing("1m")
    begin(here, 0.0)
    for progress, ended, asked in [(0.4, 0, 0), (0.4, 1, 1), (0.9, 1, 1), (0.9, 3, 2)]:
        for _ in range(4):
            tell(here, progress, ended)
            here.step()
            for child in here.live:
                if child.identity.step == "sync":
                    here.end(child)
            here.now += 2 * MINUTE
        assert len(syncs(here)) == asked, f"{ended} have ended"


def test_a_merge_that_failed_is_asked_for_again() -> None:
    """It took nothing."""
    here = syncing("5m")
    begin(here, 0.2)
    while len(syncs(here)) < 2:
        here.step()
        for child in here.live:
            if child.identity.step == "sync":
                here.fail(child)
        here.now += MINUTE
        assert here.now < BEGINNING + timedelta(hours=2)


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

    answered = playing(100, answer)
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
    begin(here)
    (plan,) = here.step()
    assert plan.wake_at is not None
    assert plan.wake_at <= here.now + 7 * MINUTE
    here.now += 7 * MINUTE
    here.step()
    assert syncs(here) == ["tp-square8-2p-i1-sync-1-a1"]


def test_the_last_merge_waits_for_the_one_under_way() -> None:
    here = syncing("1m")
    begin(here)
    while not syncs(here):
        here.step()
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
    here = syncing("3m", configurations=[{"board": "square8", "players": 2, "bootstrapGames": 1000}])
    seen: list[int] = []

    def counting(there: World, child: TaskObservation) -> None:
        games = there.result(child).result
        if isinstance(games, MergeResult):
            there.end(child, result=changed(there.result(child), result=merged(games.new_games, games.new_games)))
        else:
            there.end(child)

    answer = playing(20, counting)
    while not here.records:
        here.step()
        games = here.configuration().games
        if games not in seen:
            seen.append(games)
        for child in here.live:
            answer(here, child)
        here.now += MINUTE
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 1000)
    assert len(seen) > 4
    assert all(games % 50 == 0 for games in seen), "a shard has 50"


def test_a_bootstrap_is_topped_up_by_what_its_last_merge_finds() -> None:
    """Each round is merged early, too; what these merges find missing is being played."""
    here = syncing("1m", configurations=[{"board": "square8", "players": 2, "bootstrapGames": 1200}])
    whole = [MergeResult(games=games, new_games=games, duplicates=100) for games in (1100, 1200)]
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
    assert rounds == [(0, 1200), (1200, 100)]
    assert early == list(range(1, len(early) + 1)), "the second round's are numbered on"
    asked = [task.identity.step for task in here.created]
    first, second = (place for place, step in enumerate(asked) if step == "selfplay")
    assert "sync" in asked[first:second]
    assert "sync" in asked[second:]
    assert counts == sorted(counts)
    assert 1100 in counts
    assert whole == []


def test_a_suspended_pipeline_asks_for_none() -> None:
    here = syncing("1m")
    begin(here)
    here.specs["tp"] = changed(here.specs["tp"], suspend=True)
    here.now += 5 * MINUTE
    (plan,) = here.step()
    assert syncs(here) == []
    assert plan.wake_at is None or plan.wake_at > here.now


def test_a_clock_that_was_fast_keeps_no_merge_waiting() -> None:
    here = syncing("10m")
    here.now = BEGINNING + timedelta(days=30)
    begin(here)
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
