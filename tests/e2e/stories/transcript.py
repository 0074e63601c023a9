"""What a story leaves behind: a page of what was said, and of what kubectl showed at the moments that matter."""

from __future__ import annotations

import socket
import tempfile
import time
from pathlib import Path

from tests.cluster.kubectl import Kubectl

KINDS = "tp,wp,rt,ti,jobs"


class Transcript:
    """Grows on disk as the story goes, so that one which fails leaves what it has seen."""

    def __init__(self, path: Path) -> None:
        self._path, self._began = path, time.monotonic()
        path.write_text("")

    def says(self, text: str) -> None:
        """A paragraph."""
        self._append(text)

    def shows(self, moment: str, kubectl: Kubectl, *also: str) -> None:
        """A heading with the seconds since the story began, and what people see; `also` is a further `kubectl get`."""
        self._append(f"## {moment} ({time.monotonic() - self._began:.0f} s)")
        for asked in ((KINDS,), also) if also else ((KINDS,),):
            self.prints(f"kubectl get {' '.join(asked)}", kubectl("get", *asked))

    def prints(self, command: str, printed: str) -> None:
        """A command, and what it printed."""
        self._append(f"```\n$ {command}\n{printed.strip()}\n```")

    def _append(self, text: str) -> None:
        with self._path.open("a") as page:
            page.write(without_places(text) + "\n\n")


def without_places(text: str) -> str:
    """The text without this machine's name and folders, dates of helm's, and blanks at the ends of lines."""
    for place, instead in ((socket.gethostname(), "machine"), (tempfile.gettempdir(), "/...")):
        text = text.replace(place, instead)
    return "\n".join(line.rstrip() for line in text.splitlines() if not line.startswith("LAST DEPLOYED:"))
