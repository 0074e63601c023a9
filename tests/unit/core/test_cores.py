from __future__ import annotations

from pathlib import Path

import pytest

from ringrift_core.cores import available_cores


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(64), raising=False)


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(("limit", "cores"), [("200000 100000", 2), ("50000 100000", 1), ("250000 100000", 3)])
def test_a_containers_limit_counts(tmp_path: Path, limit: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n")
    assert available_cores(tmp_path, tmp_path / "none") == cores


@pytest.mark.usefixtures("everywhere")
def test_the_older_control_groups_count_too(tmp_path: Path) -> None:
    limit(tmp_path / "cpu", 6)
    assert available_cores(tmp_path, tmp_path / "none") == 6


@pytest.mark.usefixtures("everywhere")
def test_the_narrowest_group_around_the_process_counts(tmp_path: Path) -> None:
    membership = tmp_path / "membership"
    membership.write_text("4:memory:/elsewhere\n1:cpu,cpuacct:/pods/one/main\n0::/\n")
    for group, cores in (("pods", 8), ("pods/one", 3), ("pods/one/main", 5), ("elsewhere", 1)):
        limit(tmp_path / "cpu" / group, cores)
    assert available_cores(tmp_path, membership) == 3
    (tmp_path / "cpu" / "pods" / "one" / "main" / "cpu.cfs_quota_us").write_text("50000\n")
    assert available_cores(tmp_path, membership) == 1


@pytest.mark.usefixtures("everywhere")
def test_a_container_that_is_its_own_root_does_not_find_its_path(tmp_path: Path) -> None:
    membership = tmp_path / "membership"
    membership.write_text("0::/kubepods/pod7/main\n")
    (tmp_path / "cpu.max").write_text("200000 100000\n")
    assert available_cores(tmp_path, membership) == 2


def limit(group: Path, cores: int) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.cfs_quota_us").write_text(f"{cores * 100000}\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("limit", ["max 100000", None])
def test_without_a_limit_every_core_counts(tmp_path: Path, limit: str | None) -> None:
    if limit is not None:
        (tmp_path / "cpu.max").write_text(limit)
    assert available_cores(tmp_path, tmp_path / "none") == 64
