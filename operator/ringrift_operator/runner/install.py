"""`ringrift-runner install`: the runner as a service of this user, by launchd (macOS) or systemd."""

from __future__ import annotations

import plistlib
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from ringrift_operator.files import replace_file
from ringrift_operator.runner.settings import Settings

STOP_SECONDS = 120
"""After SIGTERM: stages save for a minute at most, and what became of them is written."""
RESTART_SECONDS = 10


@dataclass(frozen=True)
class Service:
    """A file for the service manager, and what to type then."""

    path: Path
    content: str
    commands: tuple[str, ...]


def command_of(settings: Settings) -> list[str]:
    """How the service manager starts the runner."""
    options = [f"--pool={settings.pool}", f"--folder={settings.folder}", f"--kubeconfig={settings.kubeconfig}"]
    return [sys.executable, "-P", "-m", "ringrift_operator.runner", *options]


def launchd(settings: Settings, home: Path) -> Service:
    """A launch agent of this user."""
    label = f"ai.ringrift.runner.{settings.pool}"
    log = str(settings.folder / "runner.log")
    content = {
        "Label": label,
        "ProgramArguments": command_of(settings),
        "WorkingDirectory": str(settings.folder),
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": RESTART_SECONDS,
        "ExitTimeOut": STOP_SECONDS,
        # Or macOS takes it for something that may wait.
        "ProcessType": "Interactive",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    path = home / "Library" / "LaunchAgents" / f"{label}.plist"
    commands = (
        f"launchctl bootstrap gui/$(id -u) {shlex.quote(str(path))}",
        f"tail -f {shlex.quote(log)}",
        f"launchctl bootout gui/$(id -u)/{label}  # stops it: stages save first",
    )
    return Service(path, plistlib.dumps(content).decode(), commands)


def systemd(settings: Settings, home: Path) -> Service:
    """A unit of this user's systemd."""
    name = f"ringrift-runner-{settings.pool}.service"
    content = f"""\
[Unit]
Description=RingRift runner of pool {settings.pool}
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={" ".join(map(_quoted, command_of(settings)))}
WorkingDirectory={str(settings.folder).replace("%", "%%")}
Restart=always
RestartSec={RESTART_SECONDS}
# To the runner alone, which tells its stages.
KillMode=mixed
TimeoutStopSec={STOP_SECONDS}

[Install]
WantedBy=default.target
"""
    commands = (
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {name}",
        "loginctl enable-linger  # it runs when nobody is logged in",
        f"journalctl --user -fu {name}",
    )
    return Service(home / ".config" / "systemd" / "user" / name, content, commands)


def install(settings: Settings, platform: str = sys.platform, home: Path | None = None) -> Service:
    """Writes the file of this machine's service manager. OSError when it cannot be written."""
    place = home or Path.home()
    service = launchd(settings, place) if platform == "darwin" else systemd(settings, place)
    settings.folder.mkdir(parents=True, exist_ok=True)
    replace_file(service.path, service.content)
    return service


def _quoted(word: str) -> str:
    """A word of ExecStart: % and $ mean something to systemd, also in quotes."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
