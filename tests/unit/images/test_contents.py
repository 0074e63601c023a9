"""What goes into the images is fixed to the file, and a release is built from what has a digest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from images import base
from images.base import PINNED, bare_base
from images.build import Release, build_with_docker
from images.contents import ALL, LOCKS, PIP, ROOT, Image
from images.engine import BuildFailedError

images = pytest.mark.parametrize("image", ALL.values(), ids=ALL.keys())


def locked(path: Path) -> dict[str, str]:
    """Version by package of a lock."""
    return dict(re.findall(r"^([\w.-]+)==([^ \n]+)", path.read_text(), re.MULTILINE))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@images
def test_a_lock_holds_what_our_wheels_ask_for(image: Image) -> None:
    versions = locked(image.lock)
    for text in image.requirements():
        wanted = Requirement(text)
        assert versions[normal(wanted.name)] in wanted.specifier, f"{text}: run make constraints"


@images
def test_a_lock_has_the_versions_that_the_tests_run(image: Image) -> None:
    tested = {normal(name): version for name, version in locked(ROOT / "constraints.txt").items()}
    for name, version in locked(image.lock).items():
        assert tested.get(name, version) == version, f"{name}: run make constraints"


@pytest.mark.parametrize("name", [*ALL, PIP])
def test_every_package_of_a_lock_has_hashes(name: str) -> None:
    text = (LOCKS / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\w)", text.strip())
    assert len(entries) == len(locked(LOCKS / f"{name}.txt"))
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_operators_image_has_no_client_of_kubernetes_and_no_array() -> None:
    assert not {"kubernetes", "numpy", "torch", "onnxruntime"} & locked(ALL["operator"].lock).keys()


def test_every_package_of_the_bare_base_is_listed_with_its_version() -> None:
    lines = [line for line in PINNED.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9.+-]+=[\w.+~:-]+", line) for line in lines)
    assert {"libc6", "python3", "ca-certificates"} <= {line.partition("=")[0] for line in lines}


# --- releases ----------------------------------------------------------------------------------------------

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize("base", ["python:3.13-slim", "python@sha256:12", f"python@{DIGEST} "])
def test_a_release_takes_no_base_without_a_digest(base: str) -> None:
    with pytest.raises(BuildFailedError, match="by digest"):
        Release("1.0.0", base)
    Release(base=base)


def test_with_docker_a_release_names_its_base() -> None:
    with pytest.raises(BuildFailedError, match=r"a release names its base by digest: --base python:3\.13-slim@sha256:"):
        build_with_docker(ALL["operator"], Release("1.0.0"))


def test_a_release_takes_no_bare_base_of_other_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian's packages as they were found, where the list has others: nothing is built."""
    monkeypatch.setenv("RINGRIFT_CACHE", str(tmp_path / "cache"))
    listed = tmp_path / "packages.txt"
    listed.write_text("# Packages\nlibc6=2.36-8\nperl=5.36\npython3=3.11\n")
    monkeypatch.setattr(base, "PINNED", listed)
    folder = base._folder()
    folder.mkdir(parents=True)
    (folder / "base.tar").touch()
    (folder / "packages.txt").write_text("libc6=2.36-9\npython3=3.11\n")
    said = r"libc6 2\.36-9 instead of 2\.36-8, perl missing instead of 5\.36: make base-packages"
    with pytest.raises(BuildFailedError, match=said):
        bare_base(pinned=True)


def test_an_image_says_from_what_it_was_built() -> None:
    labels = Release().labels(f"python:3.13-slim@{DIGEST}", "abc")
    assert labels == {
        "org.opencontainers.image.version": "dev",
        "org.opencontainers.image.base.name": "python:3.13-slim",
        "org.opencontainers.image.base.digest": DIGEST,
        "ringrift.ai/source-digest": "abc",
    }
