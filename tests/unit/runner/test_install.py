"""The files for launchd and systemd."""

from __future__ import annotations

import configparser
import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ringrift_operator.runner.install import install
from ringrift_operator.runner.settings import Settings


def settings(folder: Path) -> Settings:
    return Settings("mac-studio", folder / "state of it", folder / "state of it" / "kubeconfig")


def expected(folder: Path) -> list[str]:
    place = folder / "state of it"
    options = ["--pool=mac-studio", f"--folder={place}", f"--kubeconfig={place / 'kubeconfig'}"]
    return [sys.executable, "-P", "-m", "ringrift_operator.runner", *options]


def test_a_launch_agent_runs_the_runner_again_and_gives_it_time_to_save(tmp_path: Path) -> None:
    service = install(settings(tmp_path), "darwin", tmp_path / "home")
    assert service.path == tmp_path / "home/Library/LaunchAgents/ai.ringrift.runner.mac-studio.plist"
    told = plistlib.loads(service.path.read_bytes())
    assert told["ProgramArguments"] == expected(tmp_path)
    assert told["KeepAlive"] is True
    assert told["ExitTimeOut"] > 60
    assert Path(told["WorkingDirectory"]).is_dir()
    assert service.commands[0].startswith("launchctl bootstrap gui/$(id -u) ")


def test_a_systemd_unit_runs_the_runner_again_and_gives_it_time_to_save(tmp_path: Path) -> None:
    service = install(settings(tmp_path), "linux", tmp_path / "home")
    assert service.path == tmp_path / "home/.config/systemd/user/ringrift-runner-mac-studio.service"
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(service.path.read_text())
    assert shlex.split(unit["Service"]["ExecStart"]) == expected(tmp_path)
    assert unit["Service"]["Restart"] == "always"
    assert unit["Service"]["KillMode"] == "mixed"
    assert int(unit["Service"]["TimeoutStopSec"]) > 60


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="judged by systemd itself")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    service = install(settings(tmp_path), "linux", tmp_path / "home")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", service.path], capture_output=True, text=True, check=False
    )
    assert "ringrift-runner" not in done.stderr
