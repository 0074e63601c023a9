"""How a track's iteration ends."""

from __future__ import annotations

from ringrift_core.contract import BaselineRate, CmaesParameters, Decision, Evaluator, Stage, Track
from ringrift_operator.api import StagePhase, TrackDecision
from ringrift_operator.domain.snapshot import TaskObservation
from tests.results import JUDGED, SEARCHED
from tests.unit.domain.world import World, champions, rejections, world


def ending(world: World, **steps: object) -> World:
    """Runs to the end; a step named here fails with this exit code, or is judged so."""

    def answer(world: World, child: TaskObservation) -> None:
        how = steps.get(child.identity.step.replace("-", "_"))
        if isinstance(how, Decision):
            world.end(child, result=world.result(child, how))
        elif isinstance(how, int):
            world.fail(child, exit_code=how, message="the test's wish")
        else:
            world.end(child)

    world.run(answer)
    return world


def decisions(one: World) -> list[dict[str, TrackDecision]]:
    return [{track.track.value: track.decision for track in r.spec.tracks} for r in one.records.values()]


def test_an_accepted_candidate_becomes_champion() -> None:
    one = ending(world(iterations=1))
    assert decisions(one) == [{"weights": TrackDecision.PROMOTED, "network": TrackDecision.PROMOTED}]
    configuration = one.statuses["tp"].configurations[0]
    assert champions(configuration) == {"weights": "1", "network": "1"}
    assert one.statuses["tp"].promotions == 2


def test_a_rejected_candidate_leaves_everything_as_it_was_but_is_counted() -> None:
    one = ending(world(iterations=1), evaluate_network=Decision.REJECT)
    assert decisions(one) == [{"weights": TrackDecision.PROMOTED, "network": TrackDecision.REJECTED}]
    configuration = one.statuses["tp"].configurations[0]
    assert champions(configuration) == {"weights": "1"}
    assert rejections(configuration) == {"weights": 0, "nnue": 0, "network": 1}
    assert [event.message for event in one.events if event.reason == "Rejected"] == [
        "square8-2p: network candidate rejected: 0.600 (0.500 to 0.700) over 40 games; the test says so"
    ]


def test_a_promotion_ends_the_row_of_rejections() -> None:
    one = world(iterations=3, tracks=["weights"])
    answers = iter([Decision.REJECT, Decision.REJECT, Decision.PROMOTE])

    def answer(world: World, child: TaskObservation) -> None:
        is_gate = child.identity.step == "evaluate-weights"
        world.end(child, result=world.result(child, next(answers) if is_gate else Decision.PROMOTE))

    one.run(answer)
    assert rejections(one.configuration())["weights"] == 0


def test_a_failed_stage_fails_the_tracks_that_need_it_and_no_other() -> None:
    one = ending(world(iterations=1), export=2)
    assert decisions(one) == [{"weights": TrackDecision.PROMOTED, "network": TrackDecision.FAILED}]
    configuration = one.statuses["tp"].configurations[0]
    assert rejections(configuration)["network"] == 0, "a crash is no rejection"
    assert configuration.track(Track.NETWORK).failure == "export failed: the test's wish"
    assert configuration.track(Track.WEIGHTS).failure == ""
    (record,) = one.records.values()
    assert {s.name: s.phase for s in record.spec.stages}["train"] == StagePhase.SKIPPED


def test_a_promotion_that_the_registry_refuses_fails_the_track() -> None:
    one = ending(world(iterations=1), promote_network=2)
    assert decisions(one)[0]["network"] == TrackDecision.FAILED
    assert one.statuses["tp"].promotions == 1


def test_one_dataset_serves_all_tracks_that_learn_from_games() -> None:
    one = ending(world(iterations=2, tracks=["nnue", "network"]))
    assert decisions(one) == [{"nnue": TrackDecision.PROMOTED, "network": TrackDecision.PROMOTED}] * 2
    told = [task.parameters for task in one.created if task.identity.step == "export"]
    assert [parameters.exact_state for parameters in told] == [True, True]  # type: ignore[attr-defined]


def test_an_nnue_learns_from_games_until_a_network_teaches_it() -> None:
    def told(*tracks: str) -> list[tuple[object, ...]]:
        spec = {"positions": 5000, "minCorrelation": 0.8}
        one = ending(world(iterations=2, tracks=tracks, nnue={"distill": spec, "bootstrapEpochs": 40}))
        return [
            tuple(task.parameters.model_dump(include=wanted, mode="json").values())
            for task in one.created
            if task.stage in (Stage.NNUE, Stage.DISTILL)
        ]

    wanted = {"network_version", "nnue_version", "positions", "epochs", "batch_size", "min_correlation"}
    assert told("nnue") == [(0, 40, 1024), (1, 20, 1024)]
    assert told("nnue", "network") == [(0, 40, 1024), (1, 1, 5000, 40, 1024, 0.8)]


def test_what_the_champions_know_reaches_the_games() -> None:
    one = ending(world(iterations=2, tracks=["weights", "nnue", "network"]))
    told = [
        (task.parameters.weights_version, task.parameters.nnue_version, task.parameters.network_version)  # type: ignore[attr-defined]
        for task in one.created
        if task.stage == Stage.SELFPLAY
    ]
    assert told == [(0, 0, 0), (1, 1, 1)]


def test_a_candidate_that_a_network_taught_is_gated_as_any_other() -> None:
    one = ending(world(iterations=2, tracks=["nnue", "network"]))
    gated = [task.parameters.candidate for task in one.created if task.identity.step == "evaluate-nnue"]  # type: ignore[attr-defined]
    assert [candidate.uri.rpartition("/")[2] for candidate in gated] == ["nnue.bin", "distill.bin"]
    failed = ending(world(iterations=2, tracks=["nnue", "network"]), distill=2)
    assert decisions(failed)[1] == {"nnue": TrackDecision.FAILED, "network": TrackDecision.PROMOTED}


def test_a_failed_export_fails_every_track_that_learns_from_it() -> None:
    one = ending(world(iterations=1, tracks=["nnue", "network", "weights"]), export=2)
    assert decisions(one)[0] == {
        "nnue": TrackDecision.FAILED,
        "network": TrackDecision.FAILED,
        "weights": TrackDecision.PROMOTED,
    }


def test_without_an_nnue_the_dataset_has_no_exact_states() -> None:
    one = ending(world(iterations=1, tracks=["network"]))
    (export,) = (task.parameters for task in one.created if task.identity.step == "export")
    assert not export.exact_state  # type: ignore[attr-defined]


def test_the_strength_of_a_champion_is_what_its_gate_measured() -> None:
    one = world(iterations=1, tracks=["weights"])
    rate = BaselineRate(opponent="random", games=40, win_rate=0.9, low=0.8, high=1.0)

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.identity.step == "evaluate-weights":
            result = result.model_copy(update={"result": JUDGED.model_copy(update={"baselines": (rate,)})})
        world.end(child, result=result)

    one.run(answer)
    strength = one.configuration().track(Track.WEIGHTS).strength
    assert strength is not None
    assert strength.version == "1"
    assert strength.against["random"].games == 40
    assert set(strength.against) == {"random"}


def test_a_converged_search_is_skipped_until_its_games_change() -> None:
    one = world(iterations=4, tracks=["weights"])

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.identity.step == "cmaes":
            result = result.model_copy(update={"result": SEARCHED.model_copy(update={"converged": True})})
        world.end(child, result=result)
        if child.identity.iteration == 3:
            longer = world.specs["tp"].configurations[0].model_copy(update={"max_moves": 900})
            world.specs["tp"] = world.specs["tp"].model_copy(update={"configurations": (longer,)})

    one.run(answer)
    assert [d["weights"] for d in decisions(one)] == [
        TrackDecision.PROMOTED,  # converges
        TrackDecision.SKIPPED,
        TrackDecision.SKIPPED,
        TrackDecision.PROMOTED,  # the move limit has changed
    ]


def test_a_search_that_a_network_scores_goes_on_with_every_new_champion_and_status_says_what_scored_it() -> None:
    one = world(iterations=4, tracks=["weights", "network"], cmaes={"evaluator": "Auto"})
    asked: list[int] = []

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.identity.step == "cmaes":
            (parameters,) = (
                task.parameters
                for task in world.created
                if (task.identity.step, task.identity.iteration) == ("cmaes", child.identity.iteration)
            )
            assert isinstance(parameters, CmaesParameters)
            version = parameters.network_version
            asked.append(version)
            found = SEARCHED.model_copy(
                update={
                    "converged": True,
                    "evaluator": Evaluator.NEURAL if version else Evaluator.GAMES,
                    "because": f"network {version} wins" if version else "there is no champion network yet",
                }
            )
            result = result.model_copy(update={"result": found})
        world.end(child, result=result)

    one.run(answer)
    assert asked == [0, 1, 2, 3], "the network is promoted in every iteration"
    assert one.configuration().track(Track.WEIGHTS).evaluator == "Neural: network 3 wins"


def test_a_search_by_games_alone_stays_converged_whoever_the_champion_network_is() -> None:
    one = world(iterations=3, tracks=["weights", "network"], cmaes={"evaluator": "Games"})

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.identity.step == "cmaes":
            result = result.model_copy(update={"result": SEARCHED.model_copy(update={"converged": True})})
        world.end(child, result=result)

    one.run(answer)
    skipped = TrackDecision.SKIPPED
    assert [d["weights"] for d in decisions(one)] == [TrackDecision.PROMOTED, skipped, skipped]
