"""How self-play is divided over free slots."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.contract import SelfplayResult, Shards
from ringrift_operator.domain.division import MOST_PARTS, Room, divided
from ringrift_operator.domain.snapshot import TaskObservation
from tests.results import played
from tests.unit.domain.world import World, pool, world


def room(name: str, kind: str, free: int, cores: int) -> Room:
    found = pool(name, type=kind)
    return Room(found, found.spec.slots[0], free, Decimal(cores))


ROOMS = st.lists(
    st.builds(
        room, st.sampled_from("abc"), st.sampled_from(["Cluster", "Runner"]), st.integers(1, 40), st.integers(1, 64)
    ),
    min_size=1,
    max_size=5,
)


@given(st.integers(0, 50), st.integers(1, 200), ROOMS)
def test_every_shard_is_played_once_and_no_slot_is_idle_or_overtaken(first: int, count: int, rooms: list[Room]) -> None:
    shares = divided(first, first + count - 1, rooms)
    played = [shard for share in shares for shard in range(share.first, share.last + 1)]
    assert played == list(range(first, first + count))
    for share in shares:
        assert 1 <= share.slots <= min(share.room.free, share.last - share.first + 1)
        assert share.room.pool.spec.type == "Cluster" or share.slots == 1


def test_shards_go_by_cpu() -> None:
    shares = divided(0, 19, [room("a", "Cluster", 2, 6), room("b", "Runner", 1, 4)])
    assert [(share.room.pool.name, share.slots, share.first, share.last) for share in shares] == [
        ("a", 2, 0, 14),
        ("b", 1, 15, 19),
    ]


def test_a_runner_gets_one_task_per_slot() -> None:
    shares = divided(0, 5, [room("mac", "Runner", 3, 8)])
    assert [(share.first, share.last) for share in shares] == [(0, 1), (2, 3), (4, 5)]


def test_there_are_no_more_parts_than_a_status_takes() -> None:
    shares = divided(0, 999, [room("macs", "Runner", 200, 8), room("a", "Cluster", 4, 6)])
    assert len(shares) == MOST_PARTS
    assert [shares[0].first, shares[-1].last] == [0, 999]
    assert sum(share.last - share.first + 1 for share in shares) == 1000


def test_a_part_that_is_tried_again_stays_whole() -> None:
    (share,) = divided(4, 9, [room("a", "Cluster", 2, 6), room("b", "Cluster", 2, 6)], over_all=False)
    assert (share.slots, share.first, share.last) == (2, 4, 9)


def test_the_division_is_recorded_and_only_the_failed_part_is_repeated() -> None:
    one = World(
        pools=(pool("a"), pool("b")),
        specs={"tp": world(iterations=1, tracks=["network"]).specs["tp"]},
    )
    failed: list[str] = []

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == "selfplay" and child.identity.part == 1 and not failed:
            failed.append(child.name)
            world.fail(child, exit_code=137, message="OOMKilled")
        else:
            world.end(child)

    one.run(answer)
    tasks = [task for task in one.created if task.identity.step == "selfplay"]
    assert [(task.identity.part, task.identity.attempt, task.parameters.shard) for task in tasks] == [  # type: ignore[attr-defined]
        (0, 1, Shards(0, 9, 20)),
        (1, 1, Shards(10, 19, 20)),
        (1, 2, Shards(10, 19, 20)),
    ]
    assert [task.completions for task in tasks] == [10, 10, 10]
    (record,) = one.records.values()
    selfplay = next(stage for stage in record.spec.stages if stage.name == "selfplay")
    assert (selfplay.attempts, selfplay.found(SelfplayResult)) == (2, played(100))
