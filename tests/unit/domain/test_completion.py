"""What an iteration leaves behind, and what the status may weigh."""

from __future__ import annotations

from ringrift_core.contract import Decision
from ringrift_operator.api import StagePhase, TrackDecision
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import BEGINNING, World, pool, world

STATUS_LIMIT_BYTES = 96 * 1024
"""design.md section 5; the wall is 256 KiB."""


def test_the_record_says_what_happened() -> None:
    one = world(iterations=1)

    def answer(world: World, child: TaskObservation) -> None:
        is_network = child.identity.step == "evaluate-network"
        world.end(child, result=world.result(child, Decision.REJECT if is_network else Decision.PROMOTE))

    one.run(answer)
    record = one.records["tp-square8-2p-i1"]
    spec = record.spec
    assert (spec.pipeline, spec.configuration, spec.iteration, spec.games) == ("tp", "square8-2p", 1, 100)
    assert spec.summary == "weights Promoted 0.600 over 40 games, network Rejected 0.600 over 40 games"
    assert spec.started_at is not None
    assert BEGINNING <= spec.started_at < spec.finished_at
    assert [stage.name for stage in spec.stages] == [
        "selfplay", "merge", "export", "train", "cmaes", "evaluate-weights", "promote-weights", "evaluate-network",
        "roundrobin",
    ]  # fmt: skip
    assert all(stage.phase == StagePhase.SUCCEEDED for stage in spec.stages)
    tracks = {track.track: track for track in spec.tracks}
    assert tracks["weights"].candidate is not None  # type: ignore[index]
    assert tracks["network"].decision == TrackDecision.REJECTED  # type: ignore[index]
    assert [(move.track, move.version, move.win_rate) for move in spec.promotions] == [("weights", "1", 0.6)]


def test_it_belongs_to_the_pipeline_and_is_found_by_labels() -> None:
    one = world(iterations=1)
    one.run()
    metadata = one.records["tp-square8-2p-i1"].to_manifest()["metadata"]
    assert metadata["ownerReferences"][0]["uid"] == "uid-tp"
    assert metadata["labels"]["ringrift.ai/pipeline"] == "tp"


def test_only_the_newest_records_are_kept() -> None:
    one = world(iterations=5, historyLimit=2)
    one.run()
    one.step()
    assert [record.spec.iteration for record in one.records.values()] == [4, 5]


def test_the_games_are_the_merges_and_not_counted_up() -> None:
    one = world(iterations=3)
    one.run()
    assert one.statuses["tp"].games == 300, "the last merge said 300"


def test_the_status_of_twelve_configurations_stays_small() -> None:
    """All twelve in the last step of an iteration with everything in it, with results as large as the real ones."""
    boards = ["square8", "square19", "hexagonal", "hex8"]
    one = world(
        configurations=[{"board": board, "players": players} for board in boards for players in (2, 3, 4)],
        iterations=3,
    )
    slot = {
        "name": "s",
        "stages": ["selfplay", "train", "cmaes", "evaluate"],
        "count": 99,
        "resources": {"memory": "1Gi"},
    }
    one.pools = (pool("aws-staging", slots=[slot]),)
    heaviest = 0

    def answer(world: World, child: TaskObservation) -> None:
        nonlocal heaviest
        heaviest = max(heaviest, weight(world))
        result = world.result(child)
        outputs = {
            name: artifact.model_copy(update={"uri": f"s3://ringrift/main/hexagonal-4p/objects/{'0' * 64}.json"})
            for name, artifact in result.outputs.items()
        }
        result = result.model_copy(update={"outputs": outputs, "message": "x" * 110})
        world.end(child, result=result)

    one.run(answer)
    assert 0 < heaviest < STATUS_LIMIT_BYTES


def weight(one: World) -> int:
    return len(one.statuses["tp"].model_dump_json(by_alias=True, exclude_none=True).encode())
