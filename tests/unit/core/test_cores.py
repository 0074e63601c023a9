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
    assert available_cores(tmp_path) == cores


@pytest.mark.usefixtures("everywhere")
def test_the_older_control_groups_count_too(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("600000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert available_cores(tmp_path) == 6


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("limit", ["max 100000", None])
def test_without_a_limit_every_core_counts(tmp_path: Path, limit: str | None) -> None:
    if limit is not None:
        (tmp_path / "cpu.max").write_text(limit)
    assert available_cores(tmp_path) == 64
