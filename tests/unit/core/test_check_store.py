"""`ringrift check-store`: what a person learns of a store before work is put into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ringrift_core.cli import app
from tests.cluster.object_store import running_object_store
from tests.cluster.process import free_ports
from tests.cluster.requirement import required_binaries


def tried(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check-store", *arguments])


def test_a_store_that_keeps_its_promises_is_told_and_left_clean(tmp_path: Path) -> None:
    result = tried(f"--store=file://{tmp_path}/games")
    assert (result.exit_code, result.output) == (
        0,
        f"store: file://{tmp_path}/games was written, read, changed and cleared\n",
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_store_that_was_not_named_is_said_to_be_untried() -> None:
    result = tried("--store=")
    assert (result.exit_code, result.output.split(",")[0]) == (0, "store: not tried")


def test_a_store_that_refuses_is_a_sentence_and_an_exit_status(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = tried(f"--store=file://{tmp_path}/file")
    assert result.exit_code == 2
    assert result.output.startswith("ringrift check-store: ")
    assert str(tmp_path / "file") in result.output


def test_a_bucket_is_tried_with_the_environments_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    with running_object_store(required_binaries("versitygw"), tmp_path, port=port) as store:
        store.create_bucket("games")
        for name, value in store.environment().items():
            monkeypatch.setenv(name, value)
        assert tried("--store=s3://games/main").exit_code == 0
        assert [path for path in (store.directory / "games").rglob("*") if path.is_file()] == []
        missing = tried("--store=s3://gemes/main")
        assert (missing.exit_code, "gemes" in missing.output) == (2, True)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        assert tried("--store=s3://games/main").exit_code == 2
    assert tried("--store=s3://games/main").exit_code == 75
