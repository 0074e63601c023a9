"""`ringrift-operator run` where it cannot run: a sentence and an exit status, no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import patience

ENTRY = "from ringrift_operator.cli import main; main()"


def run(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    return subprocess.run(
        [sys.executable, "-P", "-c", ENTRY, "run", *arguments],
        env={**kept, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
        check=False,
    )


def test_without_a_cluster(tmp_path: Path) -> None:
    done = run(tmp_path, "--port=0")
    assert done.returncode == 1
    assert "no cluster to talk to" in done.stderr
    assert "~/.kube/config is no usable kubeconfig" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path, "--port=0", KUBECONFIG=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert f"KUBECONFIG={tmp_path / 'nowhere'} is no usable kubeconfig" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, f"--port={port}", "--address=127.0.0.1")
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_a_release_that_does_not_parse(tmp_path: Path) -> None:
    file = tmp_path / "release.yaml"
    file.write_text("workerImages: ringrift-worker")
    done = run(tmp_path, f"--release={file}")
    assert done.returncode == 2
    assert f"{file}: workerImages: Extra inputs are not permitted" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("answers", "words"), [(False, "Cannot connect"), (True, "no answer in time")], ids=["away", "silent"]
)
def test_it_ends_when_told_before_the_api_server_is_there(tmp_path: Path, answers: bool, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not answers:
            silent.close()
        log = tmp_path / "log"
        with (
            log.open("wb") as file,
            subprocess.Popen(
                [sys.executable, "-P", "-c", ENTRY, "run", "--port=0"],
                env={**os.environ, "KUBECONFIG": str(kubeconfig_of(port, tmp_path))},
                stdout=file,
                stderr=file,
            ) as process,
        ):
            until = time.monotonic() + patience.SECONDS
            while "the API server is not there yet" not in log.read_text() and time.monotonic() < until:
                time.sleep(0.05)
            process.terminate()
            assert process.wait(patience.SECONDS) == 0
    assert words in log.read_text()


def kubeconfig_of(port: int, folder: Path) -> Path:
    """Of an API server at that port of this machine."""
    config = folder / "kubeconfig"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {token: t}}], "
        f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}], "
        "contexts: [{name: c, context: {cluster: c, user: u}}]}"
    )
    return config
