"""`python -m tests.e2e.stories [STORY]`: tells the stories that have not passed yet at this commit, one by one.

What has passed is remembered in the cache, by the last commit that changed anything but `results`; of a tree that is
not that commit's nothing is. The transcript of a story that passed is kept in `results/stories`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.binaries import cache_directory

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
RESULTS = ROOT / "results" / "stories"
BUT_RESULTS = (".", ":(exclude)results")

STORIES = ("tracks", "upgrade", "uninstall", "etcd", "switches", "runner", "sabotage", "nodes", "policies", "kueue")
"""The most telling first."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.stories", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("story", nargs="?", choices=STORIES, help="this one alone, whether it has passed or not")
    asked = parser.parse_args().story
    commit = commit_of_tree()
    kept = cache_directory() / "stories" / commit if commit else None
    failed = []
    for story in [asked] if asked else STORIES:
        if kept and not asked and (kept / f"{story}.md").exists():
            print(f"{story}: has passed at {commit[:7]}")
        elif not told(story, commit, kept):
            failed.append(story)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def commit_of_tree() -> str:
    """The last commit that changed anything but results; empty when the tree has changed since."""
    if output("git", "status", "--porcelain", "--", *BUT_RESULTS):
        return ""
    return output("git", "log", "-1", "--format=%H", "--", *BUT_RESULTS)


def told(story: str, commit: str, kept: Path | None) -> bool:
    """Whether the story passed; where there is a commit to remember it by, its transcript is kept."""
    began = time.monotonic()
    print(f"{story}: begins", flush=True)
    with tempfile.TemporaryDirectory(prefix="ringrift-story-") as directory:
        environment = {**os.environ, "RINGRIFT_E2E_OUT": directory, "CI": "true"}
        command = [sys.executable, "-m", "pytest", "-q", str(HERE / f"test_{story}.py")]
        passed = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0
        seconds = time.monotonic() - began
        print(f"{story}: {'passed' if passed else 'FAILED'} in {seconds:.0f} s", flush=True)
        if passed and kept:
            page = headed(story, commit, seconds, (Path(directory) / f"{story}.md").read_text())
            RESULTS.mkdir(parents=True, exist_ok=True)
            (RESULTS / f"{story}.md").write_text(page)
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(RESULTS / f"{story}.md", kept)
    return passed


def headed(story: str, commit: str, seconds: float, transcript: str) -> str:
    """A transcript under what is known of it."""
    command = f"make e2e-all STORY={story}"
    known = f"`{command}` at {commit[:7]}: passed in {seconds:.0f} s."
    return f"# {story.capitalize()}\n\n{known}\n\n{transcript.strip()}\n"


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
