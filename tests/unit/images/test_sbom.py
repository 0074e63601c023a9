"""What is said to be in an image is read from the image."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from images.sbom import Package, document, packages_in

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: left-over
Status: deinstall ok config-files
Architecture: all
Version: 1
"""
SITE = "opt/ringrift/lib/python3.11/site-packages"


def tar(path: Path, files: dict[str, bytes]) -> bytes:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path.read_bytes()


def archive(folder: Path, *layers: dict[str, bytes]) -> Path:
    """A docker-archive of these layers."""
    files = {f"{number}.tar": tar(folder / "layer.tar", layer) for number, layer in enumerate(layers)}
    manifest = json.dumps([{"Layers": list(files)}]).encode()
    tar(folder / "image.tar", {"manifest.json": manifest, **files})
    return folder / "image.tar"


def metadata(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nName: another\n".encode()


def test_debians_and_pythons_packages_are_found(tmp_path: Path) -> None:
    image = archive(
        tmp_path,
        {"./var/lib/dpkg/status": STATUS.encode(), "usr/share/METADATA": b"Name: none"},
        {f"{SITE}/ringrift_operator-0.1.0.dist-info/METADATA": metadata("ringrift_operator", "0.1.0")},
    )
    assert packages_in(image) == {
        Package("deb", "libc6", "2.36-9", "amd64"),
        Package("pypi", "ringrift-operator", "0.1.0"),
    }


def test_of_two_lists_of_debians_the_upper_layers_counts(tmp_path: Path) -> None:
    newer = STATUS.replace("2.36-9", "2.36-10").encode()
    image = archive(tmp_path, {"var/lib/dpkg/status": STATUS.encode()}, {"var/lib/dpkg/status": newer})
    assert packages_in(image) == {Package("deb", "libc6", "2.36-10", "amd64")}


def test_the_document_names_the_image_and_each_package_as_scanners_do() -> None:
    packages = {Package("deb", "libc6", "2.36-9+deb12u1", "amd64"), Package("pypi", "kopf", "1.45.2")}
    told = json.loads(document("ringrift-operator", "0.1.0", packages))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert told["metadata"]["component"]["name"] == "ringrift-operator"
    assert {each["purl"] for each in told["components"]} == {
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64",
        "pkg:pypi/kopf@1.45.2",
    }
