"""What the end of a try means, by exit code and result."""

from __future__ import annotations

import pytest

from ringrift_core.contract import Stage
from ringrift_operator.domain.outcomes import Outcome, OutcomeKind, outcome_of, worst_exit_code
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.snapshot import ChildPhase, TaskIdentity, TaskObservation
from tests.unit.domain.world import world


def ended(step: str, phase: ChildPhase, exit_code: int | None = None, **changes: object) -> TaskObservation:
    identity = TaskIdentity("tp", "square8-2p", 1, step, 1)
    fields = {
        "name": "x",
        "identity": identity,
        "phase": phase,
        "stage": SHIPPED.steps[step].stage,
        "exit_code": exit_code,
    }
    return TaskObservation(**{**fields, **changes})  # type: ignore[arg-type]


def judged(child: TaskObservation) -> Outcome:
    return outcome_of(child, SHIPPED.steps[child.identity.step].handling)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (2, OutcomeKind.HOPELESS),
        (3, OutcomeKind.HOPELESS),
        (75, OutcomeKind.NOT_NOW),
        (1, OutcomeKind.FAILED),
        (137, OutcomeKind.FAILED),
        (None, OutcomeKind.FAILED),
    ],
)
def test_the_exit_code_decides(code: int | None, kind: OutcomeKind) -> None:
    assert judged(ended("train", ChildPhase.FAILED, code)).kind == kind


def test_a_lost_task_counts_as_no_attempt() -> None:
    assert judged(ended("train", ChildPhase.LOST)).kind == OutcomeKind.NOT_NOW


def test_success_without_a_result_is_a_failure() -> None:
    outcome = judged(ended("merge", ChildPhase.SUCCEEDED, 0))
    assert outcome.kind == OutcomeKind.FAILED
    assert outcome.message == "merge exited 0 without a valid result"


def test_selfplay_needs_no_result() -> None:
    assert judged(ended("selfplay", ChildPhase.SUCCEEDED, 0)).kind == OutcomeKind.DONE


@pytest.mark.parametrize("step", ["export", "train", "cmaes"])
def test_success_without_the_output_that_is_needed_next_is_a_failure(step: str) -> None:
    child = ended(step, ChildPhase.SUCCEEDED, 0)
    result = world().result(child)
    assert judged(ended(step, ChildPhase.SUCCEEDED, 0, result=result)).kind == OutcomeKind.DONE
    bare = result.model_copy(update={"outputs": {}})
    assert judged(ended(step, ChildPhase.SUCCEEDED, 0, result=bare)).kind == OutcomeKind.FAILED


def test_a_gate_without_a_verdict_is_a_failure() -> None:
    child = ended("evaluate-weights", ChildPhase.SUCCEEDED, 0)
    result = world().result(child)
    bare = result.model_copy(update={"verdict": None})
    assert judged(ended("evaluate-weights", ChildPhase.SUCCEEDED, 0, result=result)).kind == OutcomeKind.DONE
    assert judged(ended("evaluate-weights", ChildPhase.SUCCEEDED, 0, result=bare)).kind == OutcomeKind.FAILED


def test_another_stages_result_is_none() -> None:
    result = world().result(ended("merge", ChildPhase.SUCCEEDED, 0))
    assert judged(ended("export", ChildPhase.SUCCEEDED, 0, result=result)).kind == OutcomeKind.FAILED


def test_a_live_task_has_no_outcome() -> None:
    with pytest.raises(ValueError, match="no outcome yet"):
        judged(ended("merge", ChildPhase.RUNNING))


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([], None), ([0, 0], 0), ([0, 75], 75), ([75, 1], 1), ([1, 2, 75], 2), ([137, 0], 137)],
)
def test_the_worst_of_several_indexes_decides(codes: list[int], worst: int | None) -> None:
    assert worst_exit_code(codes) == worst


def test_every_stage_is_judged() -> None:
    for step in SHIPPED.steps.values():
        if step.stage != Stage.SELFPLAY:
            done = ended(step.name, ChildPhase.SUCCEEDED, 0)
            one = world()
            one.registry["tp", "square8-2p", str(step.track)] = [1, 2]
            answered = ended(step.name, ChildPhase.SUCCEEDED, 0, result=one.result(done))
            assert judged(answered).kind == OutcomeKind.DONE, step.name


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (129, "the terminal it ran in has gone (SIGHUP)"),
        (132, "this CPU lacks an instruction that it needs: use another machine, or a build for this one (SIGILL)"),
        (134, "native code gave up: it found something impossible, or got no memory (SIGABRT)"),
        (135, "memory that it had mapped was not there: a full disk, a full /dev/shm, a file cut meanwhile (SIGBUS)"),
        (136, "native code divided by zero (SIGFPE)"),
        (137, "it was killed: by the kernel for want of memory, or by somebody (SIGKILL)"),
        (139, "native code crashed (SIGSEGV)"),
        (143, "it was told to end before it could save (SIGTERM)"),
        (152, "it took more CPU time than its limit (ulimit -t) (SIGXCPU)"),
        (153, "it wrote a larger file than its limit (ulimit -f) (SIGXFSZ)"),
        (159, "a system call is forbidden here (seccomp) (SIGSYS)"),
        (138, "it was ended by SIGUSR1"),
        (1, "it ended without a word"),
        (255, "it ended without a word"),
    ],
)
def test_a_signal_is_a_sentence(code: int, said: str) -> None:
    assert judged(ended("train", ChildPhase.FAILED, code)).message == f"exit code {code}: {said}"


def test_last_words_follow_what_a_signal_means() -> None:
    crashed = ended("train", ChildPhase.FAILED, 139, message="Fatal Python error: Segmentation fault")
    assert judged(crashed).message == (
        "exit code 139: native code crashed (SIGSEGV): Fatal Python error: Segmentation fault"
    )


def test_who_ended_it_has_the_word() -> None:
    killed = ended("train", ChildPhase.FAILED, 137, reason="OOMKilled", message="OOMKilled: it took 5Gi")
    assert judged(killed).message == "exit code 137: OOMKilled: it took 5Gi"
    assert judged(ended("train", ChildPhase.FAILED, 137, reason="Evicted")).message == "exit code 137: Evicted"
    assert judged(ended("train", ChildPhase.FAILED)).message == "it ended without a word"
