"""Names of children: readable, deterministic, at most 52 characters, different for different tasks."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ringrift_operator.domain.labels import identity_from, labels_of
from ringrift_operator.domain.naming import LIMIT, record_name, shortened, task_name
from ringrift_operator.domain.recipes import SHIPPED
from ringrift_operator.domain.snapshot import TaskIdentity

DNS_LABELS = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
IDENTITIES = st.builds(
    TaskIdentity,
    pipeline=DNS_LABELS,
    configuration=st.sampled_from(["square8-2p", "hexagonal-4p"]),
    iteration=st.integers(0, 100_000),
    step=st.sampled_from(list(SHIPPED.steps)),
    attempt=st.integers(1, 99),
    part=st.integers(0, 99),
    pool=DNS_LABELS,
    slot=DNS_LABELS,
    parallelism=st.integers(1, 99),
)


def test_a_name_says_what_the_task_is() -> None:
    task = TaskIdentity("ringrift", "square8-2p", 12, "evaluate-network", 2, pool="gpu", slot="play")
    assert task_name(task) == "ringrift-square8-2p-i12-evaluate-network-a2"


def test_parts_of_selfplay_carry_pool_and_number() -> None:
    task = TaskIdentity("ringrift", "square8-2p", 12, "selfplay", 1, part=3, pool="aws", slot="play")
    assert task_name(task) == "ringrift-square8-2p-i12-selfplay-aws-3-a1"


def test_a_long_name_keeps_its_beginning_and_ends_in_a_hash() -> None:
    name = shortened("a" * 80)
    assert len(name) == LIMIT
    assert re.fullmatch(r"a{41}-[0-9a-f]{10}", name)


@given(IDENTITIES)
def test_names_are_labels_and_fit(task: TaskIdentity) -> None:
    name = task_name(task)
    assert len(name) <= LIMIT
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)


@given(IDENTITIES, IDENTITIES)
def test_other_tries_have_other_names(one: TaskIdentity, other: TaskIdentity) -> None:
    def key(task: TaskIdentity) -> tuple[object, ...]:
        place = (task.pool, task.part) if task.step == "selfplay" else ()
        return task.pipeline, task.configuration, task.iteration, task.step, task.attempt, *place

    # Two pipelines' names may run together ("a-b" and "a"); within one pipeline they never do.
    if key(one) != key(other) and one.pipeline == other.pipeline and one.pool == other.pool:
        assert task_name(one) != task_name(other)


@given(IDENTITIES)
def test_labels_are_read_back(task: TaskIdentity) -> None:
    labels = labels_of(task, SHIPPED.steps[task.step])
    assert identity_from(labels) == task
    assert all(len(value) <= 63 for value in labels.values())


def test_labels_of_something_else_are_no_identity() -> None:
    assert identity_from({}) is None
    assert identity_from({"ringrift.ai/pipeline": "x"}) is None


def test_a_record_is_named_by_its_iteration() -> None:
    assert record_name("ringrift", "hexagonal-4p", 7) == "ringrift-hexagonal-4p-i7"
